// One reply in the log: its sentences, the people who can help, or an honest failure.

import { announce, el } from "./dom.js";
import { helplineList } from "./helplines.js";

/** @typedef {import("./api.js").About} About */

const SHOWN = 2; // more than this is a wall; the help panel has them all
const PATIENCE_MS = 8000;
const WITH_PEOPLE = new Set(["answer_with_resources", "crisis_reply"]);
const TITLES = new Map([["high", "You can reach a person right now"], ["imminent", "These people can help too"]]);
const WRITTEN_BY = {
  generated: "Written by the AI, then screened",
  vetted: "A prepared answer, not written by the AI just now",
  crisis: "Fixed words, not written by the AI just now",
  boundary: "Fixed words, not written by the AI just now",
  unavailable: "",
};

export class Reply {
  text = "";
  /** @type {About | null} */
  about = null;
  /** @type {HTMLElement | null} */
  #paragraph = null;
  #body = el("div", { class: "words" });
  #typing = el("p", { class: "typing", "aria-hidden": "true" },
    el("span", { class: "dot" }), el("span", { class: "dot" }), el("span", { class: "dot" }));

  /** @param {HTMLElement} article @param {import("./helplines.js").Helplines} helplines @param {() => void} openHelp */
  constructor(article, helplines, openHelp) {
    this.article = article;
    this.helplines = helplines;
    this.asked = helplines.country;
    this.openHelp = openHelp;
    article.append(this.#body, this.#typing);
    announce("Smallhours is writing.");
    this.patience = setTimeout(() => {
      this.#typing.append(el("span", { class: "typing-note" }, "Still here. This can take a little while."));
      announce("Still writing. This can take a little while.");
    }, PATIENCE_MS);
  }

  /**
   * Comes before the words, so that help is there even if the words never come. The fixed words speak
   * of the lines below them; only the emergency number stands above.
   * @param {About} about
   */
  describe(about) {
    this.about = about;
    if (!WITH_PEOPLE.has(about.action)) return;
    this.#body.after(this.#people(about));
    if (about.level === "imminent") this.#body.before(this.#emergency());
  }

  /** One sentence with its trailing space; a blank line ends the paragraph. @param {string} sentence */
  add(sentence) {
    this.text += sentence;
    const pieces = sentence.split(/\n{2,}/);
    pieces.forEach((piece, index) => {
      if (index > 0) this.#paragraph = null;
      if (!piece.trim()) return;
      if (!this.#paragraph) this.#body.append((this.#paragraph = el("p")));
      this.#paragraph.append(el("span", { class: "sentence" }, piece));
    });
  }

  finish() {
    this.#settle();
    if (this.about && WRITTEN_BY[this.about.source]) {
      this.#body.after(el("p", { class: "written-by" }, WRITTEN_BY[this.about.source]));
    }
  }

  stopped() {
    this.#settle();
    this.#body.after(el("p", { class: "written-by" }, "Stopped."));
  }

  /** @param {{advice: string, retry: (() => void) | null}} how */
  fail({ advice, retry }) {
    this.#settle();
    const notice = el("div", { class: "failure", role: "group", "aria-label": "No answer" });
    const line = (/** @type {string} */ text) => notice.append(el("p", { class: "failure-line" }, text));
    const explained = this.about?.source === "unavailable" && this.text !== "";
    if (advice) notice.append(el("p", { class: "failure-advice" }, advice));
    if (!explained) line(this.text ? "My answer broke off here." : "I can’t answer right now.");
    if (retry) notice.append(tryAgain(retry));
    if (this.article.querySelector(".people")) {
      line("The people above can answer.");
    } else {
      const { country } = this.helplines;
      line("These people can:");
      notice.append(helplineList(country, country.resources.slice(0, SHOWN), "last"));
    }
    this.article.append(notice);
  }

  #settle() {
    clearTimeout(this.patience);
    this.#typing.remove();
    announce("");
  }

  /** @param {About} about */
  #people(about) {
    const title = TITLES.get(about.level) ?? "If you would like a person";
    const panel = el("div", { class: "people", role: "group", "aria-label": "People you can reach now" },
      el("h4", { class: "people-title" }, title));
    this.#keepCurrent(panel, (country) => {
      const resources = country === this.asked && about.resources.length ? about.resources : country.resources;
      return helplineList(country, resources.slice(0, SHOWN), about.level === "imminent" ? "elsewhere" : "last");
    });
    panel.append(el("div", { class: "panel-actions" }, this.#company(), this.#elsewhere()));
    return panel;
  }

  #emergency() {
    const panel = el("div", { class: "people people-urgent", role: "group", "aria-label": "Emergency number" },
      el("h4", { class: "people-title" }, "Please call now"));
    this.#keepCurrent(panel, (country) => helplineList(country, [], "first"));
    return panel;
  }

  /**
   * Fills the end of a panel for the chosen country, now and whenever the choice changes.
   * @param {HTMLElement} panel
   * @param {(country: import("./helplines.js").Country) => HTMLElement} build
   */
  #keepCurrent(panel, build) {
    let list = build(this.helplines.country);
    panel.append(list);
    this.helplines.addEventListener("change", () => {
      const next = build(this.helplines.country);
      list.replaceWith(next);
      list = next;
    });
  }

  #company() {
    const button = el("button", { type: "button", class: "button button-quiet" }, "I’m with someone now");
    button.addEventListener("click", () => {
      const thanks = el("p", { class: "company", tabindex: "-1" },
        "I’m glad someone is with you. You can show them this page, and I’m still here if you want to write.");
      button.replaceWith(thanks);
      thanks.focus({ preventScroll: true });
    });
    return button;
  }

  #elsewhere() {
    const button = el("button", { type: "button", class: "button button-quiet" }, "More, or another country");
    button.addEventListener("click", this.openHelp);
    return button;
  }
}

/** @param {() => void} action */
function tryAgain(action) {
  const button = el("button", { type: "button", class: "button button-quiet" }, "Try again");
  button.addEventListener("click", action);
  return el("p", { "data-retry": "" }, button);
}
