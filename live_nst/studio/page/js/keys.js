/** The keys of live-nst's window, on the page. The studio decides what most of them do. */

import { call } from "./api.js";
import { byId } from "./dom.js";
import { attempt } from "./notices.js";

const SENT = "npkltcdbamvr,.[]+-=123456789"; // one character each; the studio knows them
/** @type {Record<string, string>} Names of the browser's keys as the studio has them. */
const NAMED = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right", " ": "space" };
const ARROWS = /^(Arrow|Page|Home|End)/;

/** Whether keys work; the help dialog has the switch. */
export const keys = {
  get on() {
    try {
      return localStorage.getItem("keys") !== "off";
    } catch {
      return true;
    }
  },
  set on(value) {
    try {
      localStorage.setItem("keys", value ? "on" : "off");
    } catch {
      // Without storage the keys stay on.
    }
  },
};

/**
 * @param {import("./store.js").Store} store
 * @param {{ stage: import("./stage.js").Stage, session: import("./session.js").SessionSwitch, help: () => void }} page
 */
export function setUpKeys(store, { stage, session, help }) {
  /** @type {Record<string, () => void>} What the page itself does. */
  const own = {
    s: () => byId("snapshot", HTMLButtonElement).click(),
    w: () => byId("presets-button", HTMLButtonElement).click(),
    o: () => stage.toggleOverlay(),
    f: () => void attempt(() => stage.toggleFullscreen()),
    q: () => void session.stop(),
    h: help,
    "?": help,
  };
  // After a click with the mouse, the space bar freezes the picture and presses no button.
  document.addEventListener("click", ({ detail, target }) => {
    const button = target instanceof Element ? target.closest("button") : null;
    if (detail && button && !button.closest("dialog")) button.blur();
  });
  document.addEventListener("keydown", (event) => {
    if (!keys.on || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (document.querySelector("dialog[open]") || belongsTo(event.target, event.key)) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const name = NAMED[event.key] ?? (SENT.includes(key) ? key : "");
    const action = own[key] ?? (name ? () => void send(store, name) : undefined);
    if (!action || (event.repeat && own[key])) return;
    event.preventDefault();
    action();
  });
}

/**
 * @param {import("./store.js").Store} store
 * @param {string} key
 */
async function send(store, key) {
  await attempt(async () => store.receive(await call("POST", "/api/keys", { key })));
}

/**
 * Whether the element with the focus needs a key itself.
 *
 * @param {EventTarget | null} target
 * @param {string} key
 */
function belongsTo(target, key) {
  if (!(target instanceof Element)) return false;
  if (target.matches("textarea, select, [contenteditable]")) return true;
  if (target instanceof HTMLInputElement && !["range", "radio", "checkbox"].includes(target.type)) return true;
  if (target.matches("input[type=range], input[type=radio], [role=slider]")) return ARROWS.test(key);
  if (target.matches("button, a, summary, input[type=checkbox]")) return key === " " || key === "Enter";
  return false;
}
