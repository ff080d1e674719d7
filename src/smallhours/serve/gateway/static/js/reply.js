// One reply in the log: its sentences, the people who can help, or an honest failure.

import { announce, el } from "./dom.js";
import { speak } from "./voice.js";
import { _ } from "./words.js";

/** @typedef {import("./api.js").About} About */
/** @typedef {import("./people.js").People} People */

const PATIENCE_MS = 8000;
const WITH_PEOPLE = new Set(["answer_with_resources", "crisis_reply"]);

export class Reply {
  text = "";
  /** @type {About | null} */
  about = null;
  /** @type {HTMLElement | null} */
  #paragraph = null;
  #body = el("div", { class: "words", dir: "auto" });
  #typing = el("p", { class: "typing", "aria-hidden": "true" },
    el("span", { class: "dot" }), el("span", { class: "dot" }), el("span", { class: "dot" }));

  /** @param {HTMLElement} article @param {People} people */
  constructor(article, people) {
    this.article = article;
    this.people = people;
    article.append(this.#body, this.#typing);
    announce(_("Smallhours is writing."));
    this.patience = setTimeout(() => {
      const still = _("Still here. This can take a little while.");
      this.#typing.append(el("span", { class: "typing-note" }, still));
      announce(still);
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
    this.#body.after(this.people.beside(about));
    if (about.level === "imminent") this.#body.before(this.people.emergency());
    speak(_("People you can reach now are listed with this reply."));
  }

  /** One sentence with its trailing space; a blank line ends the paragraph. @param {string} sentence */
  add(sentence) {
    this.text += sentence;
    speak(sentence);
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
    const origin = this.about && writtenBy(this.about.source);
    if (origin) this.#body.after(el("p", { class: "written-by" }, origin));
  }

  /** @param {() => void} retry */
  stopped(retry) {
    this.#settle();
    this.#body.after(el("p", { class: "written-by" }, _("Stopped.")), tryAgain(retry));
  }

  /** @param {{advice: string, retry: (() => void) | null}} how */
  fail({ advice, retry }) {
    this.#settle();
    const notice = el("div", { class: "failure", role: "group", "aria-label": _("No answer") });
    const line = (/** @type {string} */ text) => {
      notice.append(el("p", { class: "failure-line" }, text));
      speak(text);
    };
    const explained = this.about?.source === "unavailable" && this.text !== "";
    if (advice) notice.append(el("p", { class: "failure-advice" }, advice));
    if (!explained) line(this.text ? _("My answer broke off here.") : _("I can’t answer right now."));
    if (retry) notice.append(tryAgain(retry));
    if (this.article.querySelector(".people")) {
      line(_("The people above can answer."));
    } else {
      line(_("These people can:"));
      notice.append(this.people.inPlace());
    }
    this.article.append(notice);
  }

  #settle() {
    clearTimeout(this.patience);
    this.#typing.remove();
    announce("");
  }
}

/** Whose words a reply is. @param {About["source"]} source */
function writtenBy(source) {
  switch (source) {
    case "generated": return _("Written by the AI, then screened");
    case "vetted": return _("A prepared answer, not written by the AI just now");
    case "crisis":
    case "boundary": return _("Fixed words, not written by the AI just now");
    default: return "";
  }
}

/** @param {() => void} action */
function tryAgain(action) {
  const button = el("button", { type: "button", class: "button button-quiet" }, _("Try again"));
  button.addEventListener("click", action);
  return el("p", { class: "retry", "data-retry": "" }, button);
}
