// A panel over the page: <dialog>, or without scripts a place that its link leads to.

import { find, press } from "./dom.js";

/**
 * @param {string} name the id of the dialog; links to it have `data-<name>`
 * @param {() => void} [beforeOpening]
 * @returns {() => void} opens it
 */
export function armSheet(name, beforeOpening = () => {}) {
  const dialog = find(`#${name}`);
  const open = () => {
    beforeOpening();
    if (!dialog.showModal) location.hash = name;
    else if (!dialog.open) dialog.showModal();
  };
  document.querySelectorAll(`[data-${name}]`).forEach((link) => press(link, open));
  press(find("[data-close]", dialog), () => {
    if (dialog.open) dialog.close();
    else history.replaceState(null, "", location.pathname);
  });
  dialog.addEventListener("click", (/** @type {MouseEvent} */ event) => {
    if (event.target === dialog) dialog.close(); // the backdrop
  });
  if (location.hash === `#${name}` && dialog.showModal) {
    history.replaceState(null, "", location.pathname);
    open();
  }
  return open;
}
