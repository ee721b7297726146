/** One of a few words, as a row of radio buttons. */

import { build, byId } from "./dom.js";

/**
 * Fill a fieldset with choices.
 *
 * @param {string} fieldset Its id.
 * @param {[value: string, words: string, title?: string][]} choices
 * @param {(value: string) => void} change Called with the value that was chosen.
 * @returns {(value: string) => void} Shows a value; one that is not there shows none.
 */
export function setUpChoice(fieldset, choices, change) {
  const inputs = choices.map(([value]) =>
    build("input", { type: "radio", name: fieldset, value, onchange: () => change(value) }),
  );
  const labels = choices.map(([, words, title], i) =>
    build("label", { title }, inputs[i], build("span", {}, words)),
  );
  byId(fieldset, HTMLFieldSetElement).append(build("div", { className: "segments" }, ...labels));
  return (value) => {
    for (const input of inputs) input.checked = input.value === value;
  };
}
