/** Light or dark: as the system has it, or as chosen here. */

import { byId, useIcon } from "./dom.js";

const ORDER = /** @type {const} */ (["auto", "light", "dark"]);
const WORDS = { auto: "as the system", light: "light", dark: "dark" };

/** @returns {"auto" | "light" | "dark"} */
function current() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : "auto";
}

/** @param {"auto" | "light" | "dark"} theme */
function choose(theme) {
  if (theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  document.dispatchEvent(new Event("themechange"));
}

/** Wire the button that goes through the three choices. */
export function setUpTheme() {
  const button = byId("theme-button", HTMLButtonElement);
  const show = () => {
    const theme = current();
    button.setAttribute("aria-label", `Colors of the page: ${WORDS[theme]}`);
    button.title = `Colors of the page: ${WORDS[theme]}`;
    useIcon(button, `theme-${theme}`);
  };
  button.addEventListener("click", () => {
    choose(ORDER[(ORDER.indexOf(current()) + 1) % ORDER.length]);
    show();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    document.dispatchEvent(new Event("themechange")),
  );
  show();
}
