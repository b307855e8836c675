// Scalable publishers: one stream with layers inside, in the codec the address asks for.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeeting, enter, id, register, seePattern, tileOf } from '../lib/page.mjs';
import { skipWithout } from '../lib/require.mjs';
import { noErrors, withServer } from '../lib/scenario.mjs';

const video = (userId) => `${tileOf(userId)} ${id('tile-video')}`;

/** What the page sends its camera as. */
function sent(page) {
  return page.evaluate(async () => {
    const report = await window.__weir.connection.getStats();
    const out = [...report.values()].find((e) => e.type === 'outbound-rtp' && e.kind === 'video');
    return { codec: report.get(out.codecId)?.mimeType, mode: out.scalabilityMode };
  });
}

for (const [codec, mode, expected] of [
  // A camera of this size has two spatial layers at most, and Chromium says so.
  ['vp9', 'L3T3_KEY', /^L[23]T3_KEY$/],
  ['av1', 'L1T3', /^L1T3$/],
]) {
  test(`${codec} ${mode} is sent and seen`, { skip: skipWithout('chromium') }, () =>
    withServer(`svc-${codec}`, {}, async ({ server, open, picture }) => {
      const ada = await open({ name: 'ada', colour: 'red' });
      const bob = await open({ name: 'bob', colour: 'green' });
      const adaId = await register(ada.page, server.url, 'ada');
      await register(bob.page, server.url, 'bob');
      const link = await createMeeting(ada.page, 'Scalable');
      await ada.page.goto(`${link}?codec=${codec}&svc=${mode}`);
      await enter(ada.page);
      await bob.page.goto(link);
      await enter(bob.page);
      await seePattern(bob.page, video(adaId), 'red', 30);
      await picture(bob, 'seen');
      const stream = await sent(ada.page);
      assert.equal(stream.codec, `video/${codec.toUpperCase()}`);
      assert.match(stream.mode, expected);
      noErrors([ada, bob]);
    }),
  );
}
