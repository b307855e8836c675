// Measures what people wait for and see: from the WebSocket's join to the first picture, and
// what arrives of 1280x720 at 30 frames per second. Prints a table; fails nothing by being slow.
//
//     WEIR_BIN=target/release/weir node web/e2e/bench.mjs [--json FILE]
//
// Sender and receiver are two Chromium processes on this machine, which also encode and decode.
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { click, createMeeting, enter, id, register, tileOf, WAIT } from './lib/page.mjs';
import { cells, FRAMES } from './lib/pattern.mjs';
import { CHROMIUM, skipWithout } from './lib/require.mjs';
import { startServer } from './lib/server.mjs';

const JOINS = 10;
const WATCH_MS = 20_000;
/** The sender's bandwidth estimate rises to its highest layer in this time. */
const RAMP_MS = 30_000;
const WIDTH = 1280;
const HEIGHT = 720;

/** The counted strip of lib/pattern.mjs at 1280x720 over moving stripes: work for an encoder. */
function writeVideo(path) {
  const file = openSync(path, 'w');
  writeSync(file, `YUV4MPEG2 W${WIDTH} H${HEIGHT} F30:1 Ip A1:1 C420jpeg\n`);
  const chroma = Buffer.alloc((WIDTH * HEIGHT) / 2, 128);
  const luma = Buffer.alloc(WIDTH * HEIGHT);
  for (let frame = 0; frame < FRAMES; frame += 1) {
    for (let y = 0; y < (HEIGHT * 2) / 3; y += 1) {
      for (let x = 0; x < WIDTH; x += 1) {
        // One turn in 64 frames, so that the loop has no seam.
        luma[y * WIDTH + x] = 64 + (((x + frame * 20) >> 4) % 80) + ((y >> 3) % 40);
      }
    }
    const strip = Buffer.alloc(WIDTH);
    cells(frame).forEach((white, n) => {
      strip.fill(white ? 235 : 16, (n * WIDTH) / 8, ((n + 1) * WIDTH) / 8);
    });
    for (let y = (HEIGHT * 2) / 3; y < HEIGHT; y += 1) strip.copy(luma, y * WIDTH);
    writeSync(file, 'FRAME\n');
    writeSync(file, luma);
    writeSync(file, chroma);
  }
  closeSync(file);
}

async function openBrowser(folder, name, video) {
  const context = await chromium.launchPersistentContext(join(folder, name), {
    executablePath: CHROMIUM,
    headless: true,
    viewport: { width: WIDTH, height: HEIGHT },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--use-fake-ui-for-media-stream',
      '--allow-loopback-in-peer-connection',
      '--autoplay-policy=no-user-gesture-required',
      '--mute-audio',
      '--use-fake-device-for-media-stream=fps=30',
      `--use-file-for-fake-video-capture=${video}`,
    ],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  await page.addInitScript(() => {
    try {
      localStorage.setItem('weir.debug', '1');
    } catch {
      // about:blank has no storage.
    }
    // When the join leaves, by the page's own clock.
    const { send } = WebSocket.prototype;
    WebSocket.prototype.send = function timed(data) {
      if (typeof data === 'string' && data.includes('"type":"join"')) {
        window.__joinSent = performance.now();
      }
      return send.call(this, data);
    };
  });
  return { page, context };
}

/** Runs in the page: the time of the first decoded picture shown in a video that may not exist yet. */
function firstPicture({ selector, timeoutMs }) {
  return new Promise((resolve, reject) => {
    const begin = performance.now();
    let watched = null;
    const timer = setInterval(() => {
      const video = document.querySelector(selector);
      if (video && video !== watched) {
        watched = video;
        video.requestVideoFrameCallback((now) => {
          clearInterval(timer);
          resolve(now - window.__joinSent);
        });
      }
      if (performance.now() - begin > timeoutMs) {
        clearInterval(timer);
        reject(new Error('no picture'));
      }
    }, 2);
  });
}

/** Runs in the page: the times of all pictures shown in `ms`. */
function watch({ selector, ms }) {
  return new Promise((resolve) => {
    const video = document.querySelector(selector);
    const times = [];
    const begin = performance.now();
    const next = (now) => {
      times.push(now);
      if (now - begin < ms) video.requestVideoFrameCallback(next);
    };
    video.requestVideoFrameCallback(next);
    setTimeout(() => resolve(times), ms + 500);
  });
}

/** The camera's stream as the receiver's getStats has it. */
function inbound(page) {
  return page.evaluate(async () => {
    const report = await window.__weir.connection.getStats();
    const videos = [...report.values()].filter(
      (entry) => entry.type === 'inbound-rtp' && entry.kind === 'video',
    );
    videos.sort((a, b) => (b.framesDecoded ?? 0) - (a.framesDecoded ?? 0));
    const { framesDecoded = 0, freezeCount = 0, framesDropped = 0 } = videos[0] ?? {};
    const {
      frameWidth = 0,
      frameHeight = 0,
      packetsLost = 0,
      decoderImplementation,
    } = videos[0] ?? {};
    const { bytesReceived = 0, totalInterFrameDelay = 0 } = videos[0] ?? {};
    return {
      framesDecoded,
      freezeCount,
      framesDropped,
      frameWidth,
      frameHeight,
      packetsLost,
      decoderImplementation,
      bytesReceived,
      totalInterFrameDelay,
      at: performance.now(),
    };
  });
}

/** The value below which `share` of the values lie. */
function quantile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
}

async function measure() {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'));
  const server = await startServer({});
  const contexts = [];
  try {
    const video = join(folder, 'camera.y4m');
    writeVideo(video);
    const open = async (name) => {
      const browser = await openBrowser(folder, name, video);
      contexts.push(browser.context);
      return browser.page;
    };
    const [ada, bob] = [await open('ada'), await open('bob')];
    const adaId = await register(ada, server.url, 'ada');
    await register(bob, server.url, 'bob');
    const link = await createMeeting(ada, 'Measured');
    await enter(ada);
    const selector = `${tileOf(adaId)} ${id('tile-video')}`;

    const joins = [];
    const comeIn = async () => {
      await bob.goto(link);
      await bob.waitForSelector(id('prejoin'), WAIT);
      const first = bob.evaluate(firstPicture, { selector, timeoutMs: 20_000 });
      await click(bob, 'join');
      return first;
    };
    for (let n = 0; n <= JOINS; n += 1) {
      const ms = await comeIn();
      // The first one warms up caches on both sides.
      if (n > 0) joins.push(ms);
      process.stderr.write(`join ${n}: ${ms.toFixed(0)} ms\n`);
      if (n < JOINS) {
        await click(bob, 'leave');
        await bob.waitForSelector(id('farewell'), WAIT);
      }
    }
    // From here on only the sender's camera is encoded.
    await click(bob, 'toggle-camera');

    const deadline = Date.now() + RAMP_MS;
    while ((await inbound(bob)).frameWidth < WIDTH && Date.now() < deadline) {
      await new Promise((done) => setTimeout(done, 250));
    }
    const before = await inbound(bob);
    const times = await bob.evaluate(watch, { selector, ms: WATCH_MS });
    const after = await inbound(bob);
    const drops = await server.byLabel('weir_drops_total', 'reason');
    return { joins, before, after, times, drops };
  } finally {
    for (const context of contexts) await context.close().catch(() => {});
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function rows({ joins, before, after, times, drops }) {
  const seconds = (after.at - before.at) / 1000;
  const gaps = times.slice(1).map((time, n) => time - times[n]);
  const size = `${after.frameWidth}x${after.frameHeight}`;
  const dropped = Object.entries(drops).map(([reason, count]) => `${count} ${reason}`);
  const decoded = after.framesDecoded - before.framesDecoded;
  const kbit = ((after.bytesReceived - before.bytesReceived) * 8) / 1000 / seconds;
  const first = `WebSocket join to first picture, ${joins.length} joins`;
  const at = `at ${size}`;
  return [
    { what: `${first}, p50`, unit: 'ms', value: quantile(joins, 0.5), note: 'target under 700' },
    { what: `${first}, p95`, unit: 'ms', value: quantile(joins, 0.95), note: '', more: { joins } },
    {
      what: `decoded ${at}, of 30 sent`,
      unit: '1/s',
      value: decoded / seconds,
      note: `${kbit.toFixed(0)} kbit/s`,
    },
    {
      what: `longest gap between pictures ${at}`,
      unit: 'ms',
      value: Math.max(...gaps),
      note: `in ${(WATCH_MS / 1000).toFixed(0)} s`,
    },
    {
      what: `freezes ${at}`,
      unit: '',
      value: after.freezeCount - before.freezeCount,
      note: `${after.packetsLost - before.packetsLost} packets lost, server dropped: ${
        dropped.join(', ') || 'nothing'
      }`,
    },
  ];
}

const { values: options } = parseArgs({ options: { json: { type: 'string' } } });
const missing = skipWithout('chromium');
if (missing) {
  process.stderr.write(`${missing}; make test installs it\n`);
  process.exit(1);
}
const result = rows(await measure());
for (const { what, unit, value, note } of result) {
  console.log(`${what.padEnd(52)} ${value.toFixed(1).padStart(8)} ${unit.padEnd(4)} ${note}`);
}
if (options.json) writeFileSync(options.json, JSON.stringify({ rows: result }));
