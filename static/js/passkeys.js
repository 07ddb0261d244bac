// @ts-check
/**
 * Passkeys: the browser's part. Options and answers are the server's and the browser's own JSON,
 * passed on as they are.
 */

import { post } from "./api.js";
import { Cancelled } from "./cancelled.js";

/** @typedef {import("./people_types.js").Passkey} Passkey */
/** @typedef {import("./people_types.js").SignedIn} SignedIn */

export const NOT_IN_THIS_BROWSER =
  "This browser is too old for passkeys. Use a newer one, or a password.";

/** The browser has made or used no passkey, for a reason that the person can do something about. */
export class PasskeyFailed extends Error {
  /** @param {string} message for the person */
  constructor(message) {
    super(message);
    this.name = "PasskeyFailed";
  }
}

export function arePasskeysKnown() {
  return (
    typeof PublicKeyCredential === "function" &&
    typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function" &&
    typeof PublicKeyCredential.parseRequestOptionsFromJSON === "function"
  );
}

/**
 * Make a passkey and have the server keep it.
 *
 * @param {string} name the person's word for it
 * @returns {Promise<Passkey>}
 * @throws {import("./api.js").ApiError | PasskeyFailed | Cancelled}
 */
export async function makePasskey(name) {
  const options = await post("passkeys/options");
  const credential = await asked(() =>
    navigator.credentials.create({
      publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options),
    }),
  );
  return post("passkeys", { name, credential });
}

/**
 * Sign in with whichever passkey the person chooses.
 *
 * @returns {Promise<SignedIn>}
 * @throws {import("./api.js").ApiError | PasskeyFailed | Cancelled}
 */
export async function signInWithPasskey() {
  const options = await post("login/passkey/options");
  const credential = await asked(() =>
    navigator.credentials.get({
      publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options),
    }),
  );
  return post("login/passkey", credential);
}

/** @param {() => Promise<Credential | null>} ask */
async function asked(ask) {
  if (!arePasskeysKnown()) throw new PasskeyFailed(NOT_IN_THIS_BROWSER);
  try {
    const credential = /** @type {PublicKeyCredential | null} */ (await ask());
    if (credential) return credential.toJSON();
  } catch (error) {
    throw told(error);
  }
  throw new PasskeyFailed("The browser gave no passkey. Try again.");
}

/** @param {unknown} error what the browser has thrown @returns {Error} what the person is told */
export function told(error) {
  if (!(error instanceof DOMException)) return /** @type {Error} */ (error);
  switch (error.name) {
    // Also when it took too long, or there is none: browsers keep it from pages which it was.
    case "NotAllowedError":
    case "AbortError":
      return new Cancelled("No passkey was used. Try again, or choose another way.");
    case "InvalidStateError":
      return new PasskeyFailed("This device already keeps a passkey of yours for this server.");
    case "SecurityError":
      return new PasskeyFailed("Browsers allow no passkeys at this address.");
    case "NotSupportedError":
    case "ConstraintError":
      return new PasskeyFailed("This device can't keep such a passkey. Use another, or a password.");
    default:
      return new PasskeyFailed(`The browser could not do it (${error.name}). Try again.`);
  }
}
