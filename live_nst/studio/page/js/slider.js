/** A slider with its name and its value. */

import { build, byId, setText } from "./dom.js";

/**
 * @typedef {Object} SliderOptions
 * @property {string} row The id of the element that holds it.
 * @property {string} label
 * @property {string} [title] An explanation, with the keys.
 * @property {number} min
 * @property {number} max
 * @property {number} step
 * @property {(value: number) => string} format Writes the value.
 * @property {(value: number) => void} change Called with a new value.
 */

export class Slider {
  /** @param {SliderOptions} options */
  constructor(options) {
    this.options = options;
    const row = byId(options.row, HTMLDivElement);
    const id = `${options.row}-input`;
    this.output = build("output", { for: id });
    this.input = build("input", {
      type: "range", id, min: String(options.min), max: String(options.max), step: String(options.step),
    });
    this.input.addEventListener("input", () => options.change(Number(this.input.value)));
    row.append(
      build("div", { className: "row-head" }, build("label", { for: id, title: options.title }, options.label), this.output),
      this.input,
    );
  }

  /**
   * Show a value.
   *
   * @param {number} value
   * @param {string} [text] What to write instead of the formatted value.
   */
  show(value, text = this.options.format(value)) {
    if (Number(this.input.value) !== value) this.input.value = String(value);
    fillOf(this.input);
    setText(this.output, text);
    this.input.setAttribute("aria-valuetext", text);
  }
}

/**
 * Let the style sheet fill the track up to the value.
 *
 * @param {HTMLInputElement} input
 */
export function fillOf(input) {
  const { min, max, value } = input;
  const share = (Number(value) - Number(min)) / (Number(max) - Number(min));
  input.style.setProperty("--fill", String(share));
}
