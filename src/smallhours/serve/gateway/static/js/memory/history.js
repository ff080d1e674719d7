// What was kept: to read again, to search, to take along, to delete.

import { announce, el, find } from "../dom.js";
import { _ } from "../words.js";
import { exported, keys, read, remove } from "./store.js";

/** @typedef {import("./store.js").Key} Key */
/** @typedef {import("./store.js").Remembered} Remembered */
/** @typedef {{goOn: (key: Key, messages: import("./store.js").Kept[]) => void, gone: (id: string) => void}} Handlers */

/** @param {HTMLElement} place @param {Handlers} handlers */
export function armHistory(place, handlers) {
  const search = el("input", { type: "search", id: "history-search", autocomplete: "off", dir: "auto" });
  const list = el("ul", { class: "history" });
  const all = button(_("Delete all"), () => sure(all, async () => {
    for (const key of keys.read()) await removed(key, handlers);
    await show();
  }));
  const box = el("details", { class: "history-box" }, el("summary", {}, _("Your kept conversations")),
    el("p", { class: "field" }, el("label", { for: "history-search" }, _("Search in them")), search), list, all);
  place.append(box);

  const show = async () => {
    const found = await everything();
    const wanted = search.value.trim().toLocaleLowerCase();
    const hits = found.filter(({ kept }) => !wanted || textOf(kept).toLocaleLowerCase().includes(wanted));
    list.replaceChildren(...hits.map((one) => entry(one, handlers, show)));
    if (!hits.length) list.append(el("li", {}, found.length ? _("Nothing found.") : _("Nothing is kept.")));
    all.hidden = !found.length;
  };
  box.addEventListener("toggle", () => box.open && show().catch(unavailable));
  search.addEventListener("input", () => show().catch(unavailable));
}

/** Read once an opening; the server stays the place where the words are. */
async function everything() {
  const found = await Promise.all(keys.read().reverse().map(async (key) => ({ key, kept: await read(key) })));
  return /** @type {{key: Key, kept: Remembered}[]} */ (found.filter(({ kept }) => kept));
}

/** @param {Remembered} kept */
const textOf = (kept) => kept.messages.map((message) => message.content).join("\n");

/** @param {{key: Key, kept: Remembered}} one @param {Handlers} handlers @param {() => Promise<void>} show */
function entry({ key, kept }, handlers, show) {
  const day = new Date(kept.created).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
  const begins = kept.messages.find((message) => message.role === "user")?.content.slice(0, 80) ?? "";
  const del = button(_("Delete"), () => sure(del, async () => {
    await removed(key, handlers);
    await show();
  }));
  return el("li", {},
    el("p", { class: "history-day" }, day),
    el("p", { class: "history-words", dir: "auto" }, begins),
    el("p", { class: "ratings" },
      button(_("Go on with it"), () => {
        handlers.goOn(key, kept.messages);
        find("#settings").close();
      }),
      button(_("Download"), () => download(key).catch(unavailable)), del));
}

/** @param {Key} key @param {Handlers} handlers */
async function removed(key, handlers) {
  await remove(key);
  handlers.gone(key.id);
}

/** A second press, a moment later, deletes. @param {HTMLButtonElement} asked @param {() => Promise<void>} action */
function sure(asked, action) {
  if (asked.dataset.asked) {
    action().then(() => announce(_("Deleted.")), unavailable);
    return;
  }
  asked.dataset.asked = "yes";
  asked.textContent = _("Delete for good?");
}

/** @param {Key} key */
async function download(key) {
  const link = el("a", { href: URL.createObjectURL(await exported(key)), download: `smallhours-${key.created.slice(0, 10)}.json` });
  link.click();
  URL.revokeObjectURL(link.href);
}

const unavailable = () => announce(_("The memory does not answer right now. Try again in a while."));

/** @param {string} label @param {(button: HTMLButtonElement) => void} action */
function button(label, action) {
  const made = el("button", { type: "button", class: "small" }, label);
  made.addEventListener("click", () => action(made));
  return made;
}
