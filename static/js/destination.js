// @ts-check
/**
 * Where a sign-in leads.
 */

// Nothing but the settings and a place in them: whoever makes a link must not choose where people
// land who have just signed in.
const ALLOWED = /^\/settings(#[a-z-]+)?$/;

/**
 * @param {string} search the address's query, such as `?next=%2Fsettings%23sessions`
 * @returns {string} the dashboard, unless the settings are asked for
 */
export function destination(search) {
  const next = new URLSearchParams(search).get("next");
  return next !== null && ALLOWED.test(next) ? next : "/";
}
