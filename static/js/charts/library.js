// @ts-check
/**
 * The charts' library, loaded when the first chart is drawn and not with the page.
 */

/** @typedef {typeof import("uplot")} Library */

/** What is said where a chart can't be. */
export class NoLibrary extends Error {
  constructor() {
    super("Charts can't be drawn: their library is not on this server. “make setup” fetches it.");
    this.name = "NoLibrary";
  }
}

/** @type {Promise<Library> | null} */
let library = null;

/**
 * @returns {Promise<Library>}
 * @throws {NoLibrary} the server has none, or it can't be loaded
 */
export function loadLibrary() {
  library ??= load().catch(() => {
    // The network may be back when the next chart is drawn.
    library = null;
    throw new NoLibrary();
  });
  return library;
}

/** @returns {Promise<Library>} */
async function load() {
  const addresses = document.getElementById("chart-library")?.dataset;
  if (!addresses?.module || !addresses.styles) throw new NoLibrary();
  const [loaded] = await Promise.all([import(addresses.module), applyStyles(addresses.styles)]);
  return loaded.default;
}

/** @param {string} address */
function applyStyles(address) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = address;
  return new Promise((resolve, reject) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", reject);
    document.head.append(link);
  });
}
