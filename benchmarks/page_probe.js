// @ts-check
/**
 * What `page.py` asks in the page; runs before the page's own scripts.
 *
 * It watches from outside: by the document, by frames and by the browser's own records. It finds
 * its way by the contract's names alone, so that it measures any version of the page.
 */
(() => {
  const SUM = "portfolio-summary-bar data[data-field=total_value]";
  const ROW = "position-card data[data-field=mark]";
  const IN_SIGHT = 8;
  const PATIENCE_MS = 30_000;

  /** When each was first painted with a figure, since the navigation. */
  const first = { sum: 0, row: 0 };
  /** @type {number[]} */
  const longTasks = [];
  /** A page that fails is quick. @type {string[]} */
  const errors = [];
  addEventListener("error", ({ message, filename, lineno }) =>
    errors.push(`${message} (${filename}:${lineno})`),
  );
  addEventListener("unhandledrejection", ({ reason }) => errors.push(String(reason)));
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longTasks.push(duration);
  }).observe({ type: "longtask", buffered: true });

  /** The moment at which the next frame has been painted, as far as this thread is concerned. */
  function painted() {
    return new Promise((resolve) => {
      requestAnimationFrame(() => {
        // A task that comes after the frame's style, layout and paint.
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => resolve(performance.now());
        port2.postMessage(null);
      });
    });
  }

  /** @param {() => boolean} isThere @returns {Promise<number>} when a frame was painted with it */
  async function paintedWith(isThere) {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const at = await painted();
      if (isThere()) return at;
      if (at > deadline) throw new Error(`not painted in ${PATIENCE_MS} ms: ${isThere}`);
    }
  }

  /** @param {string} selector */
  function hasFigure(selector) {
    return document.querySelector(selector)?.getAttribute("value") ? true : false;
  }

  /** The rows in sight, from the top. */
  function rows() {
    /** @type {{row: HTMLElement, box: DOMRect}[]} */
    const found = [];
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (
      document.querySelectorAll("position-card[data-ticker]")
    )) {
      const box = row.getBoundingClientRect();
      const isInSight = box.height > 0 && box.top >= 0 && box.bottom <= innerHeight;
      // One that is painted over, or scrolled out of its list, is not.
      const x = box.left + box.width / 2;
      const y = box.top + box.height / 2;
      if (isInSight && row.contains(document.elementFromPoint(x, y))) found.push({ row, box });
      if (found.length >= IN_SIGHT) break;
    }
    return found.sort((a, b) => a.box.top - b.box.top);
  }

  const tickers = () => rows().map(({ row }) => row.dataset.ticker ?? "");

  /** @param {string} field @returns {(string | null)[]} */
  function exact(field) {
    return rows().map(
      ({ row }) => row.querySelector(`data[data-field=${field}]`)?.getAttribute("value") ?? null,
    );
  }

  /** Whether the amounts in sight are masked: none of them has a digit. */
  function isMasked() {
    return rows().every(
      ({ row }) =>
        !/\d/.test(row.querySelector("data[data-field=unrealized_pnl]")?.textContent ?? ""),
    );
  }

  /** @param {string} title */
  function detailShows(title) {
    return [...document.querySelectorAll("position-detail h2")].some(
      (heading) => heading.textContent?.includes(title) && heading.checkVisibility(),
    );
  }

  /** @param {string} order */
  async function sort(order) {
    const select = /** @type {HTMLSelectElement} */ (document.querySelector("position-panel select"));
    const before = tickers();
    // As after the last frame of what went before.
    await painted();
    const began = performance.now();
    select.value = order;
    select.dispatchEvent(new Event("input", { bubbles: true }));
    select.dispatchEvent(new Event("change", { bubbles: true }));
    const at = await paintedWith(() => {
      const now = tickers();
      const moved = now.filter((ticker, index) => ticker !== before[index]).length;
      return now.length > 0 && moved * 2 >= now.length;
    });
    return at - began;
  }

  /** When the mouse was let go, however long the page took to hear of it. @type {number | null} */
  let clicked = null;
  addEventListener("click", ({ timeStamp }) => (clicked = timeStamp), { capture: true });

  /** Milliseconds from the click that comes next. @type {Promise<number> | null} */
  let answered = null;

  /** Look out for a click and what it leads to. @param {() => boolean} isThere */
  function lookOut(isThere) {
    clicked = null;
    answered = paintedWith(() => clicked !== null && isThere()).then(
      (at) => at - (clicked ?? NaN),
    );
    // It may fail before anybody asks.
    answered.catch(() => {});
  }

  Object.assign(globalThis, {
    bench: {
      first,
      longTasks,
      errors,
      rows: () =>
        rows().map(({ row, box }) => ({
          ticker: row.dataset.ticker,
          x: box.left + box.width / 2,
          y: box.top + box.height / 2,
        })),
      exact: () => ({ tickers: tickers(), marks: exact("mark"), values: exact("market_value") }),
      sum: () => document.querySelector(SUM)?.getAttribute("value") ?? null,
      sort,
      answered: () => answered,
      detailShows,
      lookOutForPrivacy() {
        const was = isMasked();
        lookOut(() => isMasked() !== was);
      },
      /** @param {string} title */
      lookOutForDetail(title) {
        if (detailShows(title)) throw new Error("nothing would change");
        lookOut(() => detailShows(title));
      },
      /** @param {number} seconds */
      frames(seconds) {
        return new Promise((resolve) => {
          let count = 0;
          let began = 0;
          let last = 0;
          let longest = 0;
          /** @param {number} at */
          const step = (at) => {
            if (!began) began = at;
            else count += 1;
            if (last) longest = Math.max(longest, at - last);
            last = at;
            const took = at - began;
            if (took < seconds * 1000) requestAnimationFrame(step);
            else resolve({ rate: (count * 1000) / took, longest });
          };
          requestAnimationFrame(step);
        });
      },
      elements: () => ({
        all: document.querySelectorAll("*").length,
        rows: document.querySelectorAll("position-card").length,
      }),
    },
  });

  // The address is empty at first; nothing is shown there.
  if (location.protocol.startsWith("http")) {
    paintedWith(() => hasFigure(SUM)).then((at) => (first.sum = at));
    paintedWith(() => hasFigure(ROW)).then((at) => (first.row = at));
  }
})();
