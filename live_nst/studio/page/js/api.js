/** Requests to the studio. Every failure is an `ApiError` with a sentence for the user. */

/** What went wrong, as a sentence and a hint. */
export class ApiError extends Error {
  /**
   * @param {number} status The HTTP status; 0 if the studio did not answer.
   * @param {string} sentence
   * @param {string} [hint]
   */
  constructor(status, sentence, hint = "") {
    super(sentence);
    this.status = status;
    this.hint = hint;
  }
}

/**
 * Send a request.
 *
 * @param {string} method
 * @param {string} path
 * @param {{ json?: unknown, bytes?: Blob, headers?: Record<string, string> }} [content]
 * @returns {Promise<Response>} A response with a status below 400.
 * @throws {ApiError}
 */
export async function request(method, path, { json, bytes, headers = {} } = {}) {
  /** @type {RequestInit} */
  const options = { method, headers: { ...headers }, credentials: "same-origin" };
  if (json !== undefined) {
    options.body = JSON.stringify(json);
    options.headers = { ...headers, "Content-Type": "application/json" };
  } else if (bytes) {
    options.body = bytes;
  }
  let response;
  try {
    response = await fetch(path, options);
  } catch {
    throw new ApiError(0, "The studio does not answer.", "this page tries again by itself");
  }
  if (!response.ok) throw await errorOf(response);
  return response;
}

/**
 * Send a request and return the JSON of the answer.
 *
 * @param {string} method
 * @param {string} path
 * @param {unknown} [json]
 * @returns {Promise<any>}
 * @throws {ApiError}
 */
export async function call(method, path, json) {
  return (await request(method, path, { json })).json();
}

/**
 * @param {Response} response
 * @returns {Promise<ApiError>}
 */
async function errorOf(response) {
  const body = await response.json().catch(() => null);
  if (body && typeof body.error === "string") {
    return new ApiError(response.status, body.error, typeof body.hint === "string" ? body.hint : "");
  }
  return new ApiError(response.status, `The studio refused this (${response.status}).`);
}
