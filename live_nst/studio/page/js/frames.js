/** The frames of a camera or a screen, as they come. */

/**
 * @typedef {Object} RawFrame
 * @property {VideoFrame | HTMLVideoElement} image Valid during the call only.
 * @property {number} width Pixels.
 * @property {number} height Pixels.
 */

/**
 * Call a function with each frame of a track until the signal aborts.
 *
 * @param {MediaStreamTrack} track
 * @param {AbortSignal} signal
 * @param {(frame: RawFrame) => void} take
 */
export function eachFrame(track, signal, take) {
  if ("MediaStreamTrackProcessor" in window) void readTrack(track, signal, take);
  else playTrack(track, signal, take);
}

/**
 * The direct way: also runs while the page is hidden.
 *
 * @param {MediaStreamTrack} track
 * @param {AbortSignal} signal
 * @param {(frame: RawFrame) => void} take
 */
async function readTrack(track, signal, take) {
  // @ts-ignore: not in the standard library's types yet
  const reader = new MediaStreamTrackProcessor({ track, maxBufferSize: 2 }).readable.getReader();
  signal.addEventListener("abort", () => void reader.cancel().catch(() => {}));
  for (;;) {
    const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
    if (done || !value) return;
    try {
      if (!signal.aborted) {
        take({ image: value, width: value.displayWidth, height: value.displayHeight });
      }
    } finally {
      value.close();
    }
  }
}

/**
 * The way of browsers that have no track processor: a video element that nobody sees.
 *
 * @param {MediaStreamTrack} track
 * @param {AbortSignal} signal
 * @param {(frame: RawFrame) => void} take
 */
function playTrack(track, signal, take) {
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  video.srcObject = new MediaStream([track]);
  const next = () => {
    if (signal.aborted) return;
    const { videoWidth: width, videoHeight: height } = video;
    if (width && height) {
      if (typeof VideoFrame === "function") {
        const frame = new VideoFrame(video);
        take({ image: frame, width, height });
        frame.close();
      } else {
        take({ image: video, width, height });
      }
    }
    schedule();
  };
  const schedule = () =>
    "requestVideoFrameCallback" in video
      ? video.requestVideoFrameCallback(next)
      : setTimeout(next, 33);
  signal.addEventListener("abort", () => {
    video.pause();
    video.srcObject = null;
  });
  void video.play().then(schedule, () => {});
}
