// What nobody needs in the first second: settings, ratings, reminders, the state of the line, memory.

import { actionsFor } from "./actions.js";
import { tellAge } from "./age.js";
import { armMemory } from "./memory/offer.js";
import { Presence } from "./presence.js";
import { armReminder } from "./reminder.js";
import { armSettings } from "./settings.js";

/**
 * @param {object} parts
 * @param {import("./people.js").People} parts.people
 * @param {import("./view.js").Log} parts.log
 * @param {import("./conversation.js").Conversation} parts.conversation
 * @param {{ask: typeof import("./api.js").streamReply}} parts.way
 */
export function arm({ people, log, conversation, way }) {
  tellAge();
  armSettings();
  armReminder(log);
  const presence = new Presence();
  armMemory({ log, conversation, way });
  return {
    /** @param {import("./reply.js").Reply} reply */
    below: (reply) => reply.article.append(actionsFor(reply, people)),
    noAnswer: () => presence.look(),
  };
}
