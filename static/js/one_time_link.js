// @ts-check
/**
 * Links that serve once. The token leaves the address at once: an address is shown, kept in the
 * history and copied.
 */

/**
 * @param {string} href the page's address
 * @returns {{invitation: string | null, recovery: string | null, address: string}} the tokens, and
 *   the address without them
 */
export function oneTimeLink(href) {
  const url = new URL(href);
  const invitation = url.searchParams.get("invitation") || null;
  const recovery = /^#recover=(.+)$/.exec(url.hash)?.[1] ?? null;
  url.searchParams.delete("invitation");
  if (recovery !== null) url.hash = "";
  return { invitation, recovery, address: url.pathname + url.search + url.hash };
}
