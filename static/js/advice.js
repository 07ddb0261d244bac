// @ts-check
/**
 * What to do about an error, beside the server's own message. Most messages say all of it.
 */

/** @typedef {import("./api.js").ApiError} ApiError */

/** @type {Record<string, string>} */
const BY_CODE = {
  trading_key_unconfirmed: "Use a read-only key, or tick the box below the key and try again.",
  key_refused:
    "Check the environment and the key ID, and that the private key belongs to it.",
  wrong_password:
    "If it is lost, sign in another way, or ask whoever runs this server for a link to get back in.",
  exchange_unavailable: "Nothing was stored.",
  maintenance: "Nothing was stored.",
  clock_skew: "Nothing was stored.",
};

/**
 * The server's message, and what to do.
 *
 * @param {Pick<ApiError, "code" | "message" | "retryAfterSeconds">} error
 */
export function withAdvice({ code, message, retryAfterSeconds }) {
  return [message, BY_CODE[code] ?? waiting(retryAfterSeconds)].filter(Boolean).join(" ");
}

/** @param {number | null} seconds which the message has too; nobody counts so many */
function waiting(seconds) {
  return seconds !== null && seconds >= 90 ? `That is ${Math.ceil(seconds / 60)} min.` : "";
}
