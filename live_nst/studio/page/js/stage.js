/** The live picture and what lies on it: the divider and the figures. */

import { byId, setAttribute, setText } from "./dom.js";
import { setRatio, video } from "./picture.js";

const DIVIDER_STEP = 0.02;

/** @typedef {import("./types.js").State} State */

export class Stage {
  #dragging = false;

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.stage = byId("stage", HTMLElement);
    this.picture = byId("picture", HTMLDivElement);
    this.divider = byId("divider", HTMLDivElement);
    this.overlay = byId("overlay", HTMLDivElement);
    this.badge = byId("badge", HTMLParagraphElement);
    this.#setUpDivider();
    store.subscribe((state) => this.#render(state));
  }

  /** Show or hide the figures on the picture. */
  toggleOverlay() {
    this.overlay.hidden = !this.overlay.hidden;
  }

  /** Fill the screen with the picture, or end that. */
  async toggleFullscreen() {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await this.stage.requestFullscreen?.();
  }

  /** @param {State} state */
  #render(state) {
    const { settings, session, figures, runs } = state;
    const { id, width, height } = session.source;
    if (!this.picture.classList.contains("lit")) setRatio(width, height);
    this.picture.classList.toggle("idle", !session.running);
    this.divider.hidden = !settings.split || !session.running;
    this.#placeDivider(settings.split_at);
    const latency = video?.latency ?? figures.latency_ms;
    if (!this.overlay.hidden) {
      setText(
        this.overlay,
        `${figures.fps.toFixed(1)} fps   ${runs.size.join("×")}   ${Math.round(latency)} ms`,
      );
    }
    const badge = settings.frozen ? "Frozen" : session.problem && id !== "browser" ? session.problem : "";
    this.badge.hidden = !badge || !session.running;
    setText(this.badge, badge);
  }

  #setUpDivider() {
    const { divider } = this;
    divider.addEventListener("pointerdown", (event) => {
      divider.setPointerCapture(event.pointerId);
      this.#dragging = true;
      event.preventDefault();
      divider.focus();
    });
    divider.addEventListener("pointermove", (event) => {
      if (!this.#dragging) return;
      const box = this.picture.getBoundingClientRect();
      this.#move((event.clientX - box.left) / box.width);
    });
    const end = () => {
      this.#dragging = false;
    };
    divider.addEventListener("pointerup", end);
    divider.addEventListener("pointercancel", end);
    divider.addEventListener("keydown", (event) => {
      const at = this.store.state?.settings.split_at ?? 0.5;
      /** @type {Record<string, number>} */
      const places = {
        ArrowLeft: at - DIVIDER_STEP,
        ArrowDown: at - DIVIDER_STEP,
        ArrowRight: at + DIVIDER_STEP,
        ArrowUp: at + DIVIDER_STEP,
        PageDown: at - 5 * DIVIDER_STEP,
        PageUp: at + 5 * DIVIDER_STEP,
        Home: 0,
        End: 1,
      };
      if (event.key in places) {
        event.preventDefault();
        this.#move(places[event.key]);
      }
    });
  }

  /** @param {number} at */
  #move(at) {
    const split_at = Math.round(1000 * Math.min(1, Math.max(0, at))) / 1000;
    this.store.change({ split_at });
  }

  /** @param {number} at */
  #placeDivider(at) {
    this.divider.style.setProperty("--at", String(at));
    const percent = Math.round(100 * at);
    setAttribute(this.divider, "aria-valuenow", String(percent));
    setAttribute(this.divider, "aria-valuetext", `${percent}% original`);
  }
}
