// What a screen reader is told while a reply comes: each sentence once, whole, in its order. The log itself
// is not live, or every button that appears in it would be read out, too.

import { el, find } from "./dom.js";

/** Long enough to be queued by any screen reader; then it goes, so that nobody meets the words twice. */
const KEPT_MS = 20_000;

/** @param {string} text */
export function speak(text) {
  if (!text.trim()) return;
  const line = el("p", {}, text.trim());
  find("#voice").append(line);
  setTimeout(() => line.remove(), KEPT_MS);
}
