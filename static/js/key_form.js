// @ts-check
/**
 * The form for a key of the exchange, on the sign-in page and in the settings
 * (templates/key_form.html). The private key goes from its field into one request, and nowhere
 * else.
 */

import { takeBack, tell } from "./alerts.js";
import { ApiError, post } from "./api.js";
import { tellFailure } from "./at_fault.js";
import { part } from "./elements/template.js";
import { bindKeyGuide } from "./key_guide.js";

/** @typedef {import("./people_types.js").SignedInWithKey} SignedInWithKey */

/** A key is some 2 KB; what is far larger isn't one, and isn't read into the page. */
const LARGEST_KEY_BYTES = 64_000;

/** The server asks the exchange about the key, which may take up to 20 s. */
const CHECK_SECONDS = 30;

/**
 * Where a failure is told, and what to press for another try.
 *
 * @typedef {{alert: HTMLElement, again: HTMLElement}} Place
 */

/**
 * @typedef {object} Ways
 * @property {() => string | null} invitation what to send along, if there is one
 * @property {(answer: SignedInWithKey) => unknown} onAccepted the key is stored
 * @property {(isPending: boolean) => void} onPending while the server asks the exchange
 */

export class KeyForm {
  #form;
  #ways;
  /** @type {Place} */
  #here;
  #pending;
  /** @type {HTMLTextAreaElement} */
  #privateKey;
  /** @type {HTMLInputElement} */
  #keyFile;
  /** @type {HTMLInputElement} */
  #acceptTradingKey;

  /**
   * @param {HTMLFormElement} form
   * @param {Ways} ways
   */
  constructor(form, ways) {
    this.#form = form;
    this.#ways = ways;
    this.#here = { alert: part(form, "[role=alert]"), again: part(form, "[type=submit]") };
    this.#pending = part(form, ".pending");
    this.#privateKey = part(form, "#private-key");
    this.#keyFile = part(form, "#key-file");
    this.#acceptTradingKey = part(form, "#accept-trading-key");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.#keyFile.addEventListener("change", () => this.#load());
    bindKeyGuide(form);
    // The back button may bring this page back as it was left; the key must not come with it.
    addEventListener("pagehide", () => this.#forgetKey());
  }

  /** With the sandbox's own key, which the server knows, at a press of its button. */
  bindSandbox() {
    const again = /** @type {HTMLElement | null} */ (document.querySelector("#open-sandbox"));
    if (!again) return;
    const place = { alert: part(document, "#sandbox-failure"), again };
    again.addEventListener("click", () =>
      this.#authenticate({ environment: "sandbox" }, place),
    );
  }

  #submit() {
    /** @type {HTMLSelectElement} */
    const environment = part(this.#form, "#environment");
    /** @type {HTMLInputElement} */
    const keyId = part(this.#form, "#api-key-id");
    const shown = {
      environment: environment.value,
      api_key_id: keyId.value.trim(),
      private_key: this.#privateKey.value,
      accept_trading_key: this.#acceptTradingKey.checked,
      // Not with the sandbox's click, which needs none and would use it up.
      invitation: this.#ways.invitation(),
    };
    return this.#authenticate(shown, this.#here);
  }

  /** @param {object} shown @param {Place} place */
  async #authenticate(shown, { alert, again }) {
    takeBack();
    this.#setPending(true);
    let answer;
    try {
      answer = await post("authenticate", shown, CHECK_SECONDS);
    } catch (error) {
      this.#setPending(false);
      if (error instanceof ApiError && error.code === "trading_key_unconfirmed") {
        part(this.#form, ".accept-trading").hidden = false;
      }
      tellFailure(alert, error, again);
      return;
    }
    this.#forgetKey();
    await this.#ways.onAccepted(answer);
  }

  /** The form is as it was at first: for another key. */
  reset() {
    this.#form.reset();
    this.#setPending(false);
    part(this.#form, ".accept-trading").hidden = true;
  }

  /** @param {boolean} isPending */
  #setPending(isPending) {
    this.#ways.onPending(isPending);
    this.#pending.textContent = isPending ? "Checking the key with the exchange…" : "";
  }

  async #load() {
    const file = this.#keyFile.files?.[0];
    if (!file) return;
    if (file.size > LARGEST_KEY_BYTES) {
      tell(this.#here.alert, "That file is too large to be a private key.", ["key-file"]);
      return;
    }
    takeBack();
    this.#privateKey.value = await file.text();
  }

  #forgetKey() {
    this.#privateKey.value = "";
    this.#keyFile.value = "";
  }
}
