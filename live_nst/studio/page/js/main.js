/** Builds the page from its parts. */

import { call } from "./api.js";
import { connect } from "./connection.js";
import { setUpLiveControls, setUpLook, setUpSpeed, setUpToggles } from "./controls.js";
import { byId, setAttribute } from "./dom.js";
import { Gallery } from "./gallery.js";
import { setUpGraph } from "./graph.js";
import { setUpHelp } from "./help.js";
import { setUpKeys } from "./keys.js";
import { Mix } from "./mix.js";
import { attempt, complain, say } from "./notices.js";
import { setUpOutputs } from "./outputs.js";
import { video } from "./picture.js";
import { setUpPresets } from "./presets.js";
import { SessionSwitch } from "./session.js";
import { setUpSource } from "./source.js";
import { Stage } from "./stage.js";
import { Store } from "./store.js";
import { StyleList } from "./styles.js";
import { setUpTheme } from "./theme.js";
import { setUpUploads } from "./upload.js";

const store = new Store((changes) => call("PATCH", "/api/settings", changes), complain);
const stage = new Stage(store);
const session = new SessionSwitch(store, () => video?.clock.now() ?? 0);
const source = setUpSource(store, session);
connect(store, { message: say, status: source.status });

setUpTheme();
setUpLiveControls(store);
setUpToggles(store);
setUpLook(store);
setUpSpeed(store);
setUpOutputs(store);
setUpPresets(store);
setUpGraph(store, () => video?.latency ?? null);

const styles = new StyleList(store);
const mix = new Mix(store, styles);
/** @type {Gallery} */
let gallery;
const chooseFile = setUpUploads(styles, mix, () => gallery);
gallery = new Gallery(store, styles, mix, chooseFile);

setUpKeys(store, { stage, session, help: setUpHelp() });
const fullscreen = byId("fullscreen", HTMLButtonElement);
fullscreen.hidden = !document.fullscreenEnabled;
fullscreen.addEventListener("click", () => void attempt(() => stage.toggleFullscreen()));
document.addEventListener("fullscreenchange", () =>
  setAttribute(fullscreen, "aria-pressed", String(Boolean(document.fullscreenElement))),
);
