// Layers from real encoders: simulcast of Firefox and Chromium, and scalable VP9 and AV1 of
// Chromium, as whole pictures and as small ones. Run by tests/layers.test.mjs in a network
// namespace.
import assert from 'node:assert/strict';
import { openFirefox } from '../lib/firefox.mjs';
import { NETNS_IP } from '../lib/in-netns.mjs';
import {
  createMeeting,
  enter,
  id,
  register,
  seePattern,
  tileOf,
  until,
  WAIT,
} from '../lib/page.mjs';
import { noDrops, noErrors, withServer } from '../lib/scenario.mjs';

/** What is sent and received of video, by getStats. */
function stats(page) {
  return page.evaluate(async () => {
    const report = await window.__weir.connection.getStats();
    const all = [...report.values()];
    const codec = (entry) => report.get(entry.codecId)?.mimeType ?? '';
    const video = (type) => all.filter((entry) => entry.type === type && entry.kind === 'video');
    return {
      sent: video('outbound-rtp')
        .filter((entry) => (entry.packetsSent ?? 0) > 0)
        .map((entry) => ({
          rid: entry.rid ?? '',
          height: entry.frameHeight ?? 0,
          mode: entry.scalabilityMode ?? '',
          codec: codec(entry),
          active: entry.active ?? true,
        })),
      received: video('inbound-rtp')
        .filter((entry) => (entry.framesDecoded ?? 0) > 0)
        .map((entry) => ({
          mid: entry.mid,
          height: entry.frameHeight ?? 0,
          frames: entry.framesDecoded,
          codec: codec(entry),
        })),
    };
  });
}

/** Waits for `frames` more pictures than there are now. */
async function moreFrames(page, frames, what) {
  const read = async () => (await stats(page)).received.reduce((n, entry) => n + entry.frames, 0);
  const before = await read();
  return until(what, read, (now) => now >= before + frames, 30_000);
}

/** Lines of the picture in a video element. */
const lines = (page, selector) => () =>
  page.evaluate((found) => document.querySelector(found)?.videoHeight ?? 0, selector);

/** Firefox and Chromium both send in several layers; each sees the other. */
async function simulcastBothWays() {
  await withServer('simulcast', { mediaIp: NETNS_IP }, async ({ server, open, keep, picture }) => {
    const fox = keep(await openFirefox());
    const chrome = await open({ name: 'chromium', colour: 'green', scale: 2 });
    const foxId = await register(fox.page, server.url, 'fox');
    const chromeId = await register(chrome.page, server.url, 'chrome');
    const link = await createMeeting(fox.page, 'Layers');
    await enter(fox.page);
    await chrome.page.goto(link);
    await enter(chrome.page);
    const video = (userId) => `${tileOf(userId)} ${id('tile-video')}`;
    await chrome.page.waitForSelector(video(foxId), WAIT);
    await Promise.all([
      seePattern(fox.page, video(chromeId), 'green'),
      moreFrames(chrome.page, 60, "frames of Firefox's layers"),
    ]);
    // What is sent depends on what the other shows and on what its link is known to carry.
    const layers = (sent) => new Set(sent.map((entry) => entry.rid)).size;
    const sends = (page) => async () => layers((await stats(page)).sent);
    await Promise.all([
      until('layers of Firefox', sends(fox.page), (count) => count >= 2, 30_000),
      until('layers of Chromium', sends(chrome.page), (count) => count >= 2, 30_000),
    ]);
    for (const { name, page } of [fox, chrome]) {
      const { sent, received } = await stats(page);
      console.log(`${name} sends ${JSON.stringify(sent)}, receives ${JSON.stringify(received)}`);
    }
    await picture(fox, 'both');
    noErrors([fox, chrome]);
    await noDrops(server);
  });
}

/** A scalable stream of Chromium, watched by Chromium and by Firefox. */
async function scalable(codec, mode) {
  const name = `${codec}-${mode}`;
  await withServer(name, { mediaIp: NETNS_IP }, async ({ server, open, keep, picture }) => {
    const ada = await open({ name: 'ada', colour: 'red', scale: 2 });
    const bob = await open({ name: 'bob', colour: 'green' });
    const fox = keep(await openFirefox());
    const adaId = await register(ada.page, server.url, 'ada');
    await register(bob.page, server.url, 'bob');
    await register(fox.page, server.url, 'fox');
    const link = await createMeeting(ada.page, name);
    await ada.page.goto(`${link}?codec=${codec}&svc=${mode}`);
    await enter(ada.page);
    await bob.page.goto(link);
    await enter(bob.page);
    await fox.page.goto(link);
    await enter(fox.page);
    const video = `${tileOf(adaId)} ${id('tile-video')}`;
    await seePattern(bob.page, video, 'red');
    const sent = (await stats(ada.page)).sent;
    console.log(`${name}: sent`, JSON.stringify(sent));
    assert.ok(
      sent.some((entry) => entry.codec.toLowerCase() === `video/${codec}` && entry.mode === mode),
      'the browser encodes as it was asked to',
    );
    const whole = await until(
      'a large picture',
      lines(bob.page, video),
      (height) => height >= 360,
      30_000,
    );
    // Firefox has no dependency descriptor to receive: it gets what it can decode without.
    await seePattern(fox.page, video, 'red', 20);
    console.log(
      `${name}: Chromium sees ${whole} lines, Firefox`,
      JSON.stringify((await stats(fox.page)).received),
    );

    // A small window shows a small picture: upper spatial layers are left out.
    await bob.page.setViewportSize({ width: 320, height: 240 });
    const small = await until(
      'a smaller picture in a smaller window',
      lines(bob.page, video),
      (height) => height > 0 && height < whole,
      30_000,
    );
    await seePattern(bob.page, video, 'red', 20);
    await bob.page.setViewportSize({ width: 1280, height: 720 });
    const again = await until(
      'the whole picture in the larger window',
      lines(bob.page, video),
      (height) => height >= whole,
      30_000,
    );
    await seePattern(bob.page, video, 'red', 20);
    console.log(`${name}: ${whole} lines, ${small} in a small window, ${again} again`);
    await picture(bob, 'again');
    noErrors([ada, bob, fox]);
    await noDrops(server);
  });
}

await simulcastBothWays();
await scalable('vp9', 'L3T3_KEY');
await scalable('av1', 'L3T3');
