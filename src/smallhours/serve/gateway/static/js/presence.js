// Says honestly when the page is offline or the model is down, and keeps the helplines for such a night.

import { find } from "./dom.js";
import { _ } from "./words.js";

const AGAIN_MS = 30_000;

export class Presence {
  #down = false;
  #timer = 0;

  constructor() {
    this.line = find("[data-presence]");
    addEventListener("online", () => this.look());
    addEventListener("offline", () => this.#show());
    navigator.serviceWorker?.register("sw.js").catch(() => {}); // no worker: the page works all the same
    this.look();
  }

  /** Asks the server whether its model answers, and again for as long as it does not. */
  async look() {
    clearTimeout(this.#timer);
    if (navigator.onLine !== false) {
      const response = await fetch("readyz").catch(() => null);
      this.#down = !response?.ok;
      if (this.#down) this.#timer = setTimeout(() => this.look(), AGAIN_MS);
    }
    this.#show();
  }

  #show() {
    const offline = navigator.onLine === false;
    this.line.textContent = offline
      ? _("You are offline, so I can’t answer. The helplines still open, and calls need no internet. What you write stays in the box.")
      : this.#down
        ? _("I can’t write new answers right now. People who help and prepared answers are still here.")
        : "";
  }
}
