/** The stream of states and messages from the studio, and what the page says without it. */

import { ApiError, call } from "./api.js";
import { LastingSocket } from "./socket.js";

/**
 * @typedef {Object} Status
 * @property {boolean} connected
 * @property {string} sentence What to tell the user; "" if connected.
 * @property {string} hint
 */

/**
 * Keep the store up to date.
 *
 * @param {import("./store.js").Store} store
 * @param {{ message: (text: string) => void, status: (status: Status) => void }} handlers
 */
export function connect(store, { message, status }) {
  let tries = 0;
  let answered = false; // whether a state has come since the socket was opened
  /** @type {{ sentence: string, hint: string } | null} */
  let refusal = null;
  const socket = new LastingSocket("/api/events", {
    opened: () => {
      answered = false;
      refusal = null;
      store.restart();
    },
    text: (event) => {
      if (event.type === "state") {
        if (!answered) status({ connected: true, sentence: "", hint: "" });
        answered = true;
        tries = 0;
        store.receive(event.state);
      } else if (event.type === "message") {
        message(event.text);
      } else if (event.error) {
        refusal = { sentence: event.error, hint: event.hint };
      }
    },
    closed: async () => {
      tries += 1;
      if (tries < 2) return; // a short break is not worth a word
      const why = refusal ?? (await reason());
      if (!socket.isOpen) status({ connected: false, ...why });
    },
  });
  addEventListener("online", () => socket.hurry());
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) socket.hurry();
  });
}

/** Find out why the studio cannot be reached: a socket does not tell. */
async function reason() {
  try {
    await call("GET", "/api/state");
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      return {
        sentence: "This studio asks for its token.",
        hint: "open the link that the studio printed when it was started",
      };
    }
    if (error instanceof ApiError && error.status) {
      return { sentence: error.message, hint: error.hint };
    }
  }
  return {
    sentence: "The studio does not answer.",
    hint: "is it still running? This page goes on by itself when it is back",
  };
}
