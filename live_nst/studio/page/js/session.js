/** Start, stop and change the session; send the browser's own camera. */

import { call } from "./api.js";
import { askFor, BrowserCamera } from "./camera.js";
import { attempt, complain, say } from "./notices.js";

/** @typedef {import("./camera.js").Kind} Kind */

export const BROWSER = "browser"; // the id of the source that this page feeds

export class SessionSwitch {
  /** @type {BrowserCamera | null} What this page sends; null for nothing. */
  camera = null;
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /**
   * @param {import("./store.js").Store} store
   * @param {() => number} serverNow Seconds of the server's clock; 0 if not known.
   */
  constructor(store, serverNow) {
    this.store = store;
    this.serverNow = serverNow;
    store.subscribe(({ session }) => {
      // Another page may have chosen another source: then this camera is not needed.
      if (this.camera?.wanted && session.running && session.source.id !== BROWSER) this.camera.stop();
      else if (this.camera && session.running && session.source.id === BROWSER) this.camera.wanted = true;
    });
  }

  /**
   * Call a function when the camera of this page starts or stops.
   *
   * @param {() => void} listener
   */
  onCamera(listener) {
    this.#listeners.add(listener);
  }

  /**
   * Start a session with a source of the studio's machine, or change to it.
   *
   * @param {string} source
   */
  async start(source) {
    this.camera?.stop();
    await attempt(async () => this.store.receive(await call("PUT", "/api/session", { source })));
  }

  /** Stop the session. */
  async stop() {
    this.camera?.stop();
    await attempt(async () => this.store.receive(await call("DELETE", "/api/session")));
  }

  /**
   * Use the camera or the screen of this browser as the source. Call it in the handler of a click.
   *
   * @param {Kind} kind
   * @param {MediaTrackConstraints} [which] Which camera.
   */
  async startHere(kind, which = {}) {
    await attempt(async () => {
      const stream = await askFor(kind, which);
      this.camera?.stop();
      const session = this.store.state?.session;
      if (!session?.running || session.source.id !== BROWSER) {
        try {
          this.store.receive(await call("PUT", "/api/session", { source: BROWSER }));
        } catch (error) {
          for (const track of stream.getTracks()) track.stop();
          throw error;
        }
      }
      const camera = new BrowserCamera(kind, stream, {
        now: this.serverNow,
        ended: (error) => {
          if (this.camera === camera) this.camera = null;
          if (error) complain(error);
          this.#tell();
        },
      });
      this.camera = camera;
      this.#tell();
      say(kind === "screen" ? "this screen is painted" : "this camera is painted");
    });
  }

  /** Change to the next camera of this browser. */
  async nextCamera() {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const ids = devices.filter(({ kind }) => kind === "videoinput").map(({ deviceId }) => deviceId);
    const current = this.camera?.track.getSettings().deviceId ?? "";
    const next = ids[(ids.indexOf(current) + 1) % ids.length];
    // Phones open one camera at a time.
    this.camera?.stop();
    await this.startHere("camera", { deviceId: { exact: next } });
  }

  #tell() {
    for (const listener of this.#listeners) listener();
  }
}

/** How many cameras this browser has. */
export async function countCameras() {
  const devices = await navigator.mediaDevices.enumerateDevices();
  return devices.filter(({ kind }) => kind === "videoinput").length;
}
