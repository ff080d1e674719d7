// The helplines panel behind "Get human help". Without scripts its link shows it with :target.

import { find, press } from "./dom.js";
import { helplineList } from "./helplines.js";

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
  const open = () => {
    if (!dialog.showModal) location.hash = "help";
    else if (!dialog.open) dialog.showModal();
  };

  show();
  find("[data-country]", dialog).hidden = false;
  helplines.addEventListener("change", show);
  select.addEventListener("change", () => helplines.choose(select.value));

  document.querySelectorAll("[data-help]").forEach((link) => press(link, open));
  press(find("[data-close]", dialog), () => {
    if (dialog.open) dialog.close();
    else history.replaceState(null, "", location.pathname);
  });
  dialog.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    if (event.target === dialog) dialog.close(); // the backdrop
  });

  if (location.hash === "#help" && dialog.showModal) {
    history.replaceState(null, "", location.pathname);
    open();
  }
  return open;
}
