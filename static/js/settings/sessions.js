// @ts-check
/**
 * Where the person is signed in.
 */

import { post, remove } from "../api.js";
import { part } from "../elements/template.js";
import { button, row } from "./rows.js";
import { ago, sessionFacts, sessionName } from "./words.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./desk.js").Known} Known */
/** @typedef {import("../people_types.js").ListedSession} ListedSession */

/** @param {Desk} desk */
export function bindSessions(desk) {
  part(document, "#sign-out-everywhere").addEventListener("click", () =>
    desk.do({
      at: section(),
      act: () => post("logout", { everywhere: true }),
      leave: "signed_out",
    }),
  );
}

/** @param {Known} known @param {Desk} desk */
export function drawSessions({ session, sessions }, desk) {
  part(document, "#sessions-state").textContent =
    session.of === "key" ? "A session of a key is told only of itself." : "";
  const now = Date.now();
  part(document, "#session-list").replaceChildren(
    ...sessions.map((each) => sessionRow(each, now, desk)),
  );
}

/** @param {ListedSession} session @param {number} now @param {Desk} desk */
function sessionRow(session, now, desk) {
  const { id, is_current, last_used_at } = session;
  const name = sessionName(session);
  const node = row("session-row", { name, facts: sessionFacts(session, now) });
  part(node, ".mark-current").hidden = !is_current;
  const word = is_current ? "Sign out" : "End";
  const end = button(
    node,
    "end",
    `end-${id}`,
    is_current ? word : `${word} the session of ${name}, used ${ago(last_used_at, now)}`,
    () =>
      desk.do({
        at: section(),
        act: () => remove(`sessions/${id}`),
        done: `The session of ${name} is over.`,
        leave: is_current ? "signed_out" : undefined,
      }),
  );
  end.textContent = word;
  return node;
}

function section() {
  return part(document, "#sessions");
}
