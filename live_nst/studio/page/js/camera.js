/** The browser's own camera or screen, sent to the studio. */

import { ApiError } from "./api.js";
import { eachFrame } from "./frames.js";
import { LastingSocket } from "./socket.js";
import { openEncoder } from "./uplink.js";

const MOST_BUFFERED = 256 * 1024; // bytes in the socket
const MOST_UNANSWERED = 12; // frames that the studio has not decoded yet
const FPS = 30;
const LONGEST_PAUSE = 1000; // milliseconds; a screen on which nothing moves gives no frames
const CAMERA = { width: { ideal: 1280 }, height: { ideal: 720 }, frameRate: { ideal: FPS } };
const SCREEN = { width: { max: 1920 }, height: { max: 1080 }, frameRate: { max: FPS } };

/** @typedef {"camera" | "screen"} Kind */

/** Whether this browser gives its camera to a page at this address. */
export function hasCamera() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

/** Whether this browser gives its screen to a page at this address. */
export function hasScreen() {
  return Boolean(navigator.mediaDevices?.getDisplayMedia);
}

/**
 * Ask the user for the camera or the screen. Call it in the handler of a click.
 *
 * @param {Kind} kind
 * @param {MediaTrackConstraints} [which] Which camera.
 * @returns {Promise<MediaStream>}
 * @throws {ApiError} The user or the system refuses.
 */
export async function askFor(kind, which = {}) {
  try {
    return kind === "screen"
      ? await navigator.mediaDevices.getDisplayMedia({ video: SCREEN })
      : await navigator.mediaDevices.getUserMedia({ video: { ...CAMERA, ...which } });
  } catch (error) {
    throw refusal(kind, error instanceof Error ? error.name : "");
  }
}

/**
 * @param {Kind} kind
 * @param {string} name Of the browser's error.
 */
function refusal(kind, name) {
  const what = kind === "screen" ? "screen" : "camera";
  if (name === "NotAllowedError") {
    return new ApiError(0, `The browser does not give its ${what} to this page.`, "allow it in the bar of addresses, then try again");
  }
  if (name === "NotFoundError" || name === "OverconstrainedError") {
    return new ApiError(0, `The browser finds no ${what}.`, "connect one, then try again");
  }
  if (name === "NotReadableError") {
    return new ApiError(0, `The ${what} cannot be opened.`, "close other programs that use it");
  }
  return new ApiError(0, `The browser's ${what} cannot be used (${name || "no reason given"}).`);
}

export class BrowserCamera {
  wanted = false; // whether the session has had this page's camera as its source
  #abort = new AbortController();
  /** @type {import("./uplink.js").Encoder | null} */
  #encoder = null;
  /** @type {LastingSocket | null} */
  #socket = null;
  #unanswered = 0;
  #repeatTimer = 0;
  /** @type {VideoFrame | null} */
  #last = null;

  /**
   * Send a stream until it ends or `stop` is called.
   *
   * @param {Kind} kind
   * @param {MediaStream} stream
   * @param {{ now: () => number, ended: (error: ApiError | null) => void }} options
   *   `now` gives seconds of the server's clock, 0 if not known; `ended` is called once.
   */
  constructor(kind, stream, options) {
    this.kind = kind;
    this.stream = stream;
    this.options = options;
    this.track = stream.getVideoTracks()[0];
    this.track.addEventListener("ended", () => this.stop());
    void this.#start();
  }

  /** The width and height of what is sent, in pixels. */
  get size() {
    const { width = 0, height = 0 } = this.track.getSettings();
    return { width, height };
  }

  /**
   * Stop it and let the camera's lamp go out.
   *
   * @param {ApiError | null} [error] Why, if something went wrong.
   */
  stop(error = null) {
    if (this.#abort.signal.aborted) return;
    this.#abort.abort();
    for (const track of this.stream.getTracks()) track.stop();
    clearInterval(this.#repeatTimer);
    this.#last?.close();
    this.#last = null;
    this.#encoder?.close();
    this.#socket?.stop();
    this.options.ended(error);
  }

  async #start() {
    const { width, height } = this.size;
    this.#encoder = await openEncoder(width || 1280, height || 720, FPS, (data) => this.#send(data));
    if (this.#abort.signal.aborted) return;
    this.#socket = new LastingSocket("/api/camera", {
      opened: () => this.#greet(),
      text: (message) => this.#told(message),
    });
    let latest = performance.now();
    eachFrame(this.track, this.#abort.signal, (frame) => {
      latest = performance.now();
      this.#encode(frame);
      if (this.kind === "screen" && frame.image instanceof VideoFrame) {
        this.#last?.close();
        this.#last = frame.image.clone();
      }
    });
    this.#repeatTimer = setInterval(() => {
      if (!this.#last || performance.now() - latest < LONGEST_PAUSE) return;
      const { displayWidth: width, displayHeight: height } = this.#last;
      const image = new VideoFrame(this.#last, { timestamp: Math.round(1000 * performance.now()) });
      this.#encode({ image, width, height });
      image.close();
    }, LONGEST_PAUSE);
  }

  /** @param {import("./frames.js").RawFrame} frame */
  #encode(frame) {
    const socket = this.#socket;
    if (!socket?.isOpen || socket.bufferedAmount > MOST_BUFFERED) return;
    if (this.#unanswered < MOST_UNANSWERED) this.#encoder?.encode(frame, this.options.now());
  }

  #greet() {
    this.#unanswered = 0;
    this.#encoder?.forceKeyframe();
    this.#socket?.sendText({ kind: this.kind, codec: this.#encoder?.codec, ...this.size, fps: FPS });
  }

  /** @param {ArrayBuffer} data */
  #send(data) {
    this.#socket?.sendBytes(data);
    this.#unanswered += 1;
  }

  /** @param {any} message */
  #told(message) {
    if (message.error) this.stop(new ApiError(409, message.error, message.hint));
    else if (message.type === "keyframe") this.#encoder?.forceKeyframe();
    else if ("ack" in message) this.#unanswered = Math.max(0, this.#unanswered - 1);
  }
}
