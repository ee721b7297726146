/** Small helpers to find, build and update elements. */

const ICONS = "/static/icons.svg";
const SVG = "http://www.w3.org/2000/svg";

/**
 * Return the element of the page with an id.
 *
 * @template {HTMLElement} T
 * @param {string} id
 * @param {new () => T} kind The class that it must have.
 * @returns {T}
 */
export function byId(id, kind) {
  const element = document.getElementById(id);
  if (!(element instanceof kind)) throw new Error(`the page has no ${kind.name} #${id}`);
  return element;
}

/**
 * Build an element.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Record<string, any>} [properties] Properties of the element; `aria-*`, `data-*`, `role`
 *   and `for` are attributes, `on*` are listeners. Undefined values are left out.
 * @param {...(Node | string | null | undefined)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function build(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (/^(aria-|data-|role$|for$)/.test(name)) element.setAttribute(name, value);
    else Object.assign(element, { [name]: value });
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/**
 * Build an icon of the sprite. It is decoration: its button has the words.
 *
 * @param {string} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${ICONS}#${name}`);
  svg.append(use);
  return svg;
}

/**
 * Show another icon in an element that has one.
 *
 * @param {Element} element
 * @param {string} name
 */
export function useIcon(element, name) {
  const use = element.querySelector("use");
  const href = `${ICONS}#${name}`;
  if (use && use.getAttribute("href") !== href) use.setAttribute("href", href);
}

/**
 * Set a text, only if it changes: the state comes four times a second.
 *
 * @param {Element} element
 * @param {string} text
 */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Set an attribute, only if it changes.
 *
 * @param {Element} element
 * @param {string} name
 * @param {string} value
 */
export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/**
 * Replace the children of an element only when what they are made from has changed, so that focus
 * and selection survive.
 *
 * @param {HTMLElement} element
 * @param {unknown} key What the children depend on, as plain data.
 * @param {() => (Node | string)[]} children
 */
export function renderOn(element, key, children) {
  const text = JSON.stringify(key);
  if (element.dataset.key === text) return;
  element.dataset.key = text;
  element.replaceChildren(...children());
}

/**
 * Fill a dialog with a title, a button that closes it, and its content.
 *
 * @param {HTMLDialogElement} dialog
 * @param {string} title
 * @param {...Node} content
 */
export function fillDialog(dialog, title, ...content) {
  dialog.replaceChildren(
    build(
      "header",
      { className: "dialog-head" },
      build("h2", { id: `${dialog.id}-title` }, title),
      build(
        "button",
        { type: "button", className: "quiet square", "aria-label": "Close", onclick: () => dialog.close() },
        icon("close"),
      ),
    ),
    build("div", { className: "dialog-body" }, ...content),
  );
  dialog.onclick = (event) => {
    if (event.target === dialog) dialog.close(); // a click beside it
  };
}

/**
 * A piece of text to copy, with a button where the browser allows it.
 *
 * @param {string} text
 * @param {string} label What it is, for the button.
 * @returns {HTMLElement}
 */
export function copyable(text, label) {
  const code = build("code", { tabIndex: 0 }, text);
  const box = build("div", { className: "copyable" }, code);
  if (navigator.clipboard) {
    const button = build("button", { type: "button", className: "quiet square", "aria-label": `Copy ${label}`, title: "Copy" }, icon("copy"));
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text);
      button.title = "Copied";
      button.classList.add("done");
      setTimeout(() => button.classList.remove("done"), 1200);
    });
    box.append(button);
  }
  return box;
}
