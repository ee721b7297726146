/** What to say where the browser gives less than it could. */

import { hasCamera } from "./camera.js";
import { build, copyable } from "./dom.js";
import { canDecode } from "./video.js";

/** Whether this browser lacks something at this address, so that `limitsAdvice` has words. */
export function isLimited() {
  return !canDecode() || !hasCamera();
}

/**
 * Tell a user why the browser gives less than it could, and how to get all of it.
 *
 * @returns {HTMLElement}
 */
export function limitsAdvice() {
  if (isSecureContext) {
    return build(
      "div",
      { className: "advice" },
      build("p", {}, "This browser has no WebCodecs or no camera. The picture comes as JPEGs, somewhat later."),
    );
  }
  const port = location.port || (location.protocol === "https:" ? "443" : "80");
  return build(
    "div",
    { className: "advice" },
    build(
      "p",
      {},
      "Over plain http from another machine, browsers give a page neither their camera nor their " +
        "fast decoder. So the picture comes as JPEGs, somewhat later. To have all of it, run this " +
        "on the machine with the browser:",
    ),
    copyable(`ssh -L ${port}:127.0.0.1:${port} ${location.hostname}`, "the line for ssh"),
    build("p", {}, `Then open the studio's link there, with 127.0.0.1:${port} in the place of ${location.host}.`),
    build("p", {}, "Or start the studio with --tls."),
  );
}
