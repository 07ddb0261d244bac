// @ts-check
/**
 * Draws as often as an eye can follow, not as often as something changes.
 */

/**
 * A scheduler that runs each callback in a frame, and at most once in an interval: after a quiet
 * time in the very next frame, under load every so often.
 *
 * @param {number} interval milliseconds
 * @param {object} [environment]
 * @param {() => number} [environment.now] milliseconds
 * @param {(callback: () => void) => void} [environment.frame]
 * @param {(callback: () => void, delay: number) => void} [environment.later]
 * @returns {(callback: () => void) => void}
 */
export function paced(interval, environment = {}) {
  const {
    now = () => performance.now(),
    frame = (callback) => requestAnimationFrame(callback),
    later = (callback, delay) => setTimeout(callback, delay),
  } = environment;
  let last = -Infinity;
  return (callback) => {
    const run = () =>
      frame(() => {
        last = now();
        callback();
      });
    const rest = interval - (now() - last);
    if (rest <= 0) run();
    else later(run, rest);
  };
}
