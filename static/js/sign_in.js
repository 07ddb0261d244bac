// @ts-check
/**
 * The sign-in page. The private key goes from its field into one request, and nowhere else.
 */

import { ApiError, post } from "./api.js";
import { part } from "./elements/template.js";

const form = part(document, "form");
/** @type {HTMLSelectElement} */
const environment = part(document, "#environment");
/** @type {HTMLInputElement} */
const keyId = part(document, "#api-key-id");
/** @type {HTMLTextAreaElement} */
const privateKey = part(document, "#private-key");
/** @type {HTMLInputElement} */
const keyFile = part(document, "#key-file");
/** @type {HTMLInputElement} */
const acceptTradingKey = part(document, "#accept-trading-key");
/** @type {HTMLButtonElement} */
const submit = part(document, "#sign-in");
const pending = part(document, ".sign-in-pending");
const alert = part(document, "[role=alert]");
const buttons = /** @type {NodeListOf<HTMLButtonElement>} */ (
  document.querySelectorAll("button")
);

/** A key is some 2 KB; what is far larger isn't one, and isn't read into the page. */
const LARGEST_KEY_BYTES = 64_000;

/** The server asks the exchange about the key, which may take up to 20 s. */
const CHECK_SECONDS = 30;

/**
 * What to do about an error, beside the server's own message. That of a wrong field (422) says
 * all of it.
 *
 * @param {ApiError} error
 */
function advice({ status, code, retryAfterSeconds }) {
  if (code === "trading_key_unconfirmed") {
    return "Use a read-only key, or tick the box below the key and sign in again.";
  }
  if (code === "key_scope") return "Create a key with read access on the exchange.";
  if (code === "clock_skew") return "Set the clock of the server (for example by NTP).";
  switch (status) {
    case 401:
      return "Check the environment and the key ID, and that the private key belongs to it.";
    case 429:
      return retryAfterSeconds ? `Try again in ${wait(retryAfterSeconds)}.` : "Try again later.";
    case 503:
      return "Nothing was stored. Try again in a minute.";
    default:
      return "";
  }
}

/** @param {number} seconds */
function wait(seconds) {
  return seconds < 90 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}

/** @param {object} credentials */
async function authenticate(credentials) {
  setPending(true);
  try {
    await post("authenticate", credentials, CHECK_SECONDS);
  } catch (error) {
    setPending(false);
    if (!(error instanceof ApiError)) throw error;
    show(error);
    return;
  }
  forgetKey();
  location.replace("/");
}

/** @param {boolean} isPending */
function setPending(isPending) {
  for (const button of buttons) button.disabled = isPending;
  pending.textContent = isPending ? "Checking the key with the exchange…" : "";
  if (isPending) alert.textContent = "";
}

/** @param {ApiError} error */
function show(error) {
  alert.textContent = [error.message, advice(error)].filter(Boolean).join(" ");
  if (error.code === "trading_key_unconfirmed") {
    part(document, ".sign-in-trading").hidden = false;
    acceptTradingKey.focus();
  } else {
    submit.focus();
  }
}

function forgetKey() {
  privateKey.value = "";
  keyFile.value = "";
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  authenticate({
    environment: environment.value,
    api_key_id: keyId.value.trim(),
    private_key: privateKey.value,
    accept_trading_key: acceptTradingKey.checked,
  });
});

keyFile.addEventListener("change", async () => {
  const file = keyFile.files?.[0];
  if (!file) return;
  if (file.size > LARGEST_KEY_BYTES) {
    alert.textContent = "That file is too large to be a private key.";
    return;
  }
  alert.textContent = "";
  privateKey.value = await file.text();
});

document.querySelector("#open-sandbox")?.addEventListener("click", () => {
  authenticate({ environment: "sandbox" });
});

// The back button may bring this page back as it was left; the key must not come with it.
addEventListener("pagehide", forgetKey);
