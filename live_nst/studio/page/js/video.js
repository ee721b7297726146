/**
 * The live picture: H.264 from one WebSocket, decoded by WebCodecs, drawn as soon as it is decoded.
 * The newest frame wins; after an error the picture starts again at a keyframe.
 */

import { pageSeconds, ServerClock } from "./clock.js";
import { readPacket } from "./packet.js";
import { LastingSocket } from "./socket.js";

const MOST_WAITING = 8; // frames in the decoder; more means that this page is too slow
const CLOCK_PERIOD = 2000; // milliseconds
const KEPT_LATENCIES = 30;
const UNMEASURED = 15; // frames after a start: they come in a heap
const HIDDEN_WAIT = 4000; // milliseconds until a hidden page stops reading

/** Whether this browser decodes video at this address. */
export function canDecode() {
  return typeof VideoDecoder === "function";
}

export class LiveVideo {
  /** @type {VideoDecoder | null} */
  #decoder = null;
  /** @type {LastingSocket | null} */
  #socket = null;
  #codec = "";
  #needsKeyframe = true;
  #drawnTimestamp = -1;
  /** @type {number[]} */
  #latencies = [];
  #sinceStart = 0;
  #hiddenTimer = 0;
  /** @type {HTMLCanvasElement | null} */
  #canvas = null;
  /** @type {CanvasRenderingContext2D | null} */
  #context = null;
  /** @type {{ resized?: (width: number, height: number) => void, drawn?: () => void }} */
  #handlers = {};

  /** It connects and decodes at once, and draws from `drawOn` on. */
  constructor() {
    this.clock = new ServerClock();
    this.frames = 0;
    this.#connect();
    setInterval(() => this.#askTime(), CLOCK_PERIOD);
    document.addEventListener("visibilitychange", () => this.#visibilityChanged());
  }

  /**
   * Draw on a canvas.
   *
   * @param {HTMLCanvasElement} canvas
   * @param {{ resized?: (width: number, height: number) => void, drawn?: () => void }} handlers
   */
  drawOn(canvas, handlers) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d", { alpha: false });
    this.#handlers = handlers;
  }

  /** Median time from the camera to this page in milliseconds; null while it is not known. */
  get latency() {
    if (!this.#latencies.length) return null;
    const sorted = [...this.#latencies].sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
  }

  #connect() {
    this.#socket = new LastingSocket("/api/video", {
      opened: () => {
        this.clock.reset();
        this.#restartDecoder();
        for (let i = 0; i < 3; i++) this.#askTime();
      },
      text: (message) => this.#told(message),
      bytes: (data) => this.#decode(readPacket(data)),
    });
  }

  #visibilityChanged() {
    clearTimeout(this.#hiddenTimer);
    if (document.hidden) {
      // Nobody sees the picture: do not let the studio send it.
      this.#hiddenTimer = setTimeout(() => {
        this.#socket?.stop();
        this.#socket = null;
      }, HIDDEN_WAIT);
    } else if (!this.#socket) {
      this.#connect();
    } else {
      this.#socket.hurry();
    }
  }

  #askTime() {
    this.#socket?.sendText({ type: "time", client: pageSeconds() });
  }

  /** @param {any} message */
  #told(message) {
    if (message.type === "time") {
      this.clock.learn(message.client, message.server);
    } else if (message.codec) {
      this.#codec = message.codec;
      this.#restartDecoder();
    }
  }

  #restartDecoder() {
    if (this.#decoder && this.#decoder.state !== "closed") this.#decoder.close();
    this.#decoder = null;
    this.#needsKeyframe = true;
    this.#drawnTimestamp = -1;
    this.#sinceStart = 0;
    this.#latencies = [];
    if (!this.#codec) return;
    this.#decoder = new VideoDecoder({
      output: (frame) => this.#draw(frame),
      error: () => this.#recover(),
    });
    this.#decoder.configure({ codec: this.#codec, optimizeForLatency: true });
  }

  #recover() {
    this.#restartDecoder();
    this.#socket?.sendText({ type: "keyframe" });
  }

  /** @param {import("./packet.js").Packet} packet */
  #decode(packet) {
    const decoder = this.#decoder;
    if (!decoder || (this.#needsKeyframe && !packet.keyframe)) return;
    if (decoder.decodeQueueSize > MOST_WAITING) {
      this.#recover();
      return;
    }
    this.#needsKeyframe = false;
    try {
      decoder.decode(
        new EncodedVideoChunk({
          type: packet.keyframe ? "key" : "delta",
          timestamp: Math.round(packet.captured * 1e6),
          data: packet.data,
        }),
      );
    } catch {
      this.#recover();
    }
  }

  /** @param {VideoFrame} frame */
  #draw(frame) {
    const canvas = this.#canvas;
    if (canvas && frame.timestamp >= this.#drawnTimestamp) {
      const { displayWidth: width, displayHeight: height } = frame;
      if (canvas.width !== width || canvas.height !== height) {
        canvas.width = width;
        canvas.height = height;
        this.#handlers.resized?.(width, height);
      }
      this.#context?.drawImage(frame, 0, 0);
      this.#drawnTimestamp = frame.timestamp;
      this.frames += 1;
      this.#measure(frame.timestamp / 1e6);
      this.#handlers.drawn?.();
    }
    frame.close();
  }

  /** @param {number} captured */
  #measure(captured) {
    const now = this.clock.now();
    if (!now || !captured || this.#sinceStart++ < UNMEASURED) return;
    this.#latencies.push(1000 * (now - captured));
    if (this.#latencies.length > KEPT_LATENCIES) this.#latencies.shift();
  }
}
