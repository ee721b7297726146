/** Presets: all settings of a show under a name. */

import { call } from "./api.js";
import { build, byId, fillDialog } from "./dom.js";
import { attempt, say } from "./notices.js";

/** @param {import("./store.js").Store} store */
export function setUpPresets(store) {
  const dialog = byId("presets-dialog", HTMLDialogElement);
  const list = build("ul", { className: "preset-list" });
  const name = build("input", {
    type: "text", id: "preset-name", required: true, maxLength: 40, pattern: "[A-Za-z0-9_\\-]+", autocomplete: "off",
    spellcheck: false, title: "Letters, digits, - and _",
  });
  const form = build(
    "form",
    { className: "preset-form" },
    build("label", { for: "preset-name" }, "Save what is set now as"),
    build("div", {}, name, build("button", { type: "submit" }, "Save")),
    build("p", { className: "hint" }, "Letters, digits, - and _. A name that is there already is replaced."),
  );

  const refresh = async () => {
    /** @type {string[]} */
    const names = await call("GET", "/api/presets");
    list.replaceChildren(
      ...(names.length
        ? names.map((preset) =>
            build("li", {}, build("button", { type: "button", className: "preset", onclick: () => load(preset) }, preset)),
          )
        : [build("li", { className: "hint" }, "There are no presets yet.")]),
    );
  };
  const load = (/** @type {string} */ preset) =>
    void attempt(async () => {
      store.receive(await call("PUT", `/api/presets/${encodeURIComponent(preset)}/load`));
      dialog.close();
      say(`preset ${preset}`);
    });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void attempt(async () => {
      await call("POST", "/api/presets", { name: name.value });
      say(`saved preset ${name.value}`);
      name.value = "";
      await refresh();
    });
  });
  byId("presets-button", HTMLButtonElement).addEventListener("click", () => {
    fillDialog(dialog, "Presets", list, form);
    dialog.showModal();
    name.focus();
    void attempt(refresh);
  });
}
