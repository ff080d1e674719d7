// The page's texts in the person's language. English stands in the scripts; the page brings the translations.

import { el, find } from "./dom.js";

/** @type {Record<string, string>} */
const translated = JSON.parse(find("#words").textContent);

/**
 * The text in the page's language, with `{name}` replaced.
 * @param {string} text
 * @param {Record<string, string>} [values]
 */
export function _(text, values = {}) {
  return (translated[text] ?? text).replace(/\{(\w+)\}/g, (gap, name) => values[name] ?? gap);
}

/**
 * The same as nodes. What looks like a number keeps its direction in a text that runs from right to left.
 * @param {string} text
 * @param {Record<string, string>} values
 */
export function filled(text, values) {
  const pieces = (translated[text] ?? text).split(/\{(\w+)\}/);
  return el("span", {}, ...pieces.map((piece, index) => {
    if (index % 2 === 0) return piece;
    const value = values[piece] ?? "";
    return /^[+(\d]/.test(value) ? el("bdi", { dir: "ltr" }, value) : value;
  }));
}
