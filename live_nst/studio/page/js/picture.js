/**
 * The live picture, started before the rest of the page is there: it is what people wait for.
 * Decoded video where the browser has a decoder, else JPEGs from the server.
 */

import { byId } from "./dom.js";
import { canDecode, LiveVideo } from "./video.js";

const RETRY = 1500; // milliseconds

/** The video; null where the picture comes as JPEGs. */
export const video = canDecode() ? new LiveVideo() : null;

// This script does not wait for the document, in which the picture has its place.
if (document.readyState === "loading") {
  document.addEventListener("readystatechange", show, { once: true });
} else {
  show();
}

/**
 * Give the picture its form.
 *
 * @param {number} width
 * @param {number} height
 */
export function setRatio(width, height) {
  if (width && height) byId("picture", HTMLDivElement).style.setProperty("--ratio", String(width / height));
}

function show() {
  const frame = byId("picture", HTMLDivElement);
  const lit = () => frame.classList.add("lit");
  if (video) video.drawOn(byId("canvas", HTMLCanvasElement), { resized: setRatio, drawn: lit });
  else startImages(lit);
}

/** @param {() => void} lit Called when there is a picture. */
function startImages(lit) {
  const image = byId("mjpeg", HTMLImageElement);
  const load = () => {
    image.src = `/stream.mjpeg?t=${Date.now()}`;
  };
  byId("canvas", HTMLCanvasElement).hidden = true;
  image.hidden = false;
  image.addEventListener("load", () => {
    setRatio(image.naturalWidth, image.naturalHeight);
    lit();
  });
  image.addEventListener("error", () => setTimeout(load, RETRY));
  load();
}
