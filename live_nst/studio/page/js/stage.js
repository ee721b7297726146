/** The live picture and what lies on it: the divider and the figures. */

import { byId, setAttribute, setText } from "./dom.js";
import { canDecode, LiveVideo } from "./video.js";

const DIVIDER_STEP = 0.02;

/** @typedef {import("./types.js").State} State */

export class Stage {
  /** @type {LiveVideo | null} */
  video = null;
  #dragging = false;

  /** @param {import("./store.js").Store} store */
  constructor(store) {
    this.store = store;
    this.stage = byId("stage", HTMLElement);
    this.picture = byId("picture", HTMLDivElement);
    this.canvas = byId("canvas", HTMLCanvasElement);
    this.image = byId("mjpeg", HTMLImageElement);
    this.divider = byId("divider", HTMLDivElement);
    this.overlay = byId("overlay", HTMLDivElement);
    this.badge = byId("badge", HTMLParagraphElement);
    this.#showPicture();
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

  #showPicture() {
    if (canDecode()) {
      this.video = new LiveVideo(this.canvas, {
        resized: (width, height) => this.#setRatio(width, height),
        drawn: () => this.picture.classList.add("lit"),
      });
      return;
    }
    this.canvas.hidden = true;
    this.image.hidden = false;
    this.image.addEventListener("load", () => {
      this.#setRatio(this.image.naturalWidth, this.image.naturalHeight);
      this.picture.classList.add("lit");
    });
    this.image.addEventListener("error", () => setTimeout(() => this.#loadImage(), 1500));
    this.#loadImage();
  }

  #loadImage() {
    this.image.src = `/stream.mjpeg?t=${Date.now()}`;
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #setRatio(width, height) {
    if (width && height) this.picture.style.setProperty("--ratio", String(width / height));
  }

  /** @param {State} state */
  #render(state) {
    const { settings, session, figures, runs } = state;
    const { spec, width, height } = session.source;
    if (!this.picture.classList.contains("lit")) this.#setRatio(width, height);
    this.picture.classList.toggle("idle", !session.running);
    this.divider.hidden = !settings.split || !session.running;
    this.#placeDivider(settings.split_at);
    const latency = this.video?.latency ?? figures.latency_ms;
    if (!this.overlay.hidden) {
      setText(
        this.overlay,
        `${figures.fps.toFixed(1)} fps   ${runs.size.join("×")}   ${Math.round(latency)} ms`,
      );
    }
    const badge = settings.frozen ? "Frozen" : session.problem && spec !== "browser" ? session.problem : "";
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
