/** What the page says: short messages on the picture, and problems as cards. */

import { ApiError } from "./api.js";
import { build, byId, icon } from "./dom.js";

const SHOWN = 1800; // milliseconds of a short message
const PROBLEM_SHOWN = 12000;
const SPOKEN_AFTER = 700; // screen readers get the last one of a series

let saidTimer = 0;
let spokenTimer = 0;

/**
 * Show a short sentence on the picture for a moment, and let screen readers speak it.
 *
 * @param {string} text
 */
export function say(text) {
  const line = byId("said", HTMLParagraphElement);
  line.textContent = text;
  line.classList.add("shown");
  clearTimeout(saidTimer);
  saidTimer = setTimeout(() => line.classList.remove("shown"), SHOWN);
  clearTimeout(spokenTimer);
  spokenTimer = setTimeout(() => {
    byId("announcer", HTMLParagraphElement).textContent = text;
  }, SPOKEN_AFTER);
}

/**
 * Show a problem until it is closed or some seconds have passed. The same one shows once.
 *
 * @param {unknown} error
 */
export function complain(error) {
  const sentence = error instanceof Error ? error.message : String(error);
  const hint = error instanceof ApiError ? error.hint : "";
  const host = byId("notices", HTMLDivElement);
  for (const other of host.children) {
    if (other instanceof HTMLElement && other.dataset.sentence === sentence) other.remove();
  }
  const card = build(
    "div",
    { className: "notice", role: "alert", "data-sentence": sentence },
    icon("warning"),
    build(
      "div",
      {},
      build("p", {}, sentence),
      hint ? build("p", { className: "hint" }, capitalized(hint)) : null,
    ),
    build(
      "button",
      { type: "button", className: "quiet square", "aria-label": "Close this notice", onclick: () => card.remove() },
      icon("close"),
    ),
  );
  host.append(card);
  let timer = setTimeout(() => card.remove(), PROBLEM_SHOWN);
  card.addEventListener("pointerenter", () => clearTimeout(timer));
  card.addEventListener("pointerleave", () => {
    timer = setTimeout(() => card.remove(), PROBLEM_SHOWN / 2);
  });
}

/**
 * Run something that the user asked for, and show what goes wrong.
 *
 * @template T
 * @param {() => Promise<T>} task
 * @returns {Promise<T | undefined>}
 */
export async function attempt(task) {
  try {
    return await task();
  } catch (error) {
    complain(error);
    return undefined;
  }
}

/** @param {string} text */
function capitalized(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
