/** The frame rate and the latency of the last minute, drawn as they come. */

import { build, byId, setText } from "./dom.js";

const SAMPLES = 240; // one minute, four a second
const PERIOD = 250; // milliseconds

/** @typedef {import("./types.js").State} State */

class Chart {
  /** @type {(number | null)[]} */
  #values = [];

  /**
   * @param {HTMLElement} host
   * @param {string} name
   * @param {string} unit
   * @param {number} least The smallest upper end of the scale.
   */
  constructor(host, name, unit, least) {
    this.unit = unit;
    this.least = least;
    this.name = name;
    this.value = build("span", { className: "chart-value" }, "–");
    this.range = build("p", { className: "chart-range" });
    this.canvas = build("canvas", { role: "img", "aria-label": `${name} of the last minute` });
    host.append(
      build(
        "div",
        { className: "chart" },
        build("div", { className: "chart-head" }, build("span", {}, name), this.value),
        this.canvas,
        this.range,
      ),
    );
    new ResizeObserver(() => this.draw()).observe(this.canvas);
    document.addEventListener("themechange", () => this.draw());
  }

  /** @param {number | null} value */
  add(value) {
    this.#values.push(value);
    if (this.#values.length > SAMPLES) this.#values.shift();
    const known = this.#values.filter((v) => v !== null);
    setText(this.value, value === null ? "–" : `${Math.round(value)} ${this.unit}`);
    setText(
      this.range,
      known.length > 8 ? `${Math.round(Math.min(...known))} to ${Math.round(Math.max(...known))}` : "",
    );
    this.draw();
  }

  draw() {
    const { canvas } = this;
    const scale = devicePixelRatio || 1;
    const width = Math.round(canvas.clientWidth * scale);
    const height = Math.round(canvas.clientHeight * scale);
    const context = canvas.getContext("2d");
    if (!context || !width || !height) return;
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const colors = getComputedStyle(canvas);
    context.clearRect(0, 0, width, height);
    const most = Math.max(this.least, ...this.#values.map((value) => value ?? 0)) * 1.12;
    const y = (/** @type {number} */ value) => height - scale - (value / most) * (height - 2 * scale);
    context.strokeStyle = colors.borderTopColor;
    context.lineWidth = scale;
    context.beginPath();
    for (const part of [0, 0.5, 1]) {
      const at = Math.round(scale / 2 + part * (height - scale));
      context.moveTo(0, at);
      context.lineTo(width, at);
    }
    context.stroke();
    const step = width / (SAMPLES - 1);
    const start = SAMPLES - this.#values.length;
    context.strokeStyle = colors.color;
    context.lineWidth = 1.6 * scale;
    context.lineJoin = "round";
    context.beginPath();
    let joined = false;
    this.#values.forEach((value, i) => {
      if (value === null) {
        joined = false;
        return;
      }
      const x = (start + i) * step;
      if (joined) context.lineTo(x, y(value));
      else context.moveTo(x, y(value));
      joined = true;
    });
    context.stroke();
  }
}

/**
 * Draw the graphs.
 *
 * @param {import("./store.js").Store} store
 * @param {() => number | null} pageLatency Milliseconds from the camera to this page, if known.
 */
export function setUpGraph(store, pageLatency) {
  const host = byId("graph", HTMLDivElement);
  const rate = new Chart(host, "Frame rate", "fps", 30);
  const latency = new Chart(host, "Latency", "ms", 80);
  const chart = host.lastElementChild;
  setInterval(() => {
    if (document.hidden) return;
    const state = store.state;
    const running = store.connected && state?.session.running;
    rate.add(running ? state.figures.fps : null);
    const here = pageLatency();
    latency.add(running ? here ?? state.figures.latency_ms : null);
    chart?.setAttribute("title", here === null ? "From the camera to the studio's output" : "From the camera to this page");
  }, PERIOD);
}
