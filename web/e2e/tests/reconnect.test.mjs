import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OUTAGE } from '../lib/chromium.mjs';
import { createMeeting, enter, id, register, seePattern, tileOf, WAIT } from '../lib/page.mjs';
import { skipWithout } from '../lib/require.mjs';
import { noErrors, withServer } from '../lib/scenario.mjs';

const video = (userId) => `${tileOf(userId)} ${id('tile-video')}`;

test('a meeting goes on after the server restarts', { skip: skipWithout('chromium') }, () =>
  withServer('restart', {}, async ({ server, open, picture }) => {
    const ada = await open({ name: 'ada', colour: 'red' });
    const bob = await open({ name: 'bob', colour: 'green' });
    const adaId = await register(ada.page, server.url, 'ada');
    const bobId = await register(bob.page, server.url, 'bob');
    const link = await createMeeting(ada.page, 'Restart');
    await enter(ada.page);
    await bob.page.goto(link);
    await enter(bob.page);
    await Promise.all([
      seePattern(ada.page, video(bobId), 'green', 20),
      seePattern(bob.page, video(adaId), 'red', 20),
    ]);
    noErrors([ada, bob]);

    const stopMs = await server.stop();
    assert.ok(stopMs < 5_000, `the server took ${stopMs} ms to stop`);
    const notice = `${id('notice')}[data-kind="reconnecting"]`;
    await Promise.all([
      ada.page.waitForSelector(notice, WAIT),
      bob.page.waitForSelector(notice, WAIT),
    ]);
    await picture(ada, 'away');

    await server.start();
    const back = `${id('room')}[data-state="connected"]`;
    await Promise.all([
      ada.page.waitForSelector(back, { timeout: 40_000 }),
      bob.page.waitForSelector(back, { timeout: 40_000 }),
    ]);
    await Promise.all([
      seePattern(ada.page, video(bobId), 'green', 20),
      seePattern(bob.page, video(adaId), 'red', 20),
    ]);
    await picture(ada, 'back');
    noErrors([ada, bob], OUTAGE);
  }),
);
