/** Cards: the sources to choose from, and what the stage says where there is no picture. */

import { isLimited, limitsAdvice } from "./advice.js";
import { hasCamera, hasScreen } from "./camera.js";
import { build, byId, icon, renderOn } from "./dom.js";
import { BROWSER } from "./session.js";

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
 * Buttons for every source.
 *
 * @param {SourceChoice[]} choices
 * @param {import("./store.js").Store} store
 * @param {SessionSwitch} session
 * @param {() => void} chosen
 */
export function sourceCards(choices, store, session, chosen) {
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
  const browserCards = () => {
    const sent = session.camera?.kind;
    const refused = "this browser does not give it at this address";
    return [
      card("browser", "This browser's camera", hasCamera() ? "of the device before you" : refused, sent === "camera", hasCamera(), () => void session.startHere("camera")),
      card("screen", "This browser's screen", hasScreen() ? "a screen, a window or a tab" : refused, sent === "screen", hasScreen(), () => void session.startHere("screen")),
    ];
  };
  const cards = [];
  for (const { id, label, kind } of choices) {
    if (kind === BROWSER) {
      cards.push(...browserCards());
      continue;
    }
    const isCurrent = Boolean(current?.running) && current?.source.id === id;
    cards.push(card(kind, capitalized(label), KINDS[kind] ?? "", isCurrent, true, () => void session.start(id)));
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
export function showCards(state, status, choices, store, session) {
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
  } else if (source.id === BROWSER && problem && !session.camera) {
    showCard(`waiting ${problem}`, () => [
      build("h2", {}, "Waiting for a browser's camera"),
      build("p", {}, "Give this browser's camera or screen, or choose another source above."),
      sourceCards([{ id: BROWSER, label: "", kind: BROWSER }], store, session, () => {}),
      ...advice(),
    ]);
  } else {
    showCard("", () => []);
  }
}

/** @param {import("./connection.js").Status} status */
export function showAway({ sentence, hint }) {
  showCard(`away ${sentence}`, () => [
    build("span", { className: "spinner", "aria-hidden": "true" }),
    build("h2", {}, sentence),
    build("p", {}, `${capitalized(hint)}.`),
  ]);
}

/** @returns {HTMLElement[]} */
export function advice() {
  return isLimited() ? [limitsAdvice()] : [];
}

/**
 * Show a card in the place of the picture, or none.
 *
 * @param {string} key What the card depends on; "" for none.
 * @param {() => (Node | string)[]} children
 */
function showCard(key, children) {
  const card = byId("stage-card", HTMLDivElement);
  card.hidden = !key;
  if (key) renderOn(card, key, children);
}

/** @param {string} text */
function capitalized(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
