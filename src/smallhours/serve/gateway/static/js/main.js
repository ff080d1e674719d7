// Puts the page together: the person writes, the reply streams in, help is always one press away.

import { streamReply } from "./api.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { find } from "./dom.js";
import { armQuickExit } from "./exit.js";
import { armHelpDialog } from "./help_dialog.js";
import { Helplines } from "./helplines.js";
import { Log } from "./view.js";

armQuickExit(); // first of all: it must work whatever happens below

const helplines = Helplines.fromPage();
const log = new Log(helplines, armHelpDialog(helplines));
const conversation = new Conversation();
const composer = new Composer({ onSend: say, onStop: () => running.abort() });
const chips = find("[data-chips]");
let running = new AbortController();

chips.hidden = false;
chips.addEventListener("click", (/** @type {Event} */ event) => {
  const chip = /** @type {Element} */ (event.target).closest(".chip");
  if (!chip || composer.busy) return;
  composer.takeFocus();
  say(chip.textContent ?? "");
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && composer.busy && !find("#help").open) running.abort();
});
find("[data-until-ready]").remove();

/** @param {string} text */
function say(text) {
  chips.remove();
  conversation.said(text);
  log.you(text);
  answer();
}

async function answer() {
  const { signal } = (running = new AbortController());
  const reply = log.reply();
  composer.busy = true;
  try {
    for await (const { text, about } of streamReply(conversation.turns, { locale: helplines.locale, signal })) {
      if (signal.aborted) break;
      log.follow(reply, () => {
        if (about) reply.describe(about);
        if (text) reply.add(text);
      });
    }
    if (signal.aborted) log.follow(reply, () => reply.stopped());
    else if (reply.about?.source === "unavailable") failed(reply);
    else log.follow(reply, () => reply.finish());
  } catch (error) {
    if (signal.aborted) log.follow(reply, () => reply.stopped());
    else return failed(reply, error);
  } finally {
    composer.busy = false;
  }
  if (reply.about?.source !== "unavailable") conversation.answered(reply.text);
}

/** @param {import("./reply.js").Reply} reply @param {any} [error] */
function failed(reply, error) {
  const retry = () => {
    composer.takeFocus();
    reply.article.remove();
    answer();
  };
  if (error?.rejected) {
    log.takeBack();
    composer.giveBack(conversation.takeBack());
  }
  log.follow(reply, () => reply.fail({ advice: error?.advice ?? "", retry: error?.rejected ? null : retry }));
}
