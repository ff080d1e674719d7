// The first screen: ways to begin, and the operator's question of age where there is one.

import { el, find } from "./dom.js";
import { _ } from "./words.js";

const CONFIRMED = "smallhours-adult";

/**
 * @param {object} parts
 * @param {import("./composer.js").Composer} parts.composer
 * @param {import("./people.js").People} parts.people
 * @param {(text: string) => void} parts.say
 * @returns {{begun: () => void}} to be told of the first message, however it came
 */
export function armStart({ composer, people, say }) {
  const chips = find("[data-chips]");
  chips.addEventListener("click", (/** @type {Event} */ event) => {
    const chip = /** @type {Element} */ (event.target).closest(".chip");
    if (!chip || composer.busy) return;
    composer.takeFocus();
    say(chip.textContent ?? "");
  });
  const open = () => {
    chips.hidden = false;
    composer.ready();
  };
  const age = /** @type {HTMLElement | null} */ (document.querySelector("[data-age]"));
  if (age && !remembered()) askAge(age, people, open);
  else open();
  find("[data-until-ready]").remove();
  return { begun: () => chips.remove() };
}

/** @param {HTMLElement} age @param {import("./people.js").People} people @param {() => void} open */
function askAge(age, people, open) {
  age.hidden = false;
  find("[data-adult]", age).addEventListener("click", () => {
    remember();
    age.remove();
    open();
    find("#message").focus();
  });
  find("[data-young]", age).addEventListener("click", () => {
    const title = el("p", { tabindex: "-1" },
      _("Thank you for saying so. I’m not made for you, but these people are, and they would like to hear from you:"));
    age.replaceChildren(title, people.forTheYoung());
    title.focus({ preventScroll: true });
  });
}

/** For this tab only. Storage may be switched off: then the question comes again. */
function remembered() {
  try {
    return sessionStorage.getItem(CONFIRMED) === "yes";
  } catch {
    return false;
  }
}

function remember() {
  try {
    sessionStorage.setItem(CONFIRMED, "yes");
  } catch {
    // see above
  }
}
