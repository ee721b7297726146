/**
 * The state of the studio as this page shows it.
 *
 * A change of a setting shows at once and is sent; while one change is on its way, newer ones
 * wait and replace each other, so a slider never floods the studio. What the studio says counts as
 * soon as nothing of that setting is on its way.
 */

/** @typedef {import("./types.js").State} State */
/** @typedef {Partial<import("./types.js").Settings>} Changes */

export class Store {
  /** @type {State | null} */
  #server = null;
  /** @type {Changes} */
  #waiting = {};
  /** @type {Changes} */
  #sent = {};
  #sending = false;
  /** @type {Set<(state: State) => void>} */
  #listeners = new Set();
  /** Whether the studio answers. */
  connected = false;

  /**
   * @param {(changes: Changes) => Promise<State>} send Sends changes of settings.
   * @param {(error: unknown) => void} failed Called when they are refused.
   */
  constructor(send, failed) {
    this.send = send;
    this.failed = failed;
  }

  /** The state with the changes that are on their way; null until the studio has answered. */
  get state() {
    if (!this.#server) return null;
    const settings = { ...this.#server.settings, ...this.#sent, ...this.#waiting };
    return { ...this.#server, settings };
  }

  /**
   * Call a function with the state, now and after each change.
   *
   * @param {(state: State) => void} listener
   */
  subscribe(listener) {
    this.#listeners.add(listener);
    if (this.state) listener(this.state);
  }

  /**
   * Take a state of the studio. One that is older than what is known is left out.
   *
   * @param {State} state
   */
  receive(state) {
    if (this.#server && state.version < this.#server.version) return;
    this.#server = state;
    this.#tell();
  }

  /** Take the next state whatever its version: the studio may have been started anew. */
  restart() {
    if (this.#server) this.#server = { ...this.#server, version: -1 };
  }

  /**
   * Change settings.
   *
   * @param {Changes} changes
   */
  change(changes) {
    Object.assign(this.#waiting, changes);
    this.#tell();
    void this.#flush();
  }

  async #flush() {
    if (this.#sending) return;
    this.#sending = true;
    while (Object.keys(this.#waiting).length) {
      this.#sent = this.#waiting;
      this.#waiting = {};
      try {
        const state = await this.send(this.#sent);
        this.#sent = {};
        this.receive(state);
      } catch (error) {
        this.#sent = {};
        this.#tell();
        this.failed(error);
      }
    }
    this.#sending = false;
  }

  #tell() {
    const state = this.state;
    if (state) for (const listener of this.#listeners) listener(state);
  }
}
