/**
 * The data of the studio's interface, as the server sends it.
 *
 * @typedef {Object} Source
 * @property {string} id
 * @property {string} name
 * @property {number} width
 * @property {number} height
 * @property {number} fps
 *
 * @typedef {Object} Session
 * @property {boolean} running
 * @property {boolean} starting
 * @property {Source} source
 * @property {string} problem A sentence; "" if there is none.
 * @property {number} seconds
 *
 * @typedef {Object} Settings
 * @property {Record<string, number>} style Weights by id.
 * @property {string} style_label
 * @property {number} strength
 * @property {number} keep_colors
 * @property {number} detail
 * @property {"pictures" | "styles"} blend
 * @property {number} stroke
 * @property {string} only
 * @property {number | "auto"} size
 * @property {boolean} mirror
 * @property {boolean} split
 * @property {boolean} frozen
 * @property {number} split_at
 *
 * @typedef {Object} Figures
 * @property {number} fps
 * @property {number} latency_ms
 * @property {number} frames
 * @property {number} dropped
 * @property {number} repeated
 * @property {boolean} static
 *
 * @typedef {Object} Runs
 * @property {string} model
 * @property {string} engine
 * @property {string} precision
 * @property {string} device
 * @property {[number, number]} size
 * @property {boolean} automatic_size
 *
 * @typedef {Object} Recording
 * @property {boolean} on
 * @property {string} file
 * @property {number} seconds
 * @property {string[]} finished
 *
 * @typedef {Object} VirtualCamera
 * @property {boolean} on
 * @property {string} device
 * @property {string} problem
 * @property {boolean} available
 *
 * @typedef {Object} Stream
 * @property {string} id
 * @property {string} url Its key is hidden.
 * @property {string} state
 * @property {string} sentence
 *
 * @typedef {Object} State
 * @property {number} version
 * @property {Session} session
 * @property {Settings} settings
 * @property {Figures} figures
 * @property {Runs} runs
 * @property {Recording} recording
 * @property {VirtualCamera} virtual_camera
 * @property {Stream[]} streams
 * @property {number} viewers
 * @property {Record<string, number>} thumbnails
 * @property {boolean} secure
 *
 * @typedef {Object} Style
 * @property {string} id
 * @property {string} label
 * @property {string} description
 * @property {"builtin" | "upload" | "given"} kind
 * @property {string} picture
 * @property {string} thumbnail
 *
 * @typedef {Object} SourceChoice
 * @property {string} id
 * @property {string} label
 * @property {"camera" | "demo" | "browser" | "screen" | "given"} kind
 */

export {};
