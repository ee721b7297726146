/** The sliders and switches of the look and the speed. */

import { call } from "./api.js";
import { setUpChoice } from "./choice.js";
import { build, byId, renderOn, setAttribute, setText } from "./dom.js";
import { attempt } from "./notices.js";
import { Slider } from "./slider.js";

const RATES = [10, 15, 20, 24, 25, 30, 50, 60];
const STROKES = [0.3, 3]; // the smallest and the largest factor
const SIZES = [128, 1280]; // pixels; programs may ask for other sizes
const MODELS = ["mobile", "fine", "live"]; // those in the package

/** @typedef {import("./types.js").State} State */

/** @param {number} value */
const percent = (value) => `${Math.round(100 * value)}%`;

/**
 * Wire the controls of the look.
 *
 * @param {import("./store.js").Store} store
 */
export function setUpLook(store) {
  const share = { min: 0, max: 1, step: 0.01, format: percent };
  const strength = new Slider({
    ...share, row: "strength-row", label: "Strength", title: "How much of the style is seen (up, down)",
    change: (value) => store.change({ strength: value }),
  });
  const colors = new Slider({
    ...share, row: "colors-row", label: "Colors kept", title: "How much of the camera's colors is kept (c)",
    change: (value) => store.change({ keep_colors: value }),
  });
  const detail = new Slider({
    ...share, row: "detail-row", label: "Detail", title: "How much of the camera's fine detail is added (d)",
    change: (value) => store.change({ detail: value }),
  });
  // Strokes are factors: equal steps of the slider are equal ratios. Its ends are round, so that
  // its steps meet a factor of 1; they lie just outside of the smallest and the largest factor.
  const stroke = new Slider({
    row: "stroke-row", label: "Strokes", title: "Finer to the left, broader to the right (, .)",
    min: -1.2, max: 1.1, step: 0.01,
    format: (value) => `${Math.exp(value).toFixed(2)}×`,
    change: (value) => store.change({ stroke: Math.min(STROKES[1], Math.max(STROKES[0], round(Math.exp(value)))) }),
  });
  const showBlend = setUpChoice(
    "blend",
    [
      ["pictures", "Pictures", "Less strength shows more of the camera's picture (t)"],
      ["styles", "Styles", "Less strength paints everything in a weaker style (t)"],
    ],
    (value) => store.change({ blend: value === "styles" ? "styles" : "pictures" }),
  );
  const showOnly = setUpChoice(
    "only",
    [
      ["everywhere", "Everything", "Paint the whole picture (b)"],
      ["person", "People", "Paint people only (b)"],
      ["background", "Background", "Paint everything but people (b)"],
    ],
    (value) => store.change({ only: value }),
  );
  store.subscribe(({ settings }) => {
    strength.show(settings.strength);
    colors.show(settings.keep_colors);
    detail.show(settings.detail);
    stroke.show(round(Math.log(settings.stroke)), `${settings.stroke.toFixed(2)}×`);
    showBlend(settings.blend);
    showOnly(settings.only);
  });
}

/**
 * Wire size, rate and model, and the list of what runs where.
 *
 * @param {import("./store.js").Store} store
 */
export function setUpSpeed(store) {
  const size = new Slider({
    row: "size-row", label: "Size", title: "Coarser and faster, finer and slower ([ ])",
    min: SIZES[0], max: SIZES[1], step: 32, format: (value) => `${value} px`,
    change: (value) => store.change({ size: value }),
  });
  const automatic = byId("size-auto", HTMLInputElement);
  automatic.addEventListener("change", () => {
    const now = store.state?.runs.size[0];
    store.change({ size: automatic.checked || !now ? "auto" : Math.max(...(store.state?.runs.size ?? [now])) });
  });
  const rate = byId("rate", HTMLSelectElement);
  rate.addEventListener("change", () => {
    const source = store.state?.session.source.id;
    if (source) void attempt(async () => store.receive(await call("PUT", "/api/session", { source, fps: Number(rate.value) })));
  });
  const model = byId("model", HTMLSelectElement);
  model.addEventListener("change", () => {
    const source = store.state?.session.source.id;
    if (source) void attempt(async () => store.receive(await call("PUT", "/api/session", { source, model: model.value })));
  });
  store.subscribe((state) => {
    const { settings, runs, session } = state;
    // Another model was given at the start; choosing it again changes nothing.
    const models = MODELS.includes(runs.model) || !runs.model ? MODELS : [...MODELS, runs.model];
    renderOn(model, models, () =>
      models.map((name) => build("option", { value: MODELS.includes(name) ? name : "given" }, name)),
    );
    const running = MODELS.includes(runs.model) ? runs.model : "given";
    if (document.activeElement !== model && model.value !== running) model.value = running;
    const auto = settings.size === "auto";
    const side = settings.size === "auto" ? Math.max(...runs.size) : settings.size;
    size.show(side, auto ? `${side} px, by speed` : `${side} px`);
    automatic.checked = auto;
    const fps = Math.round(session.source.fps);
    const rates = RATES.includes(fps) || !fps ? RATES : [...RATES, fps].sort((a, b) => a - b);
    renderOn(rate, rates, () => rates.map((value) => build("option", { value: String(value) }, `${value} fps`)));
    if (document.activeElement !== rate && rate.value !== String(fps)) rate.value = String(fps);
    showRuns(state);
  });
}

/** @param {State} state */
function showRuns({ runs, figures, session, viewers }) {
  const { source } = session;
  const rows = {
    Model: runs.model,
    Engine: runs.engine,
    Device: runs.device,
    Precision: runs.precision,
    "Network sees": `${runs.size.join(" × ")} pixels`,
    Source: source.width ? `${source.width} × ${source.height} pixels` : "",
    Frames: `${figures.frames} painted, ${figures.dropped} dropped`,
    Pages: `${viewers} watching`,
  };
  const summary = runs.model ? `Runs ${runs.model} on ${runs.device} with ${runs.engine}` : "What runs where";
  setText(byId("runs-summary", HTMLElement), summary);
  const list = byId("runs", HTMLElement);
  renderOn(list, Object.keys(rows), () =>
    Object.keys(rows).map((name) => build("div", {}, build("dt", {}, name), build("dd"))),
  );
  const cells = list.querySelectorAll("dd");
  Object.values(rows).forEach((text, i) => setText(cells[i], text || "not known yet"));
}

/**
 * Let the controls work only while there is a session that they change.
 *
 * @param {import("./store.js").Store} store
 */
export function setUpLiveControls(store) {
  const fieldsets = document.querySelectorAll("fieldset.live");
  store.subscribe(({ session }) => {
    for (const fieldset of fieldsets) {
      if (fieldset instanceof HTMLFieldSetElement) fieldset.disabled = !session.running;
    }
  });
}

/**
 * Wire the buttons that are on or off.
 *
 * @param {import("./store.js").Store} store
 */
export function setUpToggles(store) {
  const names = /** @type {const} */ (["mirror", "split", "frozen"]);
  for (const name of names) {
    byId(name, HTMLButtonElement).addEventListener("click", () =>
      store.change({ [name]: !store.state?.settings[name] }),
    );
  }
  store.subscribe(({ settings, session }) => {
    for (const name of names) {
      const button = byId(name, HTMLButtonElement);
      setAttribute(button, "aria-pressed", String(settings[name]));
      button.disabled = !session.running;
    }
  });
}

/** @param {number} value */
function round(value) {
  return Math.round(100 * value) / 100;
}
