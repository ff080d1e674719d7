// The log: adds turns to it and keeps the newest in sight.

import { el, find } from "./dom.js";
import { Reply } from "./reply.js";
import { speak } from "./voice.js";
import { _ } from "./words.js";

const NEAR_PX = 120;

export class Log {
  /** @param {import("./people.js").People} people */
  constructor(people) {
    this.people = people;
    this.root = find("#log");
  }

  /** @param {string} text */
  you(text) {
    this.root.append(el("article", { class: "turn turn-you" },
      el("h3", { class: "sr-only" }, _("You")), el("p", { class: "bubble", dir: "auto" }, text)));
  }

  takeBack() {
    [...this.root.querySelectorAll(".turn-you")].pop()?.remove();
  }

  /** The reply that came last. @returns {Element | null} */
  get newest() {
    return [...this.root.querySelectorAll(".turn-reply")].pop() ?? null;
  }

  reply() {
    this.root.querySelectorAll("[data-retry], [data-actions]").forEach((/** @type {Element} */ old) => old.remove());
    const article = replyArticle();
    this.root.append(article);
    const reply = new Reply(article, this.people);
    scrollTo(article);
    return reply;
  }

  /** Shows another conversation, as it was kept. @param {import("./api.js").Turn[]} turns */
  become(turns) {
    this.root.replaceChildren();
    for (const { role, content } of turns) {
      if (role === "user") this.you(content);
      else this.root.append(replyArticle(el("div", { class: "words", dir: "auto" }, el("p", {}, content))));
    }
  }

  /** A word of the page's own, between the turns. @param {string} text */
  notice(text) {
    this.root.append(el("p", { class: "turn turn-notice", role: "note" }, text));
    speak(text);
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

/** @param {...Node} content */
function replyArticle(...content) {
  const name = el("h3", { class: "turn-name", translate: "no" }, "Smallhours");
  return el("article", { class: "turn turn-reply" }, name, ...content);
}

/** Down to the end, but never so far that the beginning of the reply is out of sight. @param {HTMLElement} article */
function scrollTo(article) {
  const page = document.documentElement;
  const margin = parseFloat(getComputedStyle(page).scrollPaddingTop) || 0;
  const start = article.getBoundingClientRect().top + window.scrollY - margin;
  const end = page.scrollHeight - page.clientHeight;
  window.scrollTo({ top: Math.min(start, end) });
}
