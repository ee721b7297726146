/** Choose the source, start and stop: the chip in the head, the dialog, the cards on the stage. */

import { isLimited } from "./advice.js";
import { call } from "./api.js";
import { advice, showAway, showCards, sourceCards } from "./cards.js";
import { build, byId, fillDialog, icon, setText, useIcon } from "./dom.js";
import { attempt } from "./notices.js";
import { BROWSER, countCameras } from "./session.js";

/** @typedef {import("./types.js").SourceChoice} SourceChoice */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./session.js").SessionSwitch} SessionSwitch */

/**
 * @param {import("./store.js").Store} store
 * @param {SessionSwitch} session
 * @returns {{ status: (status: import("./connection.js").Status) => void }}
 */
export function setUpSource(store, session) {
  /** @type {import("./connection.js").Status} */
  let status = { connected: true, sentence: "", hint: "" };
  /** @type {SourceChoice[]} */
  let choices = [];
  const dialog = byId("source-dialog", HTMLDialogElement);
  const refresh = async () => {
    choices = await call("GET", "/api/sources");
    render();
  };
  let filled = "";
  const fill = () => {
    // Built anew only when it differs, so that the focus stays.
    const key = JSON.stringify([choices, store.state?.session.running, store.state?.session.source.id, session.camera?.kind]);
    if (key === filled) return;
    filled = key;
    fillDialog(dialog, "Source", sourceCards(choices, store, session, () => dialog.close()), ...advice());
  };
  const open = () => {
    fill();
    dialog.showModal();
    void attempt(refresh);
  };
  const render = () => {
    if (dialog.open) fill();
    if (store.state) showCards(store.state, status, choices, store, session);
    else if (!status.connected) showAway(status);
  };
  byId("source-button", HTMLButtonElement).addEventListener("click", open);
  const limits = byId("limits", HTMLButtonElement);
  limits.hidden = !isLimited();
  limits.addEventListener("click", open);
  byId("session-button", HTMLButtonElement).addEventListener("click", () => {
    const state = store.state;
    if (state?.session.running || state?.session.starting) void session.stop();
    else if (state?.session.source.id && state.session.source.id !== BROWSER) {
      void session.start(state.session.source.id);
    } else open();
  });
  let hadNone = false;
  store.subscribe((state) => {
    renderHead(state, status.connected);
    const none = !state.session.running && !state.session.starting;
    if (none && !hadNone) void refresh().catch(() => {}); // the card shows them
    hadNone = none;
    render();
  });
  session.onCamera(() => {
    void showUplink(session);
    render();
  });
  return {
    status: (next) => {
      status = next;
      store.connected = next.connected;
      document.documentElement.classList.toggle("away", !next.connected);
      if (store.state) renderHead(store.state, status.connected);
      render();
    },
  };
}

/**
 * @param {State} state
 * @param {boolean} connected
 */
function renderHead({ session, viewers }, connected) {
  const { source, running, starting } = session;
  const lamp = byId("lamp", HTMLSpanElement);
  lamp.dataset.state = !connected ? "away" : starting ? "starting" : running ? "running" : "stopped";
  const words = !connected ? "no connection" : starting ? "starting" : running ? source.name : "stopped";
  setText(byId("source-name", HTMLSpanElement), words || source.id);
  const detail = running && connected && source.width ? `${source.width}×${source.height}, ${Math.round(source.fps)} fps` : "";
  setText(byId("source-detail", HTMLSpanElement), detail);
  const watching = byId("viewers", HTMLSpanElement);
  watching.hidden = viewers < 2;
  setText(watching, `${viewers} pages`);
  const button = byId("session-button", HTMLButtonElement);
  button.disabled = !connected;
  const on = running || starting;
  button.classList.toggle("start", !on);
  useIcon(button, on ? "stop" : "play");
  const label = button.querySelector("span");
  if (label) setText(label, on ? "Stop" : "Start");
}

/**
 * Show that this page sends a camera or a screen, with what can be done about it.
 *
 * @param {SessionSwitch} session
 */
async function showUplink(session) {
  const host = byId("uplink", HTMLDivElement);
  const { camera } = session;
  host.hidden = !camera;
  if (!camera) return;
  const words = camera.kind === "screen" ? "This screen is sent" : "This camera is sent";
  const several = camera.kind === "camera" && (await countCameras()) > 1;
  const flip = build(
    "button",
    { type: "button", className: "quiet", onclick: () => void attempt(() => session.nextCamera()) },
    icon("flip"),
    build("span", {}, "Other camera"),
  );
  host.replaceChildren(
    build("span", { className: "lamp", "data-state": "running", "aria-hidden": "true" }),
    build("span", {}, words),
    ...(several ? [flip] : []),
    build("button", { type: "button", className: "quiet", onclick: () => session.camera?.stop() }, "Stop sending"),
  );
}
