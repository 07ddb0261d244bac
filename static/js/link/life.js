// @ts-check
/**
 * A sign of life that ends with the tab, however it ends: a lock of the browser's.
 */

export class Life {
  #letGo = () => {};

  /**
   * @param {LockManager | undefined} locks there are none where a page came by plain HTTP from
   *   another computer; a tab that dies there is told to, until the worker ends
   * @param {(name: string) => void} held told once the lock is held: who asks for it gets it as soon
   *   as this tab is gone
   */
  begin(locks, held) {
    const name = `tab ${Date.now()} ${Math.random()}`;
    /** @type {Promise<void>} */
    const life = new Promise((resolve) => (this.#letGo = resolve));
    locks
      ?.request(name, () => {
        held(name);
        return life;
      })
      .catch(() => {}); // a page that is going away gets none, and needs none
  }

  end() {
    this.#letGo();
  }
}
