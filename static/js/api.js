// @ts-check
/**
 * Calls of the account's REST interface.
 */

const BASE = "/api/v1/account/";

/** How long the server may take for an answer. */
const ANSWER_SECONDS = 10;

/** And for the deletion of an account, whose history may have a million rows. */
export const FORGET_SECONDS = 120;

/** A call that failed; the message is for a person. */
export class ApiError extends Error {
  /**
   * @param {number} status 0 when the server could not be reached, or has not answered in time
   * @param {string} code
   * @param {string} message
   * @param {number | null} [retryAfterSeconds]
   */
  constructor(status, code, message, retryAfterSeconds = null) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * @param {string} path below the account's address, such as `refresh`
 * @param {object} [body]
 * @param {number} [seconds] how long the answer may take
 * @returns {Promise<any>} what the server answered, in the contract's shape; undefined if nothing
 * @throws {ApiError} for every answer but success, and for none in time
 */
export function post(path, body = {}, seconds = ANSWER_SECONDS) {
  return change("POST", path, body, seconds);
}

/** @param {string} path @param {object} body @returns {Promise<any>} as `post` */
export function patch(path, body) {
  return change("PATCH", path, body);
}

/** @param {string} path @param {number} [seconds] @returns {Promise<void>} as `post` */
export function remove(path, seconds = ANSWER_SECONDS) {
  return change("DELETE", path, undefined, seconds);
}

/**
 * @param {string} path
 * @param {AbortSignal} [signal] nobody wants the answer any more
 * @returns {Promise<any>} as `post`
 */
export async function get(path, signal) {
  return answered(await call(path, { signal }));
}

/**
 * @param {string} path
 * @param {object} body
 * @returns {Promise<any>} as `post`; it goes out even if the page is left meanwhile
 */
export function put(path, body) {
  return change("PUT", path, body, ANSWER_SECONDS, true);
}

/**
 * @param {string} method
 * @param {string} path
 * @param {object} [body]
 * @param {number} [seconds]
 * @param {boolean} [keepalive]
 */
async function change(method, path, body, seconds = ANSWER_SECONDS, keepalive = false) {
  const options = {
    method,
    keepalive,
    headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
    body: body && JSON.stringify(body),
  };
  return answered(await call(path, options, seconds));
}

/** @param {Response} response */
async function answered(response) {
  if (!response.ok) throw await errorOf(response);
  try {
    const text = await response.text();
    return text ? JSON.parse(text) : undefined;
  } catch {
    throw new ApiError(response.status, "unexpected", "The server's answer can't be read.");
  }
}

/**
 * Why the server refuses the stream at this address, which an EventSource doesn't tell.
 *
 * @param {string} url
 * @returns {Promise<ApiError | null>} null if it would not, or not any more
 */
export async function refusalOf(url) {
  try {
    const response = await ask(url, {});
    if (!response.ok) return await errorOf(response);
    await response.body?.cancel();
    return null;
  } catch (error) {
    return /** @type {ApiError} */ (error);
  }
}

/** @param {string} path @param {RequestInit} options @param {number} [seconds] */
function call(path, options, seconds = ANSWER_SECONDS) {
  return ask(BASE + path, options, seconds);
}

/** @param {string} url @param {RequestInit} options @param {number} [seconds] */
async function ask(url, options, seconds = ANSWER_SECONDS) {
  // It ends the reading of the answer's body too.
  const late = AbortSignal.timeout(seconds * 1000);
  const signal = options.signal ? AbortSignal.any([late, options.signal]) : late;
  try {
    return await fetch(url, { ...options, signal });
  } catch {
    throw late.aborted
      ? new ApiError(0, "timeout", `The server has not answered in ${seconds} s. Try again.`)
      : new ApiError(0, "network", "This page can't reach its server. Is it running?");
  }
}

/** @param {Response} response */
async function errorOf(response) {
  const retryAfter = Number(response.headers.get("Retry-After")) || null;
  let code = "unexpected";
  let message = `The server answered with an error (${response.status}).`;
  try {
    const { error } = await response.json();
    if (typeof error.message === "string") ({ code, message } = error);
  } catch {
    // Not the server's own answer: a proxy's error page, say. What stands above is all we know.
  }
  return new ApiError(response.status, code, message, retryAfter);
}

function csrfToken() {
  return /(?:^|;\s*)csrftoken=([^;]*)/.exec(document.cookie)?.[1] ?? "";
}
