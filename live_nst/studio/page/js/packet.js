/**
 * Frames on the wire, down (kind 1) and up (kind 2): a header of 24 bytes, little-endian, then the
 * encoded data.
 *
 *     0 uint8 kind, 1 uint8 flags (bit 0: keyframe), 2 uint16 width, 4 uint16 height, 6 uint16 0,
 *     8 float64 capture time in seconds of the server's clock (0: not known), 16 uint64 index
 */

const HEADER = 24;
const KEYFRAME = 1;

/**
 * @typedef {Object} Packet
 * @property {boolean} keyframe
 * @property {number} width Pixels.
 * @property {number} height Pixels.
 * @property {number} captured Seconds of the server's clock.
 * @property {number} index
 * @property {Uint8Array<ArrayBuffer>} data
 */

/**
 * Read a frame from the server.
 *
 * @param {ArrayBuffer} buffer
 * @returns {Packet}
 */
export function readPacket(buffer) {
  const view = new DataView(buffer);
  return {
    keyframe: (view.getUint8(1) & KEYFRAME) !== 0,
    width: view.getUint16(2, true),
    height: view.getUint16(4, true),
    captured: view.getFloat64(8, true),
    index: Number(view.getBigUint64(16, true)),
    data: new Uint8Array(buffer, HEADER),
  };
}

/**
 * Build a frame for the server.
 *
 * @param {Omit<Packet, "data">} packet
 * @param {number} length Bytes of the encoded data.
 * @param {(into: Uint8Array<ArrayBuffer>) => void} fill Writes them.
 * @returns {ArrayBuffer}
 */
export function writePacket(packet, length, fill) {
  const buffer = new ArrayBuffer(HEADER + length);
  const view = new DataView(buffer);
  view.setUint8(0, 2);
  view.setUint8(1, packet.keyframe ? KEYFRAME : 0);
  view.setUint16(2, packet.width, true);
  view.setUint16(4, packet.height, true);
  view.setFloat64(8, packet.captured, true);
  view.setBigUint64(16, BigInt(packet.index), true);
  fill(new Uint8Array(buffer, HEADER));
  return buffer;
}
