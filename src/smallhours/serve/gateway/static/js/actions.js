// Below the newest reply: copy it, say how it was, report it. Only a word from a closed list is sent; where the
// conversation is kept, the person can let the people who run the service read it, too.

import { announce, el, icon } from "./dom.js";
import { _ } from "./words.js";

/** @typedef {import("./reply.js").Reply} Reply */

/** @param {Reply} reply @param {import("./people.js").People} people */
export function actionsFor(reply, people) {
  const after = el("div", { class: "after" });
  const send = (/** @type {string} */ verdict) => tell(reply, verdict);
  const ratings = el("div", { class: "ratings", role: "group", "aria-label": _("How was this reply?") },
    ...[["helpful", _("Helpful")], ["not_helpful", _("Not helpful")], ["worse", _("Made me feel worse")]]
      .map(([verdict, label]) => small(label, (button) => {
        send(verdict);
        ratings.querySelectorAll("button").forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
        if (verdict === "worse") sorry(after, people);
        else thank(after);
      }, { "aria-pressed": "false" })));
  const bar = el("div", { class: "actions-row", "data-actions": "" },
    ratings,
    small(_("Copy"), () => copy(reply.text), {}, "copy"),
    small(_("Report"), () => askWhat(after, send, reply.about?.letRead)),
  );
  return el("div", { class: "reply-actions", "data-actions": "" }, bar, after);
}

/** @param {HTMLElement} after @param {string} [words] */
function thank(after, words = _("Thank you. Only this choice was sent, none of your words.")) {
  after.replaceChildren(el("p", { class: "thanks" }, words));
  announce(words);
}

/** @param {HTMLElement} after @param {import("./people.js").People} people */
function sorry(after, people) {
  const words = el("p", { class: "thanks", tabindex: "-1" },
    _("I’m sorry, and thank you for telling me. A person may be better to talk to than I am:"));
  after.replaceChildren(el("div", { class: "people" }, words, people.inPlace()));
  words.focus({ preventScroll: true });
}

/**
 * @param {HTMLElement} after
 * @param {(fault: string) => void} send
 * @param {(fault: string) => Promise<void>} [letRead] where the conversation is kept
 */
function askWhat(after, send, letRead) {
  const box = el("input", { type: "checkbox", autocomplete: "off" });
  const permission = letRead
    ? [el("label", { class: "consent-label" }, box, _("Let the people who run this service read this conversation"))]
    : [];
  const faults = [["wrong", _("It is wrong")], ["hurtful", _("It is hurtful")],
    ["dangerous", _("It could be dangerous")], ["other", _("Something else")]];
  const group = el("div", { class: "ratings", role: "group", "aria-label": _("What is the matter with it?") },
    ...faults.map(([fault, label]) => small(label, () => {
      send(fault);
      if (letRead && box.checked) permit(after, letRead(fault));
      else thank(after);
    })));
  after.replaceChildren(el("p", { class: "thanks" }, _("What is the matter with it?")), ...permission, group);
  /** @type {HTMLElement} */ (group.firstElementChild).focus({ preventScroll: true });
}

/** @param {HTMLElement} after @param {Promise<void>} permitted */
async function permit(after, permitted) {
  try {
    await permitted;
    thank(after, _("Thank you. They can read this conversation now, and each time they do is written down."));
  } catch {
    thank(after, _("Your choice was sent, but they cannot read your words: the memory does not answer."));
  }
}

/** @param {Reply} reply @param {string} verdict */
function tell(reply, verdict) {
  const body = JSON.stringify({ source: reply.about?.source ?? "generated", verdict });
  fetch("v1/feedback", { method: "POST", headers: { "Content-Type": "application/json" }, body }).catch(() => {});
}

/** @param {string} text */
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text.trim());
    announce(_("Copied."));
  } catch {
    announce(_("This browser does not let me copy. You can select the text instead."));
  }
}

/**
 * @param {string} label
 * @param {(button: HTMLButtonElement) => void} action
 * @param {Record<string, string>} [attributes]
 * @param {string} [picture]
 */
function small(label, action, attributes = {}, picture) {
  const button = el("button", { type: "button", class: "small", ...attributes }, ...(picture ? [icon(picture)] : []), label);
  button.addEventListener("click", () => action(button));
  return button;
}
