// A page from the cache is older than the server thought, so the age of its numbers is counted here, too.

import { filled } from "./words.js";

const DAY_MS = 86_400_000;

export function tellAge() {
  document.querySelectorAll("[data-oldest]").forEach((line) => {
    const { oldest = "", days = "" } = /** @type {HTMLElement} */ (line).dataset;
    if ((Date.now() - Date.parse(oldest)) / DAY_MS <= Number(days)) return;
    line.replaceChildren(filled(
      "Some helpline numbers were last checked on {date}, more than {days} days ago, and may have changed.",
      { date: oldest, days },
    ));
    line.classList.add("fine-stale");
  });
}
