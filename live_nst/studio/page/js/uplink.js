/**
 * Two ways to encode a frame for the studio: H.264 by WebCodecs, and JPEG where that is missing.
 * Both drop frames rather than queue them.
 */

import { writePacket } from "./packet.js";

const CODEC = "avc1.42E02A"; // constrained baseline, level 4.2: up to 1080p60
const KEYFRAME_PERIOD = 2000; // milliseconds
const BITS_PER_PIXEL = 0.15;
const MOST_ENCODING = 1; // frames
const JPEG_QUALITY = 0.85;
const JPEG_SIDE = 1280; // pixels; a JPEG of a larger frame is too slow to send

/**
 * @typedef {(data: ArrayBuffer) => void} Send
 * @typedef {import("./frames.js").RawFrame} RawFrame
 *
 * @typedef {Object} Encoder
 * @property {"h264" | "jpeg"} codec
 * @property {(frame: RawFrame, captured: number) => void} encode Encodes a frame, or drops it;
 *   `captured` is in seconds of the server's clock, 0 if that is not known.
 * @property {() => void} forceKeyframe
 * @property {() => void} close
 */

/**
 * Return the best encoder of this browser.
 *
 * @param {number} width Pixels.
 * @param {number} height Pixels.
 * @param {number} fps
 * @param {Send} send
 * @returns {Promise<Encoder>}
 */
export async function openEncoder(width, height, fps, send) {
  if (typeof VideoEncoder === "function") {
    const { supported } = await VideoEncoder.isConfigSupported(
      h264Settings(width, height, fps),
    ).catch(() => ({ supported: false }));
    if (supported) return new H264Encoder(fps, send);
  }
  return new JpegEncoder(send);
}

/**
 * @param {number} width
 * @param {number} height
 * @param {number} fps
 * @returns {VideoEncoderConfig}
 */
function h264Settings(width, height, fps) {
  return {
    codec: CODEC,
    width: width & ~1, // H.264 has even sides
    height: height & ~1,
    framerate: fps,
    bitrate: Math.round(width * height * fps * BITS_PER_PIXEL),
    latencyMode: "realtime",
    avc: { format: "annexb" },
  };
}

/** @implements {Encoder} */
class H264Encoder {
  codec = /** @type {const} */ ("h264");
  /** @type {VideoEncoder | null} */
  #encoder = null;
  #width = 0;
  #height = 0;
  #index = 0;
  #lastKeyframe = -Infinity;
  /** @type {Map<number, number>} Times of capture by timestamp. */
  #captured = new Map();

  /**
   * @param {number} fps
   * @param {Send} send
   */
  constructor(fps, send) {
    this.fps = fps;
    this.send = send;
  }

  forceKeyframe() {
    this.#lastKeyframe = -Infinity;
  }

  /**
   * @param {RawFrame} frame
   * @param {number} captured
   */
  encode({ image, width, height }, captured) {
    if (!(image instanceof VideoFrame)) return;
    if (width !== this.#width || height !== this.#height || this.#encoder?.state !== "configured") {
      this.#configure(width, height); // a phone was turned, or a shared window changed its size
    }
    const encoder = this.#encoder;
    if (!encoder || encoder.encodeQueueSize > MOST_ENCODING) return;
    const now = performance.now();
    const keyFrame = now - this.#lastKeyframe >= KEYFRAME_PERIOD;
    if (keyFrame) this.#lastKeyframe = now;
    this.#captured.set(image.timestamp, captured);
    encoder.encode(image, { keyFrame });
  }

  close() {
    if (this.#encoder && this.#encoder.state !== "closed") this.#encoder.close();
    this.#encoder = null;
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  #configure(width, height) {
    this.close();
    this.#captured.clear();
    this.#encoder = new VideoEncoder({
      output: (chunk) => this.#send(chunk),
      error: () => this.close(), // the next frame opens it again
    });
    this.#encoder.configure(h264Settings(width, height, this.fps));
    this.#width = width;
    this.#height = height;
    this.forceKeyframe();
  }

  /** @param {EncodedVideoChunk} chunk */
  #send(chunk) {
    const captured = this.#captured.get(chunk.timestamp) ?? 0;
    for (const timestamp of this.#captured.keys()) {
      if (timestamp <= chunk.timestamp) this.#captured.delete(timestamp);
    }
    const head = {
      keyframe: chunk.type === "key",
      width: this.#width & ~1,
      height: this.#height & ~1,
      captured,
      index: this.#index++,
    };
    this.send(writePacket(head, chunk.byteLength, (into) => chunk.copyTo(into)));
  }
}

/** @implements {Encoder} */
class JpegEncoder {
  codec = /** @type {const} */ ("jpeg");
  #index = 0;
  #busy = false;
  #canvas = document.createElement("canvas");

  /** @param {Send} send */
  constructor(send) {
    this.send = send;
  }

  forceKeyframe() {} // every JPEG is one

  /**
   * @param {RawFrame} frame
   * @param {number} captured
   */
  encode({ image, width, height }, captured) {
    if (this.#busy) return;
    this.#busy = true;
    const scale = Math.min(1, JPEG_SIDE / Math.max(width, height));
    const canvas = this.#canvas;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.getContext("2d")?.drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob(async (blob) => {
      try {
        if (blob) this.#send(new Uint8Array(await blob.arrayBuffer()), captured);
      } finally {
        this.#busy = false;
      }
    }, "image/jpeg", JPEG_QUALITY);
  }

  close() {}

  /**
   * @param {Uint8Array} data
   * @param {number} captured
   */
  #send(data, captured) {
    const { width, height } = this.#canvas;
    const head = { keyframe: true, width, height, captured, index: this.#index++ };
    this.send(writePacket(head, data.length, (into) => into.set(data)));
  }
}
