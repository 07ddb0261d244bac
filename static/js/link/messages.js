// @ts-check
/**
 * What a tab and the holder of the stream say to each other.
 *
 * A tab begins with `hello`, and ends with `bye`; a tab that dies says nothing, so it holds a lock
 * for as long as it lives, and tells its name. `hello`, `look` and `reconnect` are answered with
 * `here`. `end` means that the session is over for all tabs; it is answered with `erased`.
 *
 * A batch was put together `at` this computer's time, which `server_time` of a snapshot in it goes
 * with; the server was last heard at `heardAt`.
 *
 * @typedef {import("../types.js").StreamEvent} StreamEvent
 * @typedef {import("../elements/account-switcher.js").NamedAccount} NamedAccount
 *
 * @typedef {{say: "hello", isVisible: boolean, accounts: NamedAccount[]}
 *   | {say: "lock", name: string}
 *   | {say: "visible", isVisible: boolean}
 *   | {say: "look"}
 *   | {say: "reconnect"}
 *   | {say: "accounts", accounts: NamedAccount[]}
 *   | {say: "bye"}
 *   | {say: "end", reason: string}} FromTab
 *
 * @typedef {{say: "here"}
 *   | {say: "batch", events: StreamEvent[], at: number, heardAt: number | null}
 *   | {say: "connected"}
 *   | {say: "open"}
 *   | {say: "lost", heardAt: number | null}
 *   | {say: "refused", why: string | null}
 *   | {say: "ended", reason: string}
 *   | {say: "erased"}} ToTab
 */

/**
 * The end of a line: a MessagePort, or what serves as one within a page.
 *
 * @typedef {object} Port
 * @property {((message: {data: any}) => void) | null} onmessage
 * @property {(message: any) => void} postMessage
 * @property {() => void} close
 */

export {};
