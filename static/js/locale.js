// @ts-check
/**
 * The language of numbers and dates: the browser's, or one that somebody has chosen.
 */

/** Where a browser says nothing. */
const FALLBACK = "en-US";

let current = resolved("system");

/** @type {Set<() => void>} */
const makers = new Set();

/**
 * Write numbers and dates as in this locale from now on. What is drawn already follows at its next
 * drawing.
 *
 * @param {string} choice a BCP 47 tag; `system`, or one that isn't known here, is the browser's own
 */
export function useLocale(choice) {
  current = resolved(choice);
  for (const forget of makers) forget();
}

/** The locale in use. */
export function locale() {
  return current;
}

/**
 * A formatter that is made when it is first needed, and anew when the locale changes: making one
 * costs a thousand times what using it does.
 *
 * @template T
 * @param {(locale: string) => T} make
 * @returns {() => T}
 */
export function localized(make) {
  /** @type {T | undefined} */
  let made;
  makers.add(() => {
    made = undefined;
  });
  return () => (made ??= make(current));
}

/** @param {string} choice */
function resolved(choice) {
  const ownLocale = globalThis.navigator?.language ?? FALLBACK;
  for (const each of choice === "system" ? [ownLocale] : [choice, ownLocale]) {
    if (isKnown(each)) return each;
  }
  return FALLBACK;
}

/** @param {string} tag */
function isKnown(tag) {
  try {
    return Intl.NumberFormat.supportedLocalesOf(tag).length > 0;
  } catch {
    return false; // not a tag at all
  }
}
