/** The colors of a style's picture: five dabs under its name, and the accent of the page. */

const SIDE = 40; // pixels
const DABS = 5;
const LEAST_DISTANCE = 0.12; // between dabs, in OKLab

/**
 * @typedef {Object} Pigments
 * @property {string[]} dabs CSS colors, dark to light.
 * @property {number} hue Degrees, of OKLCH.
 * @property {number} chroma
 */

/** @type {Map<string, Promise<Pigments>>} */
const known = new Map();

/**
 * Return the pigments of a picture.
 *
 * @param {string} url
 * @returns {Promise<Pigments>}
 */
export function pigmentsOf(url) {
  let pigments = known.get(url);
  if (!pigments) {
    pigments = load(url).then(analyze);
    pigments.catch(() => known.delete(url));
    known.set(url, pigments);
  }
  return pigments;
}

/** @param {string} url */
async function load(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = SIDE;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new Error("no canvas");
  context.drawImage(image, 0, 0, SIDE, SIDE);
  return context.getImageData(0, 0, SIDE, SIDE).data;
}

/**
 * Group the pixels into coarse cells of color and take the largest ones that differ.
 *
 * @param {Uint8ClampedArray} pixels RGBA.
 * @returns {Pigments}
 */
function analyze(pixels) {
  /** @type {Map<number, { count: number, r: number, g: number, b: number }>} */
  const cells = new Map();
  for (let i = 0; i < pixels.length; i += 4) {
    const [r, g, b] = [pixels[i], pixels[i + 1], pixels[i + 2]];
    const key = ((r >> 5) << 6) | ((g >> 5) << 3) | (b >> 5);
    const cell = cells.get(key) ?? { count: 0, r: 0, g: 0, b: 0 };
    cell.count += 1;
    cell.r += r;
    cell.g += g;
    cell.b += b;
    cells.set(key, cell);
  }
  const colors = [...cells.values()].map(({ count, r, g, b }) => {
    const lab = toOklab(r / count, g / count, b / count);
    const chroma = Math.hypot(lab[1], lab[2]);
    // Vivid colors matter more to the eye than their share of the picture.
    return { lab, chroma, weight: count * (0.25 + 6 * chroma), rgb: [r, g, b].map((v) => Math.round(v / count)) };
  });
  colors.sort((a, b) => b.weight - a.weight);
  /** @type {typeof colors} */
  const chosen = [];
  for (const color of colors) {
    if (chosen.length === DABS) break;
    const distinct = chosen.every((other) => distance(color.lab, other.lab) > LEAST_DISTANCE);
    if (distinct) chosen.push(color);
  }
  const accent = chosen.reduce((a, b) => (prominence(b) > prominence(a) ? b : a));
  chosen.sort((a, b) => a.lab[0] - b.lab[0]);
  return {
    dabs: chosen.map(({ rgb }) => `rgb(${rgb.join(" ")})`),
    hue: (Math.atan2(accent.lab[2], accent.lab[1]) * 180) / Math.PI,
    chroma: accent.chroma,
  };
}

/**
 * How much a color stands for its picture: vivid and not rare.
 *
 * @param {{ chroma: number, weight: number }} color
 */
function prominence({ chroma, weight }) {
  return chroma * Math.sqrt(weight);
}

/**
 * @param {number[]} a
 * @param {number[]} b
 */
function distance(a, b) {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/**
 * sRGB 0..255 to OKLab (Björn Ottosson, "A perceptual color space for image processing", 2020).
 *
 * @param {number} red
 * @param {number} green
 * @param {number} blue
 * @returns {number[]}
 */
function toOklab(red, green, blue) {
  const [r, g, b] = [red, green, blue].map((value) => {
    const v = value / 255;
    return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
  });
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}
