// The people who can help, beside a reply: to call, to text, to chat; and the conversation goes on below.

import { el, find } from "./dom.js";
import { helplineList } from "./helplines.js";
import { _ } from "./words.js";

/** @typedef {import("./api.js").About} About */
/** @typedef {import("./helplines.js").Helplines} Helplines */
/** @typedef {import("./helplines.js").Country} Country */

const SHOWN = 2; // more than this is a wall; the help panel has them all

export class People {
  /** @param {Helplines} helplines @param {() => void} openHelp */
  constructor(helplines, openHelp) {
    this.helplines = helplines;
    this.openHelp = openHelp;
  }

  /** The panel below a reply that the safety path answered with people. @param {About} about */
  beside(about) {
    const title = { high: _("You can reach a person right now"), imminent: _("These people can help too") }[about.level]
      ?? _("If you would like a person");
    const panel = group("people", _("People you can reach now"), title);
    const asked = this.helplines.country;
    this.#keepCurrent(panel, (country) => {
      const resources = country === asked && about.resources.length
        ? this.helplines.inPageWords(about.resources) : country.resources;
      return helplineList(country, resources.slice(0, SHOWN), about.level === "imminent" ? "elsewhere" : "last");
    });
    panel.append(el("div", { class: "panel-actions" }, company(), this.#elsewhere()));
    return panel;
  }

  /** The emergency number alone, above everything. */
  emergency() {
    const panel = group("people people-urgent", _("Emergency number"), _("Please call now"));
    this.#keepCurrent(panel, (country) => helplineList(country, [], "first"));
    return panel;
  }

  /** A few lines without a panel, where the chat itself cannot answer. */
  inPlace() {
    const { country } = this.helplines;
    const general = country.resources.filter((one) => (one.kind ?? "crisis") === "crisis");
    return helplineList(country, general.slice(0, SHOWN), "last");
  }

  /** The services for people who are not of age, or the first ones where there are none. */
  forTheYoung() {
    const { country } = this.helplines;
    const young = country.resources.filter((one) => one.kind === "child");
    return helplineList(country, young.length ? young : country.resources.slice(0, SHOWN), "last");
  }

  /**
   * Fills the end of a panel for the chosen country, now and whenever the choice changes.
   * @param {HTMLElement} panel
   * @param {(country: Country) => HTMLElement} build
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

  #elsewhere() {
    const button = quiet(_("More, or another country"));
    button.addEventListener("click", this.openHelp);
    return button;
  }
}

function company() {
  const button = quiet(_("I’m with someone now"));
  button.addEventListener("click", () => {
    const thanks = el("p", { class: "company", tabindex: "-1" },
      _("I’m glad someone is with you. You can show them this page, and I’m still here if you want to write."));
    const write = quiet(_("Go on writing"));
    write.addEventListener("click", () => find("#message").focus());
    button.replaceWith(thanks, write);
    thanks.focus({ preventScroll: true });
  });
  return button;
}

/** @param {string} classes @param {string} name @param {string} title */
function group(classes, name, title) {
  return el("div", { class: classes, role: "group", "aria-label": name }, el("h4", { class: "people-title" }, title));
}

/** @param {string} label */
function quiet(label) {
  return el("button", { type: "button", class: "button button-quiet" }, label);
}
