// The helplines panel behind "Get human help". Without scripts its link shows it with :target.

import { find } from "./dom.js";
import { helplineList } from "./helplines.js";
import { armSheet } from "./sheet.js";

/**
 * @param {import("./helplines.js").Helplines} helplines
 * @returns {() => void} opens the panel
 */
export function armHelpDialog(helplines) {
  const dialog = find("#help");
  const select = find("#country");
  const list = find("[data-helplines]", dialog);
  const show = () => {
    select.value = helplines.country.code;
    list.replaceChildren(helplineList(helplines.country, helplines.country.resources, "first"));
  };
  show();
  find("[data-country]", dialog).hidden = false;
  helplines.addEventListener("change", show);
  select.addEventListener("change", () => helplines.choose(select.value));
  return armSheet("help");
}
