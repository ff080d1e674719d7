// Memory, where the operator has it: off until the person agrees, apart from everything else.

import { streamed, streamReply } from "../api.js";
import { announce, el, find } from "../dom.js";
import { _ } from "../words.js";
import { armHistory } from "./history.js";
import { begin, offered, report } from "./store.js";

/**
 * @param {object} parts
 * @param {import("../view.js").Log} parts.log
 * @param {import("../conversation.js").Conversation} parts.conversation
 * @param {{ask: typeof streamReply}} parts.way
 */
export async function armMemory({ log, conversation, way }) {
  if (!document.querySelector("[data-memory]")) return; // this server has no memory
  const offer = await offered();
  if (!offer) return;
  /** @type {import("./store.js").Key | null} */
  let key = null;
  let attempt = { at: "", key: "" };

  /** @type {typeof streamReply} */
  async function* remembered(turns, { locale, signal }) {
    const content = turns.at(-1)?.content ?? "";
    try {
      key ??= await begin(locale);
    } catch {
      log.notice(_("The memory does not answer. We can talk, but this is not kept."));
      yield* streamReply(turns, { locale, signal });
      return;
    }
    const mine = key;
    const body = { content, stream: true, locale, recent: turns.slice(0, -1) };
    // Trying again after a broken line is the same attempt: what was stored comes back, and nothing is stored twice.
    const at = `${turns.length} ${content}`;
    if (attempt.at !== at) attempt = { at, key: uniqueName() };
    const headers = { "Smallhours-Token": key.token, "Idempotency-Key": attempt.key };
    for await (const piece of streamed(`v1/conversations/${key.id}/messages`, body, signal, headers)) {
      if (piece.about?.memory?.stored === false) log.notice(_("This reply was not kept: the memory does not answer."));
      if (piece.about?.memory?.stored) piece.about.letRead = (fault) => report(mine, fault);
      yield piece;
    }
  }

  const boxes = [find("[data-memory]"), find("[data-memory-settings]")].map((place, index) => {
    const box = el("input", { type: "checkbox", autocomplete: "off" });
    const id = `memory-terms-${index}`;
    box.setAttribute("aria-describedby", id);
    const terms = el("p", { class: "consent-terms", id, dir: "auto" }, offer.terms);
    place.replaceChildren(el("label", { class: "consent-label" }, box, _("Keep my conversation on the server")), terms);
    place.hidden = false;
    return box;
  });
  const agreed = (/** @type {boolean} */ yes) => {
    boxes.forEach((box) => (box.checked = yes));
    way.ask = yes ? remembered : streamReply;
    announce(yes ? _("From your next message on, this conversation is kept.") : _("From now on, nothing is kept."));
  };
  boxes.forEach((box) => box.addEventListener("change", () => agreed(box.checked)));

  armHistory(find("[data-memory-settings]"), {
    goOn(chosen, messages) {
      key = chosen;
      conversation.become(messages);
      log.become(messages);
      agreed(true);
    },
    gone(id) {
      if (key?.id === id) key = null;
    },
  });
}

/** `crypto.randomUUID` is missing where the page does not come by TLS. */
function uniqueName() {
  return Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16)).join("-");
}
