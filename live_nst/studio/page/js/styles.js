/** The list of styles, read again when the studio has others. */

import { call, request } from "./api.js";

/** @typedef {import("./types.js").Style} Style */

export class StyleList {
  /** @type {Style[]} */
  all = [];
  #known = "";
  /** @type {Set<(styles: Style[]) => void>} */
  #listeners = new Set();

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    // A style that another page has added shows first by its thumbnail or by its use.
    store.subscribe(({ thumbnails, settings }) => {
      const ids = [...new Set([...Object.keys(thumbnails), ...Object.keys(settings.style)])];
      const known = ids.sort().join(" ");
      if (known !== this.#known) {
        this.#known = known;
        void this.refresh().catch(() => {
          this.#known = ""; // the next state tries again
        });
      }
    });
  }

  /**
   * Return a style.
   *
   * @param {string} id
   */
  find(id) {
    return this.all.find((style) => style.id === id);
  }

  /** @param {(styles: Style[]) => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
    listener(this.all);
  }

  /** Read the list again. */
  async refresh() {
    this.all = await call("GET", "/api/styles");
    for (const listener of this.#listeners) listener(this.all);
  }

  /**
   * Add a picture as a style.
   *
   * @param {Blob} picture
   * @param {string} label
   * @returns {Promise<Style>}
   */
  async add(picture, label) {
    const headers = {
      "Content-Type": picture.type || "image/*",
      "X-Label": encodeURIComponent(label),
    };
    const response = await request("POST", "/api/styles", { bytes: picture, headers });
    const style = await response.json();
    await this.refresh();
    return style;
  }

  /**
   * Remove a picture that was added.
   *
   * @param {string} id
   */
  async remove(id) {
    await request("DELETE", `/api/styles/${encodeURIComponent(id)}`);
    await this.refresh();
  }
}
