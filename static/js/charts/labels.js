// @ts-check
/**
 * What stands at the axes. Times are in the browser's own zone.
 */

import { locale, localized } from "../locale.js";

const seconds = localized((tag) => new Intl.DateTimeFormat(tag, { timeStyle: "medium", hourCycle: "h23" }));
const clock = localized((tag) => new Intl.DateTimeFormat(tag, { timeStyle: "short", hourCycle: "h23" }));
const day = localized((tag) => new Intl.DateTimeFormat(tag, { day: "numeric", month: "short" }));
const month = localized((tag) => new Intl.DateTimeFormat(tag, { month: "short", year: "numeric" }));
const DAY_SECONDS = 86_400;

/**
 * Times at even distances, each as briefly as it is clear beside the others.
 *
 * @param {readonly number[]} times seconds since 1970
 * @param {number} distance seconds from one to the next
 */
export function timeLabels(times, distance) {
  return times.map((time) => {
    const date = new Date(time * 1000);
    if (distance >= 28 * DAY_SECONDS) return month().format(date);
    if (distance < 60) return seconds().format(date);
    const isMidnight = date.getHours() === 0 && date.getMinutes() === 0;
    return distance >= DAY_SECONDS || isMidnight ? day().format(date) : clock().format(date);
  });
}

/**
 * Dollars with cents only where the marks are closer than a dollar.
 *
 * @param {readonly number[]} values
 * @param {number} distance from one to the next
 */
export function dollarLabels(values, distance) {
  const digits = distance < 1 ? 2 : 0;
  const format = new Intl.NumberFormat(locale(), {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
  return values.map((value) => format.format(value));
}

const cents = localized((tag) => new Intl.NumberFormat(tag, { maximumFractionDigits: 2 }));

/** Prices in cents. @param {readonly number[]} values in dollars */
export function priceLabels(values) {
  return values.map((value) => `${cents().format(value * 100)}¢`);
}
