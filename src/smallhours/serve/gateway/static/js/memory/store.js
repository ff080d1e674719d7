// The conversations that a person agreed to have remembered. The server keeps them, encrypted; this device
// keeps an id and a secret for each, and the day, but none of the words.

/** @typedef {{id: string, token: string, created: string}} Key */
/** @typedef {{role: "user" | "assistant", content: string, created: string}} Kept */
/** @typedef {{id: string, created: string, expires: string, messages: Kept[]}} Remembered */

const KEYS = "smallhours-conversations";

/** Whether the operator offers memory, and the terms. Never an error: no answer is a no. */
export async function offered() {
  const response = await fetch("v1/memory").catch(() => null);
  const offer = response?.ok ? await response.json().catch(() => null) : null;
  return /** @type {{available: boolean, retention_days: number, terms: string} | null} */ (offer?.available ? offer : null);
}

/** @param {string} locale @returns {Promise<Key>} */
export async function begin(locale) {
  const response = await call("", { method: "POST", body: JSON.stringify({ consent: true, locale }) });
  const { id, token, created } = await response.json();
  const key = { id, token, created };
  keys.write([...keys.read(), key]);
  return key;
}

/** @param {Key} key @returns {Promise<Remembered | null>} null: the server has it no longer */
export async function read(key) {
  try {
    return await (await call(`/${key.id}`, {}, key)).json();
  } catch (error) {
    if (/** @type {MemoryError} */ (error).status !== 404) throw error;
    forget(key);
    return null;
  }
}

/** @param {Key} key */
export async function remove(key) {
  await call(`/${key.id}`, { method: "DELETE" }, key).catch((error) => {
    if (error.status !== 404) throw error; // gone already is what was wanted
  });
  forget(key);
}

/** Lets the people who run the service read it, to look into a fault. @param {Key} key @param {string} fault */
export async function report(key, fault) {
  await call(`/${key.id}/report`, { method: "POST", body: JSON.stringify({ fault }) }, key);
}

/** Everything that is stored about it, as a file. @param {Key} key @returns {Promise<Blob>} */
export async function exported(key) {
  return (await call(`/${key.id}/export`, {}, key)).blob();
}

export class MemoryError extends Error {
  /** @param {number} status */
  constructor(status) {
    super(`memory answered ${status}`);
    this.status = status;
  }
}

/** @param {string} path @param {RequestInit} request @param {Key} [key] */
async function call(path, request, key) {
  const headers = { "Content-Type": "application/json", ...(key && { "Smallhours-Token": key.token }) };
  const response = await fetch(`v1/conversations${path}`, { ...request, headers });
  if (!response.ok) throw new MemoryError(response.status);
  return response;
}

/** @param {Key} key */
function forget(key) {
  keys.write(keys.read().filter((one) => one.id !== key.id));
}

/** Storage may be switched off: then a conversation can be kept, but not found again on this device. */
export const keys = {
  /** @returns {Key[]} oldest first */
  read() {
    try {
      return JSON.parse(localStorage.getItem(KEYS) ?? "[]");
    } catch {
      return [];
    }
  },
  /** @param {Key[]} all */
  write(all) {
    try {
      if (all.length) localStorage.setItem(KEYS, JSON.stringify(all));
      else localStorage.removeItem(KEYS);
    } catch {
      // see above
    }
  },
};
