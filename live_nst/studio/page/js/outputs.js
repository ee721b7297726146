/** Where the picture goes: snapshots, recordings, the virtual camera, streams. */

import { call, request } from "./api.js";
import { build, byId, copyable, icon, renderOn, setAttribute, setText } from "./dom.js";
import { attempt, say } from "./notices.js";

/** @typedef {import("./types.js").State} State */

/** @param {import("./store.js").Store} store */
export function setUpOutputs(store) {
  setUpSnapshot(store);
  setUpRecording(store);
  setUpVirtualCamera(store);
  setUpStreams(store);
  byId("mjpeg-address", HTMLDivElement).append(
    build("h3", {}, "Address for OBS and players"),
    copyable(new URL("/stream.mjpeg", location.href).href, "the address"),
  );
}

/**
 * A heading, what goes on, and a switch.
 *
 * @param {string} host The id of the element that holds them.
 * @param {string} title
 * @param {(on: boolean) => void} change
 */
function buildOutput(host, title, change) {
  const input = build("input", { type: "checkbox", role: "switch", "aria-label": title });
  input.addEventListener("change", () => change(input.checked));
  const status = build("p", { className: "output-status" });
  byId(host, HTMLDivElement).append(
    build(
      "div",
      { className: "output-head" },
      build("div", {}, build("h3", {}, title), status),
      build("label", { className: "switch" }, input, build("span", { className: "switch-track", "aria-hidden": "true" })),
    ),
  );
  return { input, status };
}

/** @param {import("./store.js").Store} store */
function setUpSnapshot(store) {
  const button = byId("snapshot", HTMLButtonElement);
  button.addEventListener("click", () => void attempt(takeSnapshot));
  store.subscribe(({ session }) => {
    button.disabled = !session.running;
  });
}

/** Download the newest picture. */
async function takeSnapshot() {
  const response = await request("POST", "/api/snapshot");
  const url = URL.createObjectURL(await response.blob());
  const name = `live-nst-${timestamp()}.png`;
  build("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  say(`saved ${name}`);
}

/** @param {import("./store.js").Store} store */
function setUpRecording(store) {
  const set = (/** @type {boolean} */ on) =>
    void attempt(async () => store.receive(await call("PUT", "/api/recording", { on })));
  const { input, status } = buildOutput("recording", "Recording", set);
  const files = build("ul", { className: "files" });
  byId("recording", HTMLDivElement).append(files);
  const button = byId("record", HTMLButtonElement);
  button.addEventListener("click", () => set(!store.state?.recording.on));
  store.subscribe(({ recording, session }) => {
    input.checked = recording.on;
    input.disabled = button.disabled = !session.running && !recording.on;
    setAttribute(button, "aria-pressed", String(recording.on));
    setText(byId("record-label", HTMLSpanElement), recording.on ? clock(recording.seconds) : "Record");
    setText(status, recording.on ? `${clock(recording.seconds)}, ${recording.file}` : "off");
    renderOn(files, recording.finished, () =>
      [...recording.finished].reverse().map((name) =>
        build(
          "li",
          {},
          build("a", { href: `/api/recordings/${encodeURIComponent(name)}`, download: name }, icon("download"), build("span", {}, name)),
        ),
      ),
    );
  });
}

/** @param {import("./store.js").Store} store */
function setUpVirtualCamera(store) {
  const { input, status } = buildOutput("virtual-camera", "Virtual camera", (on) =>
    void attempt(async () => {
      store.receive(await call("PUT", "/api/virtual-camera", { on, device: null }));
    }),
  );
  store.subscribe(({ virtual_camera: camera, session }) => {
    input.checked = camera.on;
    input.disabled = !camera.on && (!camera.available || !session.running);
    const off = camera.available ? "off" : "none is set up on the studio's computer";
    setText(status, camera.problem || (camera.on ? `on, ${camera.device}` : off));
    status.classList.toggle("problem", Boolean(camera.problem) && camera.on);
  });
}

/** @param {import("./store.js").Store} store */
function setUpStreams(store) {
  const url = build("input", {
    type: "text", id: "stream-url", placeholder: "rtmp://server/app/key", autocomplete: "off", spellcheck: false, required: true,
  });
  url.setAttribute("autocapitalize", "off");
  const button = build("button", { type: "submit" }, "Send");
  const form = build("form", { className: "stream-form" }, url, button);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(async () => {
      button.disabled = true;
      try {
        store.receive(await call("POST", "/api/streams", { url: url.value.trim() }));
        url.value = ""; // it may hold a key
      } finally {
        button.disabled = false;
      }
    });
  });
  const list = build("ul", { className: "streams" });
  byId("streams", HTMLDivElement).append(build("h3", {}, build("label", { for: "stream-url" }, "Stream to an address")), list, form);
  store.subscribe(({ streams }) => {
    renderOn(list, streams.map(({ id, url: address }) => [id, address]), () =>
      streams.map((stream) =>
        build(
          "li",
          {},
          build("span", { className: "stream-lamp", "aria-hidden": "true" }),
          build("div", {}, build("p", { className: "stream-url" }, stream.url), build("p", { className: "output-status" })),
          build(
            "button",
            {
              type: "button", className: "quiet square", "aria-label": `Stop the stream to ${stream.url}`, title: "Stop",
              onclick: () => void attempt(async () => {
                store.receive(await call("DELETE", `/api/streams/${encodeURIComponent(stream.id)}`));
              }),
            },
            icon("close"),
          ),
        ),
      ),
    );
    streams.forEach((stream, i) => {
      const item = list.children[i];
      setAttribute(item, "data-state", stream.state);
      const status = item.querySelector(".output-status");
      if (status) setText(status, stream.sentence || stream.state);
    });
  });
}

/** @param {number} seconds */
export function clock(seconds) {
  const whole = Math.floor(seconds);
  const rest = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, "0"));
  return whole < 3600 ? `${Number(rest[0])}:${rest[1]}` : `${Math.floor(whole / 3600)}:${rest.join(":")}`;
}

/** The local time as a part of a file name. */
function timestamp() {
  const now = new Date();
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const day = `${now.getFullYear()}${two(now.getMonth() + 1)}${two(now.getDate())}`;
  return `${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
}
