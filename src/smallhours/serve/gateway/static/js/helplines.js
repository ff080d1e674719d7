// The helplines: which country is chosen, and how a helpline looks.
// templates/helplines.html has the same elements for a page without scripts; keep the two alike.

import { el, find, icon } from "./dom.js";
import { _, filled } from "./words.js";

/**
 * @typedef {object} Resource
 * @property {string} name
 * @property {string} [for] whom it is for
 * @property {string} [tel]
 * @property {string} [sms]
 * @property {string} [sms_text] what to write in the text message
 * @property {string} [url]
 * @property {string | null} [chat] where its people answer in writing, on the web
 * @property {string} [hours]
 * @property {string} [kind] absent: a crisis line
 */
/** @typedef {{code: string, name: string, emergency?: string, resources: Resource[]}} Country */

const NOWHERE = { code: "ZZ", name: "", resources: [] };
const CHOSEN = "smallhours-country";

/** The countries that the page came with, and the one chosen. Fires "change". */
export class Helplines extends EventTarget {
  /** @param {Country[]} countries @param {string} locale @param {string} code */
  constructor(countries, locale, code) {
    super();
    this.countries = countries;
    this.language = locale.split(/[-_]/)[0] || "en";
    this.choose(kept.read() ?? code, false);
  }

  static fromPage() {
    const countries = JSON.parse(find("#helplines").textContent);
    return new Helplines(countries, document.documentElement.dataset.locale ?? "en", find("#country").value);
  }

  /** @param {string} code @param {boolean} [byThePerson] then it is kept for the next visit */
  choose(code, byThePerson = true) {
    /** @type {Country} */
    this.country = this.countries.find((country) => country.code === code) ?? this.countries[0] ?? NOWHERE;
    if (byThePerson) kept.write(this.country.code);
    this.dispatchEvent(new Event("change"));
  }

  /**
   * The API's services in the words of the page, which are in the person's language.
   * @param {Resource[]} resources
   */
  inPageWords(resources) {
    const known = this.countries.flatMap((country) => country.resources);
    return resources.map((one) => {
      const ours = known.find((other) => other.name === one.name && sameNumber(other.tel, one.tel));
      return ours ? { ...one, for: ours.for } : one;
    });
  }

  get locale() {
    return `${this.language}-${this.country.code}`;
  }
}

/**
 * @param {Country} country
 * @param {Resource[]} resources
 * @param {"first" | "last" | "elsewhere"} emergency where its emergency number goes
 */
export function helplineList(country, resources, emergency) {
  const cards = resources.filter((one) => !one.tel || !sameNumber(one.tel, country.emergency)).map(helpline);
  if (country.emergency && emergency === "first") cards.unshift(emergencyLine(country.emergency));
  if (country.emergency && emergency === "last") cards.push(emergencyLine(country.emergency));
  return el("ul", { class: "helplines" }, ...cards);
}

/** @param {string} number or, where none is known, the words for it */
function emergencyLine(number) {
  return el("li", { class: "helpline helpline-emergency" },
    el("p", { class: "helpline-name" }, _("Emergency services")),
    el("p", { class: "helpline-about" }, _("When you or someone near you is in danger")),
    el("p", { class: "ways" }, dialled(number) ? call(number, "") : filled("Call {number}.", { number })));
}

/** @param {Resource} resource */
function helpline(resource) {
  const about = [resource.for, resource.hours].filter(Boolean).map((part) => el("bdi", {}, part ?? ""));
  return el("li", { class: "helpline" },
    el("p", { class: "helpline-name" }, el("bdi", {}, resource.name)),
    el("p", { class: "helpline-about" }, ...about.flatMap((part, index) => (index ? [" · ", part] : [part]))),
    el("p", { class: "ways" }, ...ways(resource)));
}

/** @param {Resource} resource */
function ways({ name, tel, sms, sms_text, url, chat }) {
  const links = [];
  if (tel) links.push(call(tel, `, ${name}`));
  if (sms) {
    const body = sms_text ? `?&body=${encodeURIComponent(sms_text)}` : "";
    const label = sms_text
      ? filled("Text {words} to {number}", { words: sms_text, number: sms }) : filled("Text {number}", { number: sms });
    label.append(hidden(`, ${name}`));
    links.push(el("a", { class: "way", href: `sms:${dialled(sms)}${body}` }, icon("text"), label));
  }
  if (chat) links.push(...page(chat, "way", "text", _("Chat online"), name));
  if (url && url !== chat) links.push(...page(url, "way way-web", "web", chat ? _("Website") : _("Website or chat"), name));
  return links;
}

/** @param {string} url @param {string} style @param {string} sign @param {string} label @param {string} name */
function page(url, style, sign, label, name) {
  if (!/^https?:\/\//i.test(url)) return [];
  return [el("a", { class: style, href: url, target: "_blank", rel: "noreferrer" },
    icon(sign), el("span", {}, label, hidden(`, ${_("{name}, in a new tab", { name })}`)))];
}

/** @param {string} number @param {string} suffix */
function call(number, suffix) {
  const label = filled("Call {number}", { number });
  label.append(hidden(suffix));
  return el("a", { class: "way way-call", href: `tel:${dialled(number)}` }, icon("call"), label);
}

/** @param {string} text for screen readers only */
const hidden = (text) => el("span", { class: "sr-only" }, text);

/** @param {string} number */
const dialled = (number) => number.replace(/[^\d+*#]/g, "");

/** @param {string | null} [a] @param {string | null} [b] */
const sameNumber = (a, b) => dialled(a ?? "") === dialled(b ?? "");

/** The country chosen stays on this device. Storage may be switched off: then the page guesses again. */
const kept = {
  read() {
    try {
      return localStorage.getItem(CHOSEN);
    } catch {
      return null;
    }
  },
  /** @param {string} code */
  write(code) {
    try {
      localStorage.setItem(CHOSEN, code);
    } catch {
      // see above
    }
  },
};
