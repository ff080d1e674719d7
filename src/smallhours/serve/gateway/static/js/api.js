// The one request that this page makes: the turns go out, sentences stream back.

import { _ } from "./words.js";

/** @typedef {{role: "user" | "assistant", content: string}} Turn */
/**
 * What the safety path decided about a reply.
 * @typedef {object} About
 * @property {"none" | "low" | "elevated" | "high" | "imminent"} level
 * @property {"answer" | "answer_with_resources" | "crisis_reply"} action
 * @property {import("./helplines.js").Resource[]} resources
 * @property {string} disclaimer
 * @property {"generated" | "vetted" | "crisis" | "boundary" | "unavailable"} source
 * @property {{stored: boolean}} [memory] whether it was kept, where the person agreed to that
 * @property {(fault: string) => Promise<void>} [letRead] of a kept reply: lets the people who run the service read it
 */

/** The server sends comments while it works, so a silence this long means it is gone. */
const SILENCE_MS = 90_000;

/** The message itself is at fault, so sending it again would not help. */
const REJECTED = new Set([400, 413, 422]);
/** What the person can do about a status. */
const ADVICE = new Map([
  [400, _("That message did not get through. It is back in the box, so you can change it.")],
  [413, _("That message is longer than I can read. It is back in the box, so you can shorten it.")],
  [422, _("That message did not get through. It is back in the box, so you can change it.")],
  [429, _("Many messages came at once. Wait a moment, then try again.")],
]);

/** No answer could be had. */
export class ChatError extends Error {
  /** @param {string} message @param {number} [status] of the response, if one came */
  constructor(message, status = 0) {
    super(message);
    this.rejected = REJECTED.has(status);
    this.advice = ADVICE.get(status) ?? "";
  }
}

/**
 * @param {Turn[]} messages
 * @param {{locale: string, signal: AbortSignal}} options
 * @returns {AsyncGenerator<{text: string, about?: About}>}
 */
export async function* streamReply(messages, { locale, signal }) {
  yield* streamed("v1/chat/completions", { messages, stream: true, locale }, signal);
}

/**
 * Posts a message and reads the reply as it comes.
 * @param {string} path
 * @param {object} body
 * @param {AbortSignal} signal
 * @param {Record<string, string>} [headers]
 * @returns {AsyncGenerator<{text: string, about?: About}>}
 */
export async function* streamed(path, body, signal, headers = {}) {
  const response = await inTime(fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream", ...headers },
    body: JSON.stringify(body),
    signal,
  }));
  if (!response.ok || !response.body) throw await refusal(response);
  for await (const data of events(response.body)) {
    if (data === "[DONE]") return;
    const chunk = JSON.parse(data);
    if (chunk.error) throw new ChatError(chunk.error.message);
    yield { text: chunk.choices?.[0]?.delta?.content ?? "", about: chunk.smallhours };
  }
  throw new ChatError("the answer broke off");
}

/** @param {Response} response */
async function refusal(response) {
  const body = await response.json().catch(() => null);
  return new ChatError(body?.error?.message ?? "", response.status);
}

/**
 * The `data` of each server-sent event; comments are skipped.
 * @param {ReadableStream<Uint8Array>} body
 */
async function* events(body) {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let buffer = "";
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read());
      if (done) return;
      buffer += decoder.decode(value, { stream: true });
      const blocks = buffer.split(/\r?\n\r?\n/);
      buffer = blocks.pop() ?? "";
      for (const block of blocks) {
        const lines = block.split(/\r?\n/).filter((line) => line.startsWith("data:"));
        if (lines.length) yield lines.map((line) => line.slice(5).trimStart()).join("\n");
      }
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}

/**
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T>}
 */
function inTime(promise) {
  let timer = 0;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new ChatError("no word from the server")), SILENCE_MS);
  });
  return /** @type {Promise<T>} */ (Promise.race([promise, silence])).finally(() => clearTimeout(timer));
}
