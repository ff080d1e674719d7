// Three hours in, and every three hours after: a reminder that this is an AI, and that a pause is allowed.

import { _ } from "./words.js";

const EVERY_MS = 3 * 60 * 60 * 1000;
const LOOK_MS = 60_000;
const SINCE = "smallhours-since";

/** @param {import("./view.js").Log} log */
export function armReminder(log) {
  let since = Number(kept("get")) || Date.now();
  kept("set", since);
  const look = () => {
    if (Date.now() - since < EVERY_MS) return;
    since = Date.now();
    kept("set", since);
    log.notice(_("You have been here for three hours. I’m still an AI, not a person. A break, some water or a person you trust may do you good now. I’ll be here."));
  };
  look();
  setInterval(look, LOOK_MS);
  document.addEventListener("visibilitychange", look); // a phone stops timers while it sleeps
}

/** The time since the page or the last reminder, for this tab, so that a reload does not start it anew.
 * @param {"get" | "set"} how @param {number} [time] */
function kept(how, time) {
  try {
    if (how === "set") sessionStorage.setItem(SINCE, String(time));
    return sessionStorage.getItem(SINCE);
  } catch {
    return null;
  }
}
