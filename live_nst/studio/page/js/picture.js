/**
 * The live picture, started before the rest of the page is there: it is what people wait for.
 * Decoded video where the browser has a decoder, else JPEGs from the server.
 */

import { byId } from "./dom.js";
import { canDecode, LiveVideo } from "./video.js";

const RETRY = 1500; // milliseconds

const frame = byId("picture", HTMLDivElement);

/** The video; null where the picture comes as JPEGs. */
export const video = canDecode() ? startVideo() : null;

if (!video) startImages();

/**
 * Give the picture its form.
 *
 * @param {number} width
 * @param {number} height
 */
export function setRatio(width, height) {
  if (width && height) frame.style.setProperty("--ratio", String(width / height));
}

function startVideo() {
  return new LiveVideo(byId("canvas", HTMLCanvasElement), {
    resized: setRatio,
    drawn: () => frame.classList.add("lit"),
  });
}

function startImages() {
  const image = byId("mjpeg", HTMLImageElement);
  const load = () => {
    image.src = `/stream.mjpeg?t=${Date.now()}`;
  };
  byId("canvas", HTMLCanvasElement).hidden = true;
  image.hidden = false;
  image.addEventListener("load", () => {
    setRatio(image.naturalWidth, image.naturalHeight);
    frame.classList.add("lit");
  });
  image.addEventListener("error", () => setTimeout(load, RETRY));
  load();
}
