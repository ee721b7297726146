/** A WebSocket that opens again by itself, after ever longer waits. */

const FIRST_WAIT = 300; // milliseconds
const LONGEST_WAIT = 4000;

export class LastingSocket {
  /** @type {WebSocket | null} */
  #socket = null;
  #wait = FIRST_WAIT;
  #timer = 0;
  #stopped = false;

  /**
   * @param {string} path
   * @param {{ opened?: () => void, text?: (message: any) => void,
   *   bytes?: (data: ArrayBuffer) => void, closed?: (retryIn: number) => void }} handlers
   *   `text` gets parsed JSON; `closed` the milliseconds until the next try.
   */
  constructor(path, handlers) {
    this.url = `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${path}`;
    this.handlers = handlers;
    this.#open();
  }

  /** Whether it is open. */
  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Bytes that wait to be sent. */
  get bufferedAmount() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /**
   * Send a message if the socket is open.
   *
   * @param {object} message
   */
  sendText(message) {
    if (this.isOpen) this.#socket?.send(JSON.stringify(message));
  }

  /** @param {ArrayBuffer | Uint8Array<ArrayBuffer>} data */
  sendBytes(data) {
    if (this.isOpen) this.#socket?.send(data);
  }

  /** Try now, if it waits to be opened. */
  hurry() {
    if (this.#stopped || this.#socket) return;
    clearTimeout(this.#timer);
    this.#open();
  }

  /** Close it for good. */
  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#socket?.close();
  }

  #open() {
    const socket = new WebSocket(this.url);
    socket.binaryType = "arraybuffer";
    this.#socket = socket;
    socket.onopen = () => {
      this.#wait = FIRST_WAIT;
      this.handlers.opened?.();
    };
    socket.onmessage = ({ data }) => {
      if (typeof data === "string") this.handlers.text?.(JSON.parse(data));
      else this.handlers.bytes?.(data);
    };
    socket.onclose = () => {
      this.#socket = null;
      if (this.#stopped) return;
      this.#timer = setTimeout(() => this.#open(), this.#wait);
      this.handlers.closed?.(this.#wait);
      this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT);
    };
  }
}
