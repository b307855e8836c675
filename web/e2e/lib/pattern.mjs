// A picture that can be recognised after encoding, scaling and decoding: one colour for each
// sender, and at the foot a strip of eight cells: six bits of the frame's number, their parity,
// and a cell that is always white.
import { closeSync, openSync, writeSync } from 'node:fs';

export const FRAMES = 64;
const WIDTH = 640;
const HEIGHT = 360;
const STRIP = 2 / 3;
const COLOURS = { red: [81, 90, 240], green: [145, 54, 34], blue: [41, 240, 110] };

/**
 * Writes a video for `--use-file-for-fake-video-capture`: 64 frames, 22 MB, played in a loop (88 MB
 * at twice the width and height). With `noise` the colour flickers from pixel to pixel, which
 * compresses badly: each frame takes several packets.
 */
export function writePattern(path, colour, { noise = false, scale = 1 } = {}) {
  const [width, height] = [WIDTH * scale, HEIGHT * scale];
  const top = height * STRIP;
  const cell = width / 8;
  const [y, u, v] = COLOURS[colour];
  const luma = Buffer.alloc(width * height, y);
  const chromaSize = (width / 2) * (height / 2);
  const chroma = Buffer.concat([Buffer.alloc(chromaSize, u), Buffer.alloc(chromaSize, v)]);
  // The strip is grey: no colour below its top.
  const from = (top / 2) * (width / 2);
  chroma.fill(128, from, chromaSize);
  chroma.fill(128, chromaSize + from);
  const file = openSync(path, 'w');
  writeSync(file, `YUV4MPEG2 W${width} H${height} F30:1 Ip A1:1 C420jpeg\n`);
  for (let frame = 0; frame < FRAMES; frame += 1) {
    const row = Buffer.alloc(width);
    cells(frame).forEach((white, n) => {
      row.fill(white ? 235 : 16, n * cell, (n + 1) * cell);
    });
    for (let line = top; line < height; line += 1) row.copy(luma, line * width);
    if (noise) speckle(luma.subarray(0, top * width), y, frame);
    writeSync(file, 'FRAME\n');
    writeSync(file, luma);
    writeSync(file, chroma);
  }
  closeSync(file);
}

/** Noise of +-24 around `y`, the same in each run (xorshift32 from the frame's number). */
function speckle(luma, y, frame) {
  let state = (frame + 1) * 2654435761;
  for (let i = 0; i < luma.length; i += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    luma[i] = Math.min(235, Math.max(16, y + ((state >>> 8) % 49) - 24));
  }
}

/** The strip of a frame, left to right. */
export function cells(frame) {
  const bits = [5, 4, 3, 2, 1, 0].map((bit) => ((frame >> bit) & 1) === 1);
  const parity = bits.filter(Boolean).length % 2 === 1;
  return [...bits, parity, true];
}

/**
 * Runs in the page: watches a <video> until its frame number has risen `wanted` times.
 * Resolves with what was seen: `{rises, falls, unreadable, colours, ms}`.
 */
export function watchPattern({ selector, wanted, timeoutMs }) {
  const canvas = document.createElement('canvas');
  canvas.width = 160;
  canvas.height = 90;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const at = (data, x, y) => {
    const i = (y * 160 + x) * 4;
    return [data[i], data[i + 1], data[i + 2]];
  };
  const read = (video) => {
    context.drawImage(video, 0, 0, 160, 90);
    const { data } = context.getImageData(0, 0, 160, 90);
    const white = [];
    for (let cell = 0; cell < 8; cell += 1) {
      const [r, g, b] = at(data, cell * 20 + 10, 75);
      const light = (r + g + b) / 3;
      if (light > 90 && light < 165) return { colour: null, number: null };
      white.push(light >= 165);
    }
    const bits = white.slice(0, 6);
    const parity = bits.filter(Boolean).length % 2 === 1;
    const readable = white[7] && white[6] === parity;
    const [r, g, b] = at(data, 80, 25);
    const top = Math.max(r, g, b);
    let colour = top === r ? 'red' : top === g ? 'green' : 'blue';
    if (top - Math.min(r, g, b) < 60) colour = 'none';
    const number = readable ? bits.reduce((sum, bit) => sum * 2 + (bit ? 1 : 0), 0) : null;
    return { colour, number };
  };
  return new Promise((resolve) => {
    const from = performance.now();
    const seen = { rises: 0, falls: 0, unreadable: 0, colours: {}, ms: 0, size: '' };
    let last = null;
    let lastAt = 0;
    let over = false;
    const finish = () => {
      over = true;
      clearInterval(timer);
      seen.ms = Math.round(performance.now() - from);
      resolve(seen);
    };
    let watched = null;
    const frame = (video) => {
      if (over || video !== watched) return;
      video.requestVideoFrameCallback(() => frame(video));
      if (video.videoWidth === 0) return;
      const { colour, number } = read(video);
      if (number === null) {
        seen.unreadable += 1;
        return;
      }
      seen.colours[colour] = (seen.colours[colour] ?? 0) + 1;
      seen.size = `${video.videoWidth}x${video.videoHeight}`;
      const now = performance.now();
      if (last !== null && number !== last) {
        // Numbers repeat after 2 s: after a pause of a second a rise looks like a long fall. One
        // that comes from disorder is short and follows at once.
        const step = (number - last + 64) % 64;
        if (step < 48 || now - lastAt > 500) seen.rises += 1;
        else seen.falls += 1;
      }
      last = number;
      lastAt = now;
      if (seen.rises >= wanted) finish();
    };
    const look = () => {
      if (performance.now() - from > timeoutMs) {
        finish();
        return;
      }
      const video = document.querySelector(selector);
      if (video && video !== watched) {
        watched = video;
        video.requestVideoFrameCallback(() => frame(video));
      }
    };
    const timer = setInterval(look, 50);
    look();
  });
}

/** Runs in the page: how many different pictures a video shows in `ms`. */
export async function countPictures({ selector, ms }) {
  const canvas = document.createElement('canvas');
  canvas.width = 16;
  canvas.height = 9;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  const seen = new Set();
  const from = performance.now();
  while (performance.now() - from < ms) {
    const video = document.querySelector(selector);
    if (video?.videoWidth) {
      context.drawImage(video, 0, 0, 16, 9);
      seen.add(context.getImageData(0, 0, 16, 9).data.join());
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return seen.size;
}
