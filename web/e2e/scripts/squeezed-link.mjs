// A receiver's link is squeezed from 3 Mbit/s to 600 kbit/s and widened again: the picture gets
// smaller, goes on, and comes back. Run by tests/squeeze.test.mjs in a network namespace.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { NEAR_IP, openLink } from '../lib/link.mjs';
import { createMeeting, enter, id, register, seePattern, tileOf, until } from '../lib/page.mjs';
import { noErrors, withServer } from '../lib/scenario.mjs';

const WIDE = 3_000;
const NARROW = 600;

/** What the receiver shows of its largest picture, and its sums. */
function received(page) {
  return page.evaluate(async () => {
    const report = await window.__weir.connection.getStats();
    let best = null;
    for (const entry of report.values()) {
      if (entry.type !== 'inbound-rtp' || entry.kind !== 'video') continue;
      if (!best || (entry.framesDecoded ?? 0) > (best.framesDecoded ?? 0)) best = entry;
    }
    return {
      height: best?.frameHeight ?? 0,
      fps: best?.framesPerSecond ?? 0,
      frames: best?.framesDecoded ?? 0,
      freezes: best?.freezeCount ?? 0,
      frozen: best?.totalFreezesDuration ?? 0,
      lost: best?.packetsLost ?? 0,
      bytes: best?.bytesReceived ?? 0,
      keyFrames: best?.keyFramesDecoded ?? 0,
    };
  });
}

/** Looks for so many seconds, once a second; gives what was seen and what it cost. */
async function watch(page, name, seconds) {
  const first = await received(page);
  const heights = [];
  let last = first;
  for (let second = 0; second < seconds; second += 1) {
    await sleep(1_000);
    last = await received(page);
    heights.push(last.height);
  }
  const seen = {
    heights,
    switches: heights.filter((height, n) => n > 0 && height !== heights[n - 1]).length,
    kbit: Math.round(((last.bytes - first.bytes) * 8) / 1000 / seconds),
    frames: last.frames - first.frames,
    freezes: last.freezes - first.freezes,
    frozen: Math.round((last.frozen - first.frozen) * 1000) / 1000,
    lost: last.lost - first.lost,
  };
  console.log(`${name}: ${JSON.stringify(seen)}`);
  return seen;
}

const link = await openLink();
try {
  const options = { mediaIp: NEAR_IP, httpIp: NEAR_IP };
  await withServer('squeeze', options, async ({ server, open, picture }) => {
    const flags = [`--unsafely-treat-insecure-origin-as-secure=${server.url}`];
    const ada = await open({ name: 'ada', colour: 'red', noise: true, scale: 2, flags });
    const bob = await open({ name: 'bob', colour: 'green', executable: link.executable, flags });
    const adaId = await register(ada.page, server.url, 'ada');
    await register(bob.page, server.url, 'bob');
    // A tile for which only the full picture is large enough.
    await bob.page.setViewportSize({ width: 2700, height: 1600 });
    const url = await createMeeting(ada.page, 'Squeeze');
    await enter(ada.page);
    link.rate(WIDE);
    await bob.page.goto(url);
    await enter(bob.page);
    const video = `${tileOf(adaId)} ${id('tile-video')}`;
    await seePattern(bob.page, video, 'red', 20);
    const top = await until(
      'the full picture',
      async () => (await received(bob.page)).height,
      (height) => height >= 720,
      60_000,
    );
    const wide = await watch(bob.page, 'wide', 10);

    link.rate(NARROW);
    await until(
      'a smaller picture',
      async () => (await received(bob.page)).height,
      (height) => height > 0 && height < top,
      30_000,
    );
    await sleep(3_000);
    const narrow = await watch(bob.page, 'narrow', 15);
    await picture(bob, 'narrow');
    assert.ok(narrow.frames > 60, 'the picture goes on over the narrow link');
    assert.ok(narrow.kbit < NARROW * 1.1, 'no more than the link carries');
    assert.ok(narrow.switches <= 6, 'layers do not flap');

    link.rate(WIDE);
    const from = Date.now();
    await until(
      'the full picture again',
      async () => (await received(bob.page)).height,
      (height) => height >= top,
      60_000,
    );
    console.log(`back at ${top} lines after ${Date.now() - from} ms`);
    const again = await watch(bob.page, 'wide again', 5);
    assert.ok(wide.frames > 60 && again.frames > 30, 'the picture goes on over the wide link');
    await picture(bob, 'again');
    noErrors([ada, bob]);
  });
} finally {
  link.close();
}
