// What has been said, kept in this page's memory and nowhere else.

/** @typedef {import("./api.js").Turn} Turn */

/** Kept well under what a server accepts by default (200 messages, 64 KiB). */
const MOST_TURNS = 150;
const MOST_CHARACTERS = 15_000;

export class Conversation {
  /** @type {Turn[]} */
  #turns = [];

  /**
   * What to send, oldest first. When a long night no longer fits, our own oldest words go first:
   * what the person said is what their safety is judged by.
   */
  get turns() {
    const turns = this.#turns.map((turn) => ({ ...turn }));
    const tooLong = () => turns.length > MOST_TURNS
      || turns.reduce((sum, turn) => sum + turn.content.length, 0) > MOST_CHARACTERS;
    while (turns.length > 1 && tooLong()) {
      const ours = turns.findIndex((turn) => turn.role === "assistant");
      turns.splice(Math.max(ours, 0), 1);
    }
    return turns;
  }

  /**
   * Stays even when no answer comes: what was said still counts for the person's safety.
   * @param {string} content
   */
  said(content) {
    this.#turns.push({ role: "user", content });
  }

  /** The last message never counted: the server would not have it. @returns {string} its text */
  takeBack() {
    return this.#turns.pop()?.content ?? "";
  }

  /** @param {string} content the reply as far as it was shown; nothing shown is no turn */
  answered(content) {
    if (content.trim()) this.#turns.push({ role: "assistant", content: content.trim() });
  }

  /** The answer is had once more, so the first try is no turn. @param {string} content */
  takeBackAnswer(content) {
    const last = this.#turns.at(-1);
    if (last?.role === "assistant" && last.content === content.trim()) this.#turns.pop();
  }

  /** Another conversation takes the place of this one. @param {Turn[]} turns */
  become(turns) {
    this.#turns = turns.map(({ role, content }) => ({ role, content }));
  }
}
