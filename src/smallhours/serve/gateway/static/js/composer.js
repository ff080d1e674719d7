// Where the person writes: the text box, Send, Stop, and the unsent draft.

import { find } from "./dom.js";

const DRAFT = "smallhours-draft";
/** A shaking hand taps twice: the second tap of Send must not be a Stop. */
const DOUBLE_TAP_MS = 600;

export class Composer {
  #busySince = 0;

  /** @param {{onSend: (text: string) => boolean, onStop: () => void}} handlers `onSend`: whether it was taken */
  constructor({ onSend, onStop }) {
    this.onSend = onSend;
    this.onStop = onStop;
    this.form = find("#composer");
    this.box = find("#message");
    this.send = find("[data-send]");
    this.stop = find("[data-stop]");

    this.form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this.#submit();
    });
    this.box.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
      const composing = event.isComposing || event.keyCode === 229; // 229: Safari ends a composition with it
      if (event.key !== "Enter" || event.shiftKey || composing) return;
      event.preventDefault();
      this.#submit();
    });
    this.box.addEventListener("input", () => this.#changed());
    this.stop.addEventListener("click", () => {
      if (Date.now() - this.#busySince > DOUBLE_TAP_MS) this.onStop();
    });

    this.box.value = draft.read();
    this.#changed();
  }

  /** From now on the person can write. */
  ready() {
    this.form.inert = false;
    performance.mark("can-write");
  }

  get busy() {
    return !this.stop.hidden;
  }

  /** While a reply comes, Stop stands where Send was and takes over its focus. */
  set busy(busy) {
    const [show, hide] = busy ? [this.stop, this.send] : [this.send, this.stop];
    const focused = document.activeElement === hide;
    if (busy) this.#busySince = Date.now();
    show.hidden = false;
    if (focused) show.focus({ preventScroll: true });
    hide.hidden = true;
  }

  /** For a button that is about to go away: not the text box, or a phone would raise its keyboard. */
  takeFocus() {
    this.send.focus({ preventScroll: true });
  }

  /** Puts a message back to be changed, unless another has been begun. @param {string} text */
  giveBack(text) {
    this.box.value ||= text;
    this.#changed();
  }

  #submit() {
    const text = this.box.value.trim();
    if (this.busy) return;
    if (!text) return this.box.focus();
    if (!this.onSend(text)) return;
    this.box.value = "";
    this.#changed();
  }

  #changed() {
    draft.write(this.box.value);
    if (CSS.supports("field-sizing", "content")) return;
    this.box.style.height = "auto";
    this.box.style.height = `${this.box.scrollHeight}px`;
  }
}

/** Storage may be switched off; a draft is not worth an error. */
const draft = {
  read() {
    try {
      return sessionStorage.getItem(DRAFT) ?? "";
    } catch {
      return "";
    }
  },
  /** @param {string} text */
  write(text) {
    try {
      if (text) sessionStorage.setItem(DRAFT, text);
      else sessionStorage.removeItem(DRAFT);
    } catch {
      // see above
    }
  },
};
