/** The dialog with the keys. */

import { build, byId, fillDialog } from "./dom.js";
import { keys } from "./keys.js";

/** @type {[keys: string, words: string][]} */
const KEYS = [
  ["n p 1-9", "next, previous, numbered style"],
  ["k l", "mix: towards the previous, the next style"],
  ["up down", "more, less style"],
  ["t", "strength blends pictures or styles"],
  [", .", "finer, broader strokes"],
  ["c", "keep the camera's colors"],
  ["d", "add the camera's detail"],
  ["b", "stylize everything, people or the background"],
  ["[ ]", "coarser and faster, finer and slower"],
  ["a", "size by speed"],
  ["v", "original | stylized"],
  ["m", "mirror"],
  ["space", "freeze"],
  ["s", "save a picture"],
  ["r", "record on/off"],
  ["w", "write a preset"],
  ["o", "figures on/off"],
  ["f", "full screen"],
  ["h", "this help"],
  ["q", "quit"],
];

/** @returns {() => void} Opens the dialog. */
export function setUpHelp() {
  const dialog = byId("help-dialog", HTMLDialogElement);
  const rows = KEYS.map(([names, words]) =>
    build(
      "div",
      {},
      build("dt", {}, ...names.split(" ").flatMap((name) => [build("kbd", {}, name), " "])),
      build("dd", {}, words),
    ),
  );
  const list = build("dl", { className: "keys" }, ...rows);
  const on = build("input", { type: "checkbox", role: "switch", checked: keys.on, onchange: () => (keys.on = on.checked) });
  const content = [
    build("p", {}, "The same keys as in the window. While a slider or a text has the focus, it gets its own keys."),
    list,
    build("label", { className: "switch" }, on, build("span", { className: "switch-track", "aria-hidden": "true" }), build("span", {}, "Keys work on this page")),
    build("p", { className: "hint" }, "Drop or paste a picture anywhere: it becomes a style."),
  ];
  const open = () => {
    if (dialog.open) return;
    fillDialog(dialog, "Keys", ...content);
    dialog.showModal();
  };
  byId("help-button", HTMLButtonElement).addEventListener("click", open);
  return open;
}
