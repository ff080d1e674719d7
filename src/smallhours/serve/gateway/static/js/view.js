// The log: adds turns to it and keeps the newest in sight.

import { el, find } from "./dom.js";
import { Reply } from "./reply.js";

const NEAR_PX = 120;

export class Log {
  /** @param {import("./helplines.js").Helplines} helplines @param {() => void} openHelp */
  constructor(helplines, openHelp) {
    this.helplines = helplines;
    this.openHelp = openHelp;
    this.root = find("#log");
  }

  /** @param {string} text */
  you(text) {
    this.root.append(el("article", { class: "turn turn-you" },
      el("h3", { class: "sr-only" }, "You"), el("p", { class: "bubble" }, text)));
  }

  takeBack() {
    [...this.root.querySelectorAll(".turn-you")].pop()?.remove();
  }

  reply() {
    this.root.querySelectorAll("[data-retry]").forEach((/** @type {Element} */ old) => old.remove());
    const article = el("article", { class: "turn turn-reply" }, el("h3", { class: "turn-name" }, "Smallhours"));
    this.root.append(article);
    const reply = new Reply(article, this.helplines, this.openHelp);
    scrollTo(article);
    return reply;
  }

  /**
   * Makes a change to a reply, and follows it unless the person has scrolled away.
   * @param {Reply} reply
   * @param {() => void} change
   */
  follow(reply, change) {
    const page = document.documentElement;
    const following = page.scrollHeight - page.clientHeight - window.scrollY < NEAR_PX;
    change();
    if (following) scrollTo(reply.article);
  }
}

/** Down to the end, but never so far that the beginning of the reply is out of sight. @param {HTMLElement} article */
function scrollTo(article) {
  const page = document.documentElement;
  const margin = parseFloat(getComputedStyle(page).scrollPaddingTop) || 0;
  const start = article.getBoundingClientRect().top + window.scrollY - margin;
  const end = page.scrollHeight - page.clientHeight;
  window.scrollTo({ top: Math.min(start, end) });
}
