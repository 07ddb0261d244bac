// @ts-check
/**
 * Which fields of a form an error is about, by their ids. Of most it is about none.
 */

import { withAdvice } from "./advice.js";
import { tell } from "./alerts.js";
import { ApiError } from "./api.js";
import { PasskeyFailed } from "./passkeys.js";

/** @type {Record<string, readonly string[]>} */
const BY_CODE = {
  unknown_environment: ["environment"],
  // Of an empty key the browser itself tells; only of white space it takes any for an id.
  missing_field: ["api-key-id"],
  invalid_api_key_id: ["api-key-id"],
  invalid_private_key: ["private-key"],
  // One of them is wrong, and nobody can tell which.
  key_refused: ["api-key-id", "private-key"],
  key_scope: ["api-key-id", "private-key"],
  registration_closed: ["invitation"],
  trading_key_unconfirmed: ["accept-trading-key"],
  wrong_password: ["password", "username", "confirm-password"],
  unfit_username: ["new-username"],
  username_taken: ["new-username"],
  unfit_password: ["new-password"],
};

/** @param {string} code @returns {readonly string[]} ids, the one to begin with first */
export function fieldsAtFault(code) {
  return BY_CODE[code] ?? [];
}

/**
 * Tell why something failed, and go to where it can be put right.
 *
 * @param {HTMLElement} alert
 * @param {unknown} error
 * @param {HTMLElement | null} [again] what to press to try it once more, where no field is at fault
 * @throws whatever is no failure that a person is told of
 */
export function tellFailure(alert, error, again = null) {
  if (!(error instanceof ApiError || error instanceof PasskeyFailed)) throw error;
  const field =
    error instanceof ApiError
      ? tell(alert, withAdvice(error), fieldsAtFault(error.code))
      : tell(alert, error.message);
  (field ?? alert).scrollIntoView({ block: "nearest" });
  (field ?? again)?.focus();
  // One that is wrong is typed anew; a new one that is unfit is mended.
  if (field instanceof HTMLInputElement && field.autocomplete === "current-password") field.select();
}
