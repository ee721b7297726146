/** The server's clock, learned from questions and answers. */

const KEPT = 8;

export class ServerClock {
  /** @type {{ trip: number, offset: number }[]} */
  #samples = [];

  /** Forget all: another server has another clock. */
  reset() {
    this.#samples = [];
  }

  /**
   * Take an answer of the server.
   *
   * @param {number} asked When it was asked, in seconds of this page.
   * @param {number} server What the server's clock said, in seconds.
   */
  learn(asked, server) {
    const now = pageSeconds();
    this.#samples.push({ trip: now - asked, offset: server - (asked + now) / 2 });
    if (this.#samples.length > KEPT) this.#samples.shift();
  }

  /** Seconds of the server's clock now; 0 while it is not known. */
  now() {
    if (!this.#samples.length) return 0;
    // The answer that came fastest says most.
    const best = this.#samples.reduce((a, b) => (b.trip < a.trip ? b : a));
    return pageSeconds() + best.offset;
  }
}

/** Seconds since the page was opened. */
export function pageSeconds() {
  return performance.now() / 1000;
}
