// The helplines: which country is chosen, and how a helpline looks.
// templates/helplines.html has the same elements for a page without scripts; keep the two alike.

import { el, find, icon } from "./dom.js";

/**
 * @typedef {object} Resource
 * @property {string} name
 * @property {string} [for] whom it is for
 * @property {string} [tel]
 * @property {string} [sms]
 * @property {string} [sms_text] what to write in the text message
 * @property {string} [url]
 * @property {string} [hours]
 */
/** @typedef {{code: string, name: string, emergency?: string, resources: Resource[]}} Country */

const NOWHERE = { code: "ZZ", name: "International", resources: [] };

/** The countries that the page came with, and the one chosen. Fires "change". */
export class Helplines extends EventTarget {
  /** @param {Country[]} countries @param {string} locale @param {string} code */
  constructor(countries, locale, code) {
    super();
    this.countries = countries;
    this.language = locale.split(/[-_]/)[0] || "en";
    this.choose(code);
  }

  static fromPage() {
    const countries = JSON.parse(find("#helplines").textContent);
    return new Helplines(countries, document.documentElement.dataset.locale ?? "en", find("#country").value);
  }

  /** @param {string} code */
  choose(code) {
    /** @type {Country} */
    this.country = this.countries.find((country) => country.code === code) ?? this.countries[0] ?? NOWHERE;
    this.dispatchEvent(new Event("change"));
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
  const cards = resources.filter((one) => !sameNumber(one.tel, country.emergency)).map(helpline);
  if (country.emergency && emergency === "first") cards.unshift(emergencyLine(country.emergency));
  if (country.emergency && emergency === "last") cards.push(emergencyLine(country.emergency));
  return el("ul", { class: "helplines" }, ...cards);
}

/** @param {string} number or, where none is known, the words for it */
function emergencyLine(number) {
  return el("li", { class: "helpline helpline-emergency" },
    el("p", { class: "helpline-name" }, "Emergency services"),
    el("p", { class: "helpline-about" }, "When you or someone near you is in danger"),
    el("p", { class: "ways" }, dialled(number) ? call(number, "") : `Call ${number}.`));
}

/** @param {Resource} resource */
function helpline(resource) {
  const about = [resource.for, resource.hours].filter(Boolean).join(" · ");
  return el("li", { class: "helpline" },
    el("p", { class: "helpline-name" }, resource.name),
    el("p", { class: "helpline-about" }, about),
    el("p", { class: "ways" }, ...ways(resource)));
}

/** @param {Resource} resource */
function ways({ name, tel, sms, sms_text, url }) {
  const links = [];
  if (tel) links.push(call(tel, `, ${name}`));
  if (sms) {
    const body = sms_text ? `?&body=${encodeURIComponent(sms_text)}` : "";
    const label = sms_text ? `Text ${sms_text} to ${sms}` : `Text ${sms}`;
    links.push(el("a", { class: "way", href: `sms:${dialled(sms)}${body}` }, icon("text"), label, hidden(`, ${name}`)));
  }
  if (url && /^https?:\/\//i.test(url)) {
    links.push(el("a", { class: "way way-web", href: url, target: "_blank", rel: "noreferrer" },
      icon("web"), "Website", hidden(` of ${name}, in a new tab`)));
  }
  return links;
}

/** @param {string} number @param {string} suffix */
function call(number, suffix) {
  return el("a", { class: "way way-call", href: `tel:${dialled(number)}` }, icon("call"), `Call ${number}`, hidden(suffix));
}

/** @param {string} text for screen readers only */
const hidden = (text) => el("span", { class: "sr-only" }, text);

/** @param {string} number */
const dialled = (number) => number.replace(/[^\d+*#]/g, "");

/** @param {string} [a] @param {string} [b] */
const sameNumber = (a, b) => Boolean(a && b && dialled(a) === dialled(b));
