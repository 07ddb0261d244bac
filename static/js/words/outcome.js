// @ts-check
/**
 * What is held, said so that it can't be read as its opposite.
 *
 * The exchange mostly gives both sides of a market one subtitle, what YES is about: a holder of NO
 * on "Atlanta" gets "Atlanta" as theirs. So the outcome never stands without its side. Where NO has
 * a subtitle of its own, the side is still said of what YES is about, and NO's own words come
 * after it: "NO · 2.6 % or below" would deny what NO stands for.
 */

/** @typedef {import("../types.js").Position} Position */
/** @typedef {Pick<Position, "side" | "outcome" | "yes_outcome">} Held */

/**
 * @typedef {object} OutcomeText
 * @property {"YES" | "NO"} pill the side
 * @property {string} outcome what the side is said of; empty where the exchange names nothing
 * @property {string} whole both, for where there is no pill: `NO · $105,500 or above`
 * @property {string} sentence when it wins, for a title
 */

/**
 * @param {Held} position
 * @returns {OutcomeText}
 */
export function outcomeText(position) {
  const pill = position.side === "no" ? "NO" : "YES";
  const outcome = questionOf(position);
  return {
    pill,
    outcome,
    whole: [pill, outcome].filter(Boolean).join(" · "),
    sentence: winningSentence(position),
  };
}

/**
 * What YES is about.
 *
 * @param {Held} position
 */
function questionOf({ outcome, yes_outcome }) {
  return yes_outcome ?? outcome ?? "";
}

/** @param {Held} position */
function winningSentence(position) {
  const question = questionOf(position);
  if (position.side !== "no") {
    return question ? `You hold YES: it wins with “${question}”.` : "You hold YES.";
  }
  if (!question) return "You hold NO: it wins if the answer is no.";
  const own = ownWords(position);
  return `You hold NO: it wins without “${question}”${own && `, that is with “${own}”`}.`;
}

/** NO's own subtitle, where it has one. @param {Held} position */
function ownWords({ outcome, yes_outcome }) {
  return yes_outcome && outcome && outcome !== yes_outcome ? outcome : "";
}
