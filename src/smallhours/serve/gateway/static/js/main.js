// Puts the page together: the person writes, the reply streams in, help is always one press away.

import { streamReply } from "./api.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { announce, find } from "./dom.js";
import { armQuickExit } from "./exit.js";
import { armHelpDialog } from "./help_dialog.js";
import { Helplines } from "./helplines.js";
import { People } from "./people.js";
import { armStart } from "./start.js";
import { Log } from "./view.js";
import { _ } from "./words.js";

armQuickExit(); // first of all: it must work whatever happens below

const helplines = Helplines.fromPage();
const people = new People(helplines, armHelpDialog(helplines));
const log = new Log(people);
const conversation = new Conversation();
const composer = new Composer({ onSend: say, onStop: () => running.abort() });
/** How replies are had; js/memory/ puts another way here once the person agrees to be remembered. */
const way = { ask: streamReply };
let running = new AbortController();

const start = armStart({ composer, people, say });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && composer.busy && !document.querySelector("dialog[open]")) running.abort();
});
/** What nobody needs in the first second. */
const later = import("./later.js").then((module) => module.arm({ people, log, conversation, way }), () => null);

/** @param {string} text @returns {boolean} whether it was taken; offline, it stays in the box */
function say(text) {
  if (navigator.onLine === false) {
    announce(_("Not sent: you are offline. Your message stays in the box."));
    composer.giveBack(text);
    return false;
  }
  start.begun();
  conversation.said(text);
  log.you(text);
  answer();
  return true;
}

async function answer() {
  const { signal } = (running = new AbortController());
  const reply = log.reply();
  const again = () => {
    composer.takeFocus();
    conversation.takeBackAnswer(reply.text);
    reply.article.remove();
    answer();
  };
  composer.busy = true;
  try {
    for await (const { text, about } of way.ask(conversation.turns, { locale: helplines.locale, signal })) {
      if (signal.aborted) break;
      log.follow(reply, () => {
        if (about) reply.describe(about);
        if (text) reply.add(text);
      });
    }
    if (signal.aborted) log.follow(reply, () => reply.stopped(again));
    else if (reply.about?.source === "unavailable") failed(reply, again);
    else finished(reply);
  } catch (error) {
    if (signal.aborted) log.follow(reply, () => reply.stopped(again));
    else return failed(reply, again, error);
  } finally {
    composer.busy = false;
  }
  if (reply.about?.source !== "unavailable") conversation.answered(reply.text);
}

/** @param {import("./reply.js").Reply} reply */
async function finished(reply) {
  log.follow(reply, () => reply.finish());
  const more = await later;
  if (more && log.newest === reply.article) log.follow(reply, () => more.below(reply));
}

/** @param {import("./reply.js").Reply} reply @param {() => void} again @param {any} [error] */
function failed(reply, again, error) {
  if (error?.rejected) {
    log.takeBack();
    composer.giveBack(conversation.takeBack());
  }
  log.follow(reply, () => reply.fail({ advice: error?.advice ?? "", retry: error?.rejected ? null : again }));
  later.then((more) => more?.noAnswer());
}
