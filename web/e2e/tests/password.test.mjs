import { test } from 'node:test';
import {
  click,
  createMeeting,
  enter,
  id,
  register,
  seePattern,
  tileOf,
  type,
  WAIT,
} from '../lib/page.mjs';
import { skipWithout } from '../lib/require.mjs';
import { noDrops, noErrors, withServer } from '../lib/scenario.mjs';

test('a meeting with a password takes who knows it', { skip: skipWithout('chromium') }, () =>
  withServer('password', {}, async ({ server, open, picture }) => {
    const ada = await open({ name: 'ada', colour: 'red' });
    const bob = await open({ name: 'bob', colour: 'green' });
    const adaId = await register(ada.page, server.url, 'ada');
    const bobId = await register(bob.page, server.url, 'bob');
    const link = await createMeeting(ada.page, 'Behind a door', 'open sesame');
    await enter(ada.page);

    await bob.page.goto(link);
    await type(bob.page, 'field-meeting-password', 'close sesame');
    await click(bob.page, 'join');
    await bob.page.waitForSelector(`${id('problem')}:has-text("password is wrong")`, WAIT);
    await picture(bob, 'wrong');
    await type(bob.page, 'field-meeting-password', 'open sesame');
    await enter(bob.page);
    await Promise.all([
      seePattern(bob.page, `${tileOf(adaId)} ${id('tile-video')}`, 'red', 20),
      seePattern(ada.page, `${tileOf(bobId)} ${id('tile-video')}`, 'green', 20),
    ]);
    // Chromium itself reports the refusal.
    noErrors([ada, bob], /status of 403/);
    await noDrops(server);
  }),
);
