// Leaving at once, without a trace in this tab: the button, or Shift three times.

import { announce, press } from "./dom.js";
import { _ } from "./words.js";

const PRESSES = 3;
const WITHIN_MS = 5000;

export function armQuickExit() {
  const links = /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll("a[data-exit]"));
  links.forEach((link) => press(link, () => leave(link.href)));
  onShiftAlone(() => leave(links[0].href));
}

/**
 * The page goes blank first, since the next one may be slow to come.
 * @param {string} url
 */
function leave(url) {
  document.body.replaceChildren();
  document.documentElement.classList.add("gone");
  document.title = new URL(url).hostname;
  try {
    sessionStorage.clear();
  } catch {
    // Storage is switched off: then there is nothing in it.
  }
  history.replaceState(null, "", location.pathname);
  location.replace(url);
}

/**
 * Calls back when Shift is pressed and let go three times with no other key in between.
 * @param {() => void} action
 */
function onShiftAlone(action) {
  /** @type {number[]} */
  let presses = [];
  let alone = false;
  document.addEventListener("keydown", (event) => {
    if (event.key === "Shift" && event.repeat) return;
    alone = event.key === "Shift";
    if (!alone) presses = [];
  });
  document.addEventListener("keyup", (event) => {
    if (event.key !== "Shift" || !alone) return;
    const now = Date.now();
    presses = [...presses.filter((time) => now - time < WITHIN_MS), now];
    if (presses.length >= PRESSES) action();
    else if (presses.length === PRESSES - 1) announce(_("Press Shift once more to leave."));
  });
}
