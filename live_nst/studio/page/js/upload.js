/** Pictures that are dropped, pasted or chosen become styles. */

import { ApiError } from "./api.js";
import { byId } from "./dom.js";
import { attempt, complain, say } from "./notices.js";

const LARGE = 4 * 1024 * 1024; // bytes; larger pictures are made smaller before they are sent
const SIDE = 2048; // pixels of the longer side then

/**
 * @param {import("./styles.js").StyleList} styles
 * @param {import("./mix.js").Mix} mix
 * @param {() => import("./gallery.js").Gallery} gallery
 * @returns {() => void} Opens the dialog for a file.
 */
export function setUpUploads(styles, mix, gallery) {
  const add = async (/** @type {File[]} */ files) => {
    for (const file of files) {
      await attempt(() => addOne(file, styles, mix, gallery()));
    }
  };
  const input = byId("upload-file", HTMLInputElement);
  input.addEventListener("change", () => {
    void add([...(input.files ?? [])]);
    input.value = "";
  });
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length) {
      event.preventDefault();
      void add(files);
    }
  });
  setUpDrop(add);
  return () => input.click();
}

/** @param {(files: File[]) => void} add */
function setUpDrop(add) {
  const root = document.documentElement;
  let depth = 0; // dragenter and dragleave come for each element on the way
  const carriesSomething = (/** @type {DragEvent} */ event) =>
    [...(event.dataTransfer?.types ?? [])].some((type) => type === "Files" || type === "text/uri-list");
  addEventListener("dragenter", (event) => {
    if (!carriesSomething(event)) return;
    depth += 1;
    root.classList.add("dropping");
  });
  addEventListener("dragleave", (event) => {
    if (!carriesSomething(event)) return;
    depth = Math.max(0, depth - 1);
    if (!depth) root.classList.remove("dropping");
  });
  addEventListener("dragover", (event) => {
    if (carriesSomething(event)) event.preventDefault();
  });
  addEventListener("drop", (event) => {
    depth = 0;
    root.classList.remove("dropping");
    if (!carriesSomething(event)) return;
    event.preventDefault();
    const files = [...(event.dataTransfer?.files ?? [])];
    if (files.length) add(files);
    else complain(new ApiError(0, "A picture of another page cannot be read here.", "save it, or copy the picture and paste it here"));
  });
}

/**
 * @param {File} file
 * @param {import("./styles.js").StyleList} styles
 * @param {import("./mix.js").Mix} mix
 * @param {import("./gallery.js").Gallery} gallery
 */
async function addOne(file, styles, mix, gallery) {
  const label = labelOf(file.name);
  const done = gallery.expect(label);
  try {
    const style = await styles.add(await smaller(file), label);
    mix.use(style.id);
    say(`added ${style.label}`);
  } finally {
    done();
  }
}

/**
 * A name for a picture from the name of its file.
 *
 * @param {string} name
 */
function labelOf(name) {
  const stem = name.replace(/\.[^.]*$/, "").replace(/[_\s]+/g, " ").trim();
  return (stem === "image" ? "pasted picture" : stem).slice(0, 40) || "picture";
}

/**
 * Make a large picture smaller, if the browser can read it; else send it as it is.
 *
 * @param {File} file
 * @returns {Promise<Blob>}
 */
async function smaller(file) {
  if (file.size <= LARGE) return file;
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) return file;
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  return blob ?? file;
}
