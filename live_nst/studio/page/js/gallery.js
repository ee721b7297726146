/** The styles as thumbnails of the current frame in each style. */

import { build, byId, icon, setAttribute, setText } from "./dom.js";
import { mainStyle } from "./mix.js";
import { attempt, say } from "./notices.js";
import { pigmentsOf } from "./pigment.js";

const TILE_MARGIN = 60; // pixels that stay free beside the tile in use
const NUMBERED = 9; // styles that have a key of their own
const COLOR_WAIT = 700; // milliseconds: the live picture changes first, then the page's colors

/** @typedef {import("./types.js").State} State */
/** @typedef {import("./types.js").Style} Style */

export class Gallery {
  /** @type {Map<string, Tile>} */
  #tiles = new Map();
  #main = "";
  #colorTimer = 0;

  /**
   * @param {import("./store.js").Store} store
   * @param {import("./styles.js").StyleList} styles
   * @param {import("./mix.js").Mix} mix
   * @param {() => void} chooseFile Opens the dialog for a file.
   */
  constructor(store, styles, mix, chooseFile) {
    this.store = store;
    this.styles = styles;
    this.mix = mix;
    this.host = byId("tiles", HTMLUListElement);
    this.adder = build(
      "li",
      { className: "tile-item" },
      build(
        "button",
        { type: "button", className: "tile add", title: "Or drop or paste a picture anywhere", onclick: chooseFile },
        icon("plus"),
        build("span", { className: "tile-name" }, "Add a picture"),
      ),
    );
    this.host.append(this.adder);
    this.host.addEventListener("wheel", (event) => this.#scroll(event), { passive: false });
    styles.subscribe((all) => this.#list(all));
    store.subscribe((state) => this.#render(state));
  }

  /**
   * Show that a picture is on its way.
   *
   * @param {string} label
   * @returns {() => void} Ends that.
   */
  expect(label) {
    const tile = build(
      "li",
      { className: "tile-item" },
      build("div", { className: "tile waiting" }, build("span", { className: "spinner" }), build("span", { className: "tile-name" }, label)),
    );
    this.adder.before(tile);
    this.#show(tile);
    return () => tile.remove();
  }

  /**
   * Move the strip until a tile is seen; the page itself stays where it is.
   *
   * @param {HTMLElement | undefined} tile
   */
  #show(tile) {
    if (!tile) return;
    const { host } = this;
    const left = tile.offsetLeft - host.offsetLeft;
    const right = left + tile.offsetWidth - host.clientWidth;
    if (host.scrollLeft > left - TILE_MARGIN) host.scrollLeft = left - TILE_MARGIN;
    else if (host.scrollLeft < right + TILE_MARGIN) host.scrollLeft = right + TILE_MARGIN;
  }

  /**
   * Let a plain mouse wheel move the strip, as long as there is more of it.
   *
   * @param {WheelEvent} event
   */
  #scroll(event) {
    const { host } = this;
    const left = host.scrollLeft + event.deltaY;
    if (event.deltaX || event.ctrlKey || left < 0 || left > host.scrollWidth - host.clientWidth) return;
    event.preventDefault();
    host.scrollLeft = left;
  }

  /** @param {Style[]} all */
  #list(all) {
    const ids = new Set(all.map(({ id }) => id));
    for (const [id, tile] of this.#tiles) {
      if (!ids.has(id)) {
        tile.element.remove();
        this.#tiles.delete(id);
      }
    }
    all.forEach((style, i) => {
      let tile = this.#tiles.get(style.id);
      if (!tile) {
        tile = new Tile(style, i < NUMBERED ? String(i + 1) : "", this.mix, () => this.#remove(style));
        this.#tiles.set(style.id, tile);
      }
      const place = this.host.children[i];
      if (place !== tile.element) this.host.insertBefore(tile.element, place ?? this.adder);
    });
    if (this.store.state) this.#render(this.store.state);
  }

  /** @param {Style} style */
  #remove(style) {
    void attempt(async () => {
      await this.styles.remove(style.id);
      say(`removed ${style.label}`);
    });
  }

  /** @param {State} state */
  #render({ session, settings, thumbnails }) {
    const total = Object.values(settings.style).reduce((sum, weight) => sum + weight, 0) || 1;
    for (const [id, tile] of this.#tiles) {
      const weight = settings.style[id];
      tile.show(weight === undefined ? 0 : weight / total, thumbnails[id] ?? 0, session.running);
    }
    const main = mainStyle(settings.style) ?? "";
    const style = this.styles.find(main);
    const mixed = Object.keys(settings.style).length > 1;
    setText(byId("style-label", HTMLSpanElement), mixed ? this.#describe(settings.style) : style?.label ?? settings.style_label);
    setText(byId("style-description", HTMLParagraphElement), mixed ? "a mix of styles" : describe(style));
    if (style && main !== this.#main) {
      this.#main = main;
      clearTimeout(this.#colorTimer);
      this.#colorTimer = setTimeout(() => void this.#paintPage(style), COLOR_WAIT);
      this.#show(this.#tiles.get(main)?.element);
    }
  }

  /** @param {Record<string, number>} weights */
  #describe(weights) {
    return Object.keys(weights).map((id) => this.styles.find(id)?.label ?? id).join(" + ");
  }

  /**
   * Show the style's pigments, and give the page its accent.
   *
   * @param {Style} style
   */
  async #paintPage(style) {
    try {
      const { dabs, hue, chroma } = await pigmentsOf(style.picture);
      if (style.id !== this.#main) return;
      const root = document.documentElement.style;
      root.setProperty("--accent-hue", String(Math.round((hue + 360) % 360)));
      root.setProperty("--accent-chroma", String(Math.min(0.13, chroma).toFixed(3)));
      byId("palette", HTMLSpanElement).replaceChildren(
        ...dabs.map((color) => {
          const dab = build("span", { className: "dab" });
          dab.style.backgroundColor = color;
          return dab;
        }),
      );
    } catch {
      this.#main = ""; // the picture did not come; the next state tries again
    }
  }
}

class Tile {
  #version = -1;

  /**
   * @param {Style} style
   * @param {string} key The key that chooses it; "" for none.
   * @param {import("./mix.js").Mix} mix
   * @param {() => void} remove
   */
  constructor(style, key, mix, remove) {
    this.style = style;
    this.image = build("img", { alt: "", decoding: "async", draggable: false });
    this.share = build("span", { className: "tile-share", hidden: true });
    this.button = build(
      "button",
      { type: "button", className: "tile", "aria-pressed": "false", title: describe(style), onclick: () => mix.use(style.id) },
      this.image,
      this.share,
      key ? build("kbd", { "aria-hidden": "true" }, key) : null,
      build("span", { className: "tile-name" }, style.label),
    );
    this.mixer = build(
      "button",
      { type: "button", className: "tile-mix", "aria-pressed": "false", title: `Mix with ${style.label}`,
        tabIndex: -1, // keys have the list "Mix with"
        onclick: () => mix.mixIn(style.id) },
      icon("mix"),
      build("span", { className: "sr-only" }, `Mix with ${style.label}`),
    );
    this.element = build("li", { className: "tile-item", "data-style": style.id }, this.button, this.mixer);
    if (style.kind === "upload") {
      this.element.append(
        build(
          "button",
          { type: "button", className: "tile-remove", "aria-label": `Remove ${style.label}`, title: "Remove", onclick: remove },
          icon("close"),
        ),
      );
    }
  }

  /**
   * @param {number} share Of this style in what is shown, 0 to 1.
   * @param {number} version Of the thumbnail; 0 if there is none.
   * @param {boolean} enabled
   */
  show(share, version, enabled) {
    this.button.disabled = this.mixer.disabled = !enabled;
    setAttribute(this.button, "aria-pressed", String(share > 0));
    setAttribute(this.mixer, "aria-pressed", String(share > 0 && share < 1));
    this.mixer.hidden = share === 1;
    this.share.hidden = share === 0 || share === 1;
    setText(this.share, `${Math.round(100 * share)}%`);
    if (version !== this.#version) {
      this.#version = version;
      // The style itself, until the current frame is painted in it.
      void this.#load(version ? `${this.style.thumbnail}?v=${version}` : this.style.picture);
    }
  }

  /** @param {string} url */
  async #load(url) {
    const next = new Image();
    next.src = url;
    try {
      await next.decode(); // so that the tile never flashes
      this.image.src = url;
    } catch {
      this.#version = -1;
    }
  }
}

/** @param {Style | undefined} style */
function describe(style) {
  return style?.description || (style?.kind === "upload" ? "a picture of yours" : "");
}
