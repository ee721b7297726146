/** Choose the source, start and stop: the chip in the head, the dialog, the cards on the stage. */

import { call } from "./api.js";
import { hasCamera, hasScreen } from "./camera.js";
import { build, byId, fillDialog, icon, setText, useIcon } from "./dom.js";
import { attempt } from "./notices.js";
import { BROWSER, countCameras } from "./session.js";
import { insecureAdvice, showCard } from "./stage.js";

/** @typedef {import("./types.js").SourceChoice} SourceChoice */
/** @typedef {import("./types.js").State} State */
/** @typedef {import("./session.js").SessionSwitch} SessionSwitch */

const KINDS = {
  camera: "a camera of the studio's computer",
  demo: "built in, needs no camera",
  screen: "of the studio's computer",
  given: "given at the start",
};

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
  const open = () => {
    void attempt(refresh);
    fillDialog(dialog, "Source", sourceCards(choices, store, session, () => dialog.close()), ...advice());
    dialog.showModal();
  };
  const render = () => {
    if (dialog.open) {
      fillDialog(dialog, "Source", sourceCards(choices, store, session, () => dialog.close()), ...advice());
    }
    if (store.state) showCards(store.state, status, choices, store, session);
    else if (!status.connected) showAway(status);
  };
  byId("source-button", HTMLButtonElement).addEventListener("click", open);
  byId("session-button", HTMLButtonElement).addEventListener("click", () => {
    const state = store.state;
    if (state?.session.running || state?.session.starting) void session.stop();
    else if (state?.session.source.spec && state.session.source.spec !== BROWSER) {
      void session.start(state.session.source.spec);
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
      if (store.state) renderHead(store.state, status.connected);
      render();
    },
  };
}

/** @returns {HTMLElement[]} */
function advice() {
  return hasCamera() ? [] : [insecureAdvice()];
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
  setText(byId("source-name", HTMLSpanElement), words || source.spec);
  const detail = running && source.width ? `${source.width}×${source.height}, ${Math.round(source.fps)} fps` : "";
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
 * Buttons for every source.
 *
 * @param {SourceChoice[]} choices
 * @param {import("./store.js").Store} store
 * @param {SessionSwitch} session
 * @param {() => void} chosen
 */
function sourceCards(choices, store, session, chosen) {
  const current = store.state?.session;
  const card = (
    /** @type {string} */ name,
    /** @type {string} */ title,
    /** @type {string} */ text,
    /** @type {boolean} */ isCurrent,
    /** @type {boolean} */ enabled,
    /** @type {() => void} */ choose,
  ) =>
    build(
      "button",
      {
        type: "button", className: "source-card", "aria-pressed": String(isCurrent), disabled: !enabled,
        onclick: () => {
          chosen();
          choose();
        },
      },
      icon(name),
      build("span", { className: "source-card-text" }, build("strong", {}, title), build("span", {}, text)),
    );
  const cards = [];
  for (const { spec, label, kind } of choices) {
    if (kind === BROWSER) continue;
    const isCurrent = Boolean(current?.running) && current?.source.spec === spec;
    cards.push(card(kind, capitalized(label), KINDS[kind] ?? "", isCurrent, true, () => void session.start(spec)));
  }
  if (choices.some(({ kind }) => kind === BROWSER)) {
    const sent = session.camera?.kind;
    const refused = "this browser does not give it at this address";
    cards.push(
      card("browser", "This browser's camera", hasCamera() ? "of the device before you" : refused, sent === "camera", hasCamera(), () => void session.startHere("camera")),
      card("screen", "This browser's screen", hasScreen() ? "a screen, a window or a tab" : refused, sent === "screen", hasScreen(), () => void session.startHere("screen")),
    );
  }
  return build("div", { className: "source-cards" }, ...cards);
}

/**
 * Show a card where the picture cannot speak for itself.
 *
 * @param {State} state
 * @param {import("./connection.js").Status} status
 * @param {SourceChoice[]} choices
 * @param {import("./store.js").Store} store
 * @param {SessionSwitch} session
 */
function showCards(state, status, choices, store, session) {
  const { running, starting, problem, source } = state.session;
  if (!status.connected) {
    showAway(status);
  } else if (starting) {
    showCard("starting", () => [
      build("span", { className: "spinner", "aria-hidden": "true" }),
      build("h2", {}, "Starting"),
      build("p", {}, "The model is prepared. The first time takes a while."),
    ]);
  } else if (!running) {
    showCard(`stopped ${problem} ${JSON.stringify(choices)}`, () => [
      build("h2", {}, problem ? "The session has ended" : "Nothing is running"),
      build("p", { className: problem ? "problem" : "" }, problem || "Choose what is painted."),
      sourceCards(choices, store, session, () => {}),
      ...advice(),
    ]);
  } else if (source.spec === BROWSER && problem && !session.camera) {
    showCard(`waiting ${problem}`, () => [
      build("h2", {}, "Waiting for a browser's camera"),
      build("p", {}, "Give this browser's camera or screen, or choose another source above."),
      sourceCards([{ spec: BROWSER, label: "", kind: BROWSER }], store, session, () => {}),
      ...advice(),
    ]);
  } else {
    showCard("", () => []);
  }
}

/** @param {import("./connection.js").Status} status */
function showAway({ sentence, hint }) {
  showCard(`away ${sentence}`, () => [
    build("span", { className: "spinner", "aria-hidden": "true" }),
    build("h2", {}, sentence),
    build("p", {}, `${capitalized(hint)}.`),
  ]);
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

/** @param {string} text */
function capitalized(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
