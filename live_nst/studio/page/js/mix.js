/** Two styles and the slider between them. */

import { build, byId, renderOn, setText } from "./dom.js";
import { fillOf } from "./slider.js";

/** @typedef {import("./types.js").State} State */

export class Mix {
  /** @type {[string, string] | null} The styles at the two ends of the slider. */
  pair = null;

  /**
   * @param {import("./store.js").Store} store
   * @param {import("./styles.js").StyleList} styles
   */
  constructor(store, styles) {
    this.store = store;
    this.styles = styles;
    const host = byId("mix", HTMLDivElement);
    this.select = build("select", { id: "mix-second" });
    this.select.addEventListener("change", () => this.mixIn(this.select.value));
    this.slider = build("input", {
      type: "range", id: "mix-slider", min: "0", max: "1", step: "0.01", "aria-label": "Share of the second style",
    });
    this.slider.addEventListener("input", () => this.#send(Number(this.slider.value)));
    this.first = build("span", { className: "mix-name" });
    this.second = build("span", { className: "mix-name" });
    this.ends = build("div", { className: "mix-ends" }, this.first, this.second);
    this.body = build("div", { className: "mix-body" }, this.slider, this.ends);
    this.note = build("p", { className: "hint" });
    host.append(
      build("div", { className: "select-row" }, build("label", { for: "mix-second" }, "Mix with"), this.select),
      this.body,
      this.note,
    );
    store.subscribe((state) => this.#render(state));
    styles.subscribe(() => store.state && this.#render(store.state));
  }

  /**
   * Use one style alone.
   *
   * @param {string} id
   */
  use(id) {
    this.pair = null;
    this.store.change({ style: { [id]: 1 } });
  }

  /**
   * Mix a second style into the one in use, or take it out again.
   *
   * @param {string} id "" for none.
   */
  mixIn(id) {
    const first = this.pair?.[0] ?? mainStyle(this.store.state?.settings.style ?? {});
    if (!first) return;
    if (!id || this.pair?.[1] === id) {
      this.use(first);
      return;
    }
    if (first === id) return;
    this.pair = [first, id];
    this.#send(0.5);
  }

  /** @param {number} share Of the second style. */
  #send(share) {
    if (!this.pair) return;
    const [first, second] = this.pair;
    const weights = { [first]: round(1 - share), [second]: round(share) };
    const style = Object.fromEntries(Object.entries(weights).filter(([, weight]) => weight > 0));
    this.store.change({ style });
  }

  /** @param {State} state */
  #render({ settings }) {
    const ids = Object.keys(settings.style);
    if (!this.pair?.length || !ids.every((id) => this.pair?.includes(id))) {
      this.pair = ids.length === 2 ? [ids[0], ids[1]] : null;
    }
    const [first, second] = this.pair ?? [mainStyle(settings.style) ?? "", ""];
    renderOn(this.select, [first, this.styles.all.map(({ id, label }) => [id, label])], () => [
      build("option", { value: "" }, "nothing"),
      ...this.styles.all
        .filter(({ id }) => id !== first)
        .map(({ id, label }) => build("option", { value: id }, label)),
    ]);
    if (this.select.value !== second) this.select.value = second;
    this.body.hidden = !second;
    this.note.hidden = ids.length < 3;
    setText(this.note, ids.length < 3 ? "" : `A mix of ${ids.length} styles: ${settings.style_label}`);
    if (!second) return;
    const total = (settings.style[first] ?? 0) + (settings.style[second] ?? 0);
    const share = total ? (settings.style[second] ?? 0) / total : 0;
    this.slider.value = String(share);
    fillOf(this.slider);
    const percent = Math.round(100 * share);
    this.slider.setAttribute("aria-valuetext", `${100 - percent}% ${this.#label(first)}, ${percent}% ${this.#label(second)}`);
    setText(this.first, `${this.#label(first)} ${100 - percent}%`);
    setText(this.second, `${percent}% ${this.#label(second)}`);
  }

  /** @param {string} id */
  #label(id) {
    return this.styles.find(id)?.label ?? id;
  }
}

/**
 * Return the id with the largest weight.
 *
 * @param {Record<string, number>} weights
 * @returns {string | undefined}
 */
export function mainStyle(weights) {
  return Object.keys(weights).sort((a, b) => weights[b] - weights[a])[0];
}

/** @param {number} value */
function round(value) {
  return Math.round(1000 * value) / 1000;
}
