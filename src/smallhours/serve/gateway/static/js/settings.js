// The settings panel: night or day, size of text, movement. Kept on this device; look.js reads them.

import { find } from "./dom.js";
import { armSheet } from "./sheet.js";

const KEPT = "smallhours-look";
const GROUNDS = { day: "#f5f1ea", night: "#131522" };

export function armSettings() {
  const look = document.documentElement.dataset;
  armSheet("settings");
  document.querySelectorAll("[data-look]").forEach((group) => {
    const name = /** @type {HTMLElement} */ (group).dataset.look ?? "";
    const chosen = group.querySelector(`input[value="${look[name] ?? ""}"]`);
    if (chosen) /** @type {HTMLInputElement} */ (chosen).checked = true;
    group.addEventListener("change", (event) => {
      const { value } = /** @type {HTMLInputElement} */ (event.target);
      if (value) look[name] = value;
      else delete look[name];
      paintBars();
      keep({ theme: look.theme, text: look.text, motion: look.motion });
    });
  });
  paintBars();
}

/** The browser's own bars follow the page. */
function paintBars() {
  const ground = GROUNDS[/** @type {"day" | "night"} */ (document.documentElement.dataset.theme)];
  document.querySelectorAll("meta[name=theme-color]").forEach((meta) => {
    const night = meta.getAttribute("media")?.includes("dark");
    meta.setAttribute("content", ground ?? (night ? GROUNDS.night : GROUNDS.day));
  });
}

/** @param {Record<string, string | undefined>} look */
function keep(look) {
  try {
    localStorage.setItem(KEPT, JSON.stringify(look));
  } catch {
    // Storage is switched off: the choice holds for this page.
  }
}
