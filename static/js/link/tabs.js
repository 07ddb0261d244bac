// @ts-check
/**
 * What one tab still has to be told, and when.
 *
 * It is kept as marks, not as events: what is told is how things stand when it is told, so however
 * much happens between two batches, each position is in the next one once. Only closings are kept
 * as they were, each with the position as it was before, so that none is lost, whatever came after.
 */

/** @typedef {import("../types.js").Position} Position */
/** @typedef {import("../types.js").PositionClosed} PositionClosed */
/** @typedef {import("../types.js").StreamEvent} StreamEvent */
/** @typedef {import("./picture.js").News} News */
/** @typedef {import("./picture.js").Picture} Picture */

/** Changes between two batches wait for each other; eyes can't follow more than ten a second. */
export const BATCH_MS = 100;

/** Sums move with every position, and are read, not watched. */
export const SUMS_MS = 200;

/** Who looks at another tab sees of this one its title only, which may hold a sum while it is live. */
export const HIDDEN_MS = 5_000;

/** How long a tab may believe that events flow without being told anything. */
export const HEARD_MS = 5_000;

/** More than anybody would read after coming back to a tab. */
const CLOSINGS = 500;

/** @typedef {{key: string, before: Position, closed: PositionClosed}} Closing */

/** What is to be told of one account. */
class Marks {
  /** Before it was removed or replaced. @type {Closing[]} */
  earlier = [];
  isRemoved = false;
  isReplaced = false;
  /** @type {Closing[]} */
  closings = [];
  /** @type {Set<string>} */
  keys = new Set();
  portfolio = false;
  connection = false;

  /** What stood before is void, except that something was closed. */
  startOver() {
    const closings = [...this.earlier, ...this.closings].slice(-CLOSINGS);
    this.clearStates();
    this.earlier = closings;
    this.portfolio = false;
  }

  /** Where closings are left out, a snapshot says what is no longer open. */
  replace() {
    // A tab out of sight is told of sums before it.
    const { portfolio } = this;
    this.startOver();
    this.portfolio = portfolio;
    this.isReplaced = true;
  }

  clearStates() {
    this.earlier = [];
    this.closings = [];
    this.keys.clear();
    this.isReplaced = this.connection = false;
  }

  /** @param {string} key */
  hasClosed(key) {
    return this.closings.some((closing) => closing.key === key);
  }
}

export class Tab {
  #isVisible;
  /** By account. @type {Map<number, Marks>} */
  #marks = new Map();
  /** Environments whose sum has changed. @type {Set<string>} */
  #sums = new Set();
  /** Accounts that it has a picture of. @type {Set<number>} */
  #known = new Set();
  /** Of these the connection may be another than a tab out of sight knows. @type {Set<number>} */
  #connections = new Set();
  #hasHeard = false;
  #isUrgent = false;
  #toldAt = -Infinity;
  #sumsToldAt = -Infinity;

  /** @param {boolean} isVisible @param {Picture} picture all of which it has to be told */
  constructor(isVisible, picture) {
    this.#isVisible = isVisible;
    for (const id of picture.accounts.keys()) this.note({ kind: "snapshot", id });
    for (const environment of picture.sums.keys()) this.note({ kind: "sum", environment });
  }

  get isVisible() {
    return this.#isVisible;
  }

  set isVisible(isVisible) {
    this.#isVisible = isVisible;
    // Who comes to look waits for nothing.
    if (isVisible) this.#toldAt = this.#sumsToldAt = -Infinity;
  }

  /** The stream has spoken, whether or not it said anything new. */
  hear() {
    this.#hasHeard = true;
  }

  /** @param {News} news */
  note(news) {
    if (news.kind === "sum") {
      this.#sums.add(news.environment);
      return;
    }
    const marks = this.#marksOf(news.id);
    const isStanding = news.kind === "snapshot" || news.kind === "connection";
    if (isStanding && this.#known.has(news.id)) this.#connections.add(news.id);
    switch (news.kind) {
      case "snapshot":
        marks.startOver();
        marks.isReplaced = true;
        break;
      case "removed":
        marks.startOver();
        marks.isRemoved = true;
        break;
      case "position":
        // A snapshot brings it, unless it must come after its own closing.
        if (!marks.isReplaced || marks.hasClosed(news.key)) marks.keys.add(news.key);
        break;
      case "closed":
        if (marks.closings.length >= CLOSINGS) marks.replace();
        marks.closings.push(news);
        marks.keys.delete(news.key);
        break;
      case "portfolio":
        marks.portfolio = true;
        break;
      case "connection":
        marks.connection = true;
        this.#isUrgent = true;
    }
  }

  /**
   * When there is something to tell.
   *
   * @returns {number} by the clock that `take` is given, which must never go back; Infinity if
   *   there is nothing
   */
  get dueAt() {
    const sumsAt = this.#hasSums() ? this.#sumsToldAt : Infinity;
    if (!this.#isVisible) {
      return (this.#connections.size > 0 ? this.#sumsToldAt : sumsAt) + HIDDEN_MS;
    }
    if (this.#isUrgent) return -Infinity;
    const statesAt = this.#hasStates() ? this.#toldAt + BATCH_MS : Infinity;
    const heardAt = this.#hasHeard ? this.#toldAt + HEARD_MS : Infinity;
    return Math.min(statesAt, Math.max(sumsAt + SUMS_MS, this.#toldAt + BATCH_MS), heardAt);
  }

  /**
   * All that may be told now.
   *
   * @param {Picture} picture
   * @param {number} now in milliseconds
   * @param {number} clock this computer's, milliseconds since 1970
   * @returns {StreamEvent[]}
   */
  take(picture, now, clock) {
    const between = this.#isVisible ? SUMS_MS : HIDDEN_MS;
    const isDue = now >= this.#sumsToldAt + between;
    /** @type {StreamEvent[]} */
    const events = [];
    if (!this.#isVisible && isDue) events.push(...this.#takeConnections(picture));
    const areSumsDue = isDue && (this.#hasSums() || events.length > 0);
    if (this.#isVisible) {
      for (const [id, marks] of this.#marks) events.push(...statesOf(id, marks, picture, clock));
      this.#known = new Set(picture.accounts.keys());
      this.#connections.clear();
      this.#hasHeard = this.#isUrgent = false;
      this.#toldAt = now;
    }
    if (areSumsDue) {
      events.push(...this.#takeSums(picture));
      this.#sumsToldAt = now;
    }
    for (const [id, marks] of this.#marks) if (isDone(marks)) this.#marks.delete(id);
    return events;
  }

  /** @param {number} id */
  #marksOf(id) {
    let marks = this.#marks.get(id);
    if (!marks) this.#marks.set(id, (marks = new Marks()));
    return marks;
  }

  #hasStates() {
    return [...this.#marks.values()].some(hasStates);
  }

  #hasSums() {
    return this.#sums.size > 0 || [...this.#marks.values()].some(({ portfolio }) => portfolio);
  }

  /** For a tab out of sight, which keeps its old picture. @param {Picture} picture */
  #takeConnections(picture) {
    /** @type {StreamEvent[]} */
    const events = [];
    for (const id of this.#connections) {
      const account = picture.accounts.get(id);
      if (!account) continue;
      events.push({ ...account.connection, type: "connection_status", account_id: id });
      const marks = this.#marksOf(id);
      // An old sum must not look live; the snapshot that has the new one waits.
      marks.portfolio ||= marks.isReplaced;
    }
    this.#connections.clear();
    return events;
  }

  /** @param {Picture} picture @returns {StreamEvent[]} */
  #takeSums(picture) {
    /** @type {(import("../types.js").Portfolio | undefined)[]} */
    const portfolios = [...this.#sums].map((environment) => picture.sums.get(environment));
    this.#sums.clear();
    for (const [id, marks] of this.#marks) {
      if (marks.portfolio) portfolios.push(picture.accounts.get(id)?.portfolio);
      marks.portfolio = false;
    }
    return portfolios.flatMap((portfolio) =>
      portfolio ? [{ ...portfolio, type: /** @type {const} */ ("portfolio") }] : [],
    );
  }
}

/** @param {Marks} marks */
function hasStates({ earlier, isRemoved, isReplaced, closings, keys, connection }) {
  const isAnyClosed = earlier.length > 0 || closings.length > 0;
  return isAnyClosed || isRemoved || isReplaced || keys.size > 0 || connection;
}

/** @param {Marks} marks */
function isDone(marks) {
  return !hasStates(marks) && !marks.portfolio;
}

/**
 * Of one account: what a tab is told, in an order in which it believes all of it.
 *
 * @param {number} id
 * @param {Marks} marks emptied, but for the portfolio unless a snapshot brings it
 * @param {Picture} picture
 * @param {number} clock
 * @returns {StreamEvent[]}
 */
function statesOf(id, marks, picture, clock) {
  const account = picture.accounts.get(id);
  /** @type {StreamEvent[]} */
  const events = marks.earlier.flatMap(closingEvents);
  if (marks.isRemoved) events.push({ type: "account_removed", account_id: id });
  if (marks.isReplaced && account) {
    events.push(picture.snapshot(id, clock, (key) => marks.hasClosed(key)));
    marks.portfolio = false;
  }
  events.push(...marks.closings.flatMap(closingEvents));
  for (const key of marks.keys) {
    const position = account?.positions.get(key);
    if (position) events.push({ ...position, type: "position" });
  }
  if (marks.connection && account && !marks.isReplaced) {
    events.push({ ...account.connection, type: "connection_status", account_id: id });
  }
  marks.clearStates();
  marks.isRemoved = false;
  return events;
}

/** @param {Closing} closing @returns {StreamEvent[]} */
function closingEvents({ before, closed }) {
  return [{ ...before, type: "position" }, closed];
}
