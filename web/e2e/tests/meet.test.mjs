import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  click,
  createMeeting,
  enter,
  hearSound,
  id,
  receivedStats,
  register,
  seePattern,
  tileOf,
  type,
  until,
  WAIT,
} from '../lib/page.mjs';
import { countPictures } from '../lib/pattern.mjs';
import { skipWithout } from '../lib/require.mjs';
import { allWithGcm128, noDrops, noErrors, withServer } from '../lib/scenario.mjs';

const skip = skipWithout('chromium');
const video = (userId) => `${tileOf(userId)} ${id('tile-video')}`;

test('chromium meets chromium', { skip }, () =>
  withServer('meet', {}, async ({ server, open, picture }) => {
    const ada = await open({ name: 'ada', colour: 'red' });
    const bob = await open({ name: 'bob', colour: 'green' });
    const adaId = await register(ada.page, server.url, 'ada');
    const bobId = await register(bob.page, server.url, 'bob');
    const link = await createMeeting(ada.page, 'Two browsers');
    await ada.page.waitForSelector(`${id('join')}:not([disabled])`, WAIT);
    await picture(ada, 'preview');
    await enter(ada.page);
    await bob.page.goto(link);
    await enter(bob.page);

    // Each sees and hears the other.
    const seen = await Promise.all([
      seePattern(ada.page, video(bobId), 'green'),
      seePattern(bob.page, video(adaId), 'red'),
    ]);
    console.log('seen', JSON.stringify(seen));
    await Promise.all([hearSound(ada.page), hearSound(bob.page)]);
    await picture(ada, 'two');
    await noDrops(server);
    await allWithGcm128(server, 2);

    // Chat arrives.
    await click(ada.page, 'toggle-chat');
    await type(ada.page, 'chat-input', 'Do you see me?');
    await click(ada.page, 'chat-send');
    await click(bob.page, 'toggle-chat');
    await bob.page.waitForSelector(`${id('chat-message')}:has-text("Do you see me?")`, WAIT);
    await picture(bob, 'chat');
    await click(bob.page, 'toggle-chat');
    await click(ada.page, 'toggle-chat');

    // A mute shows, and goes.
    await click(ada.page, 'toggle-mic');
    await bob.page.waitForSelector(`${tileOf(adaId)} ${id('badge-muted')}`, WAIT);
    await click(ada.page, 'toggle-mic');
    await bob.page.waitForSelector(`${tileOf(adaId)} ${id('badge-muted')}`, {
      ...WAIT,
      state: 'detached',
    });

    // A camera goes off and comes back without a new negotiation.
    await click(ada.page, 'toggle-camera');
    await bob.page.waitForSelector(`${tileOf(adaId)} .avatar`, WAIT);
    await click(ada.page, 'toggle-camera');
    await seePattern(bob.page, video(adaId), 'red', 20);

    // A screen is shared, ends, and is shared again.
    for (const round of ['first', 'second']) {
      await click(ada.page, 'toggle-screen');
      await bob.page.waitForSelector(id('screen-video'), WAIT);
      const screen = { selector: id('screen-video'), ms: 500 };
      await until(
        `pictures of the ${round} share`,
        () => bob.page.evaluate(countPictures, screen),
        (pictures) => pictures > 2,
      );
      await picture(bob, `screen-${round}`);
      await click(ada.page, 'toggle-screen');
      await bob.page.waitForSelector(id('screen'), { ...WAIT, state: 'detached' });
    }

    // A third comes and sees both.
    const cyd = await open({ name: 'cyd', colour: 'blue' });
    const cydId = await register(cyd.page, server.url, 'cyd');
    await cyd.page.goto(link);
    await enter(cyd.page);
    await Promise.all([
      seePattern(cyd.page, video(adaId), 'red', 30),
      seePattern(cyd.page, video(bobId), 'green', 30),
      seePattern(ada.page, video(cydId), 'blue', 30),
    ]);
    await picture(cyd, 'three');
    await picture(ada, 'three');

    await noDrops(server);

    // One leaves: the tile goes, the others go on.
    await click(bob.page, 'leave');
    await bob.page.waitForSelector(id('farewell'), WAIT);
    await ada.page.waitForSelector(tileOf(bobId), { ...WAIT, state: 'detached' });
    await cyd.page.waitForSelector(tileOf(bobId), { ...WAIT, state: 'detached' });
    await seePattern(cyd.page, video(adaId), 'red', 20);
    await until(
      'own connection quality',
      () => ada.page.getAttribute(id('quality'), 'data-quality'),
      (quality) => quality === 'good',
    );
    const stats = await receivedStats(ada.page);
    assert.equal(stats.packetsLost, 0, JSON.stringify(stats));
    noErrors([ada, bob, cyd]);

    // Another goes without a word, the last one leaves; nobody's last packets count as drops.
    // Without a close frame the place is kept for 30 s, for a connection that broke.
    await cyd.close();
    await ada.page.waitForSelector(tileOf(cydId), { timeout: 40_000, state: 'detached' });
    await noDrops(server);
    await click(ada.page, 'leave');
    await ada.page.waitForSelector(id('farewell'), WAIT);
    await noDrops(server);
    await allWithGcm128(server, 3);
  }),
);

/** Two people see and hear each other through a server with these options. */
async function twoMeet(name, options, check = async () => {}) {
  await withServer(name, options, async ({ server, open, picture }) => {
    const ada = await open({ name: 'ada', colour: 'blue' });
    const bob = await open({ name: 'bob', colour: 'red' });
    const adaId = await register(ada.page, server.url, 'ada');
    const bobId = await register(bob.page, server.url, 'bob');
    const link = await createMeeting(ada.page, `By ${name}`);
    await enter(ada.page);
    await bob.page.goto(link);
    await enter(bob.page);
    await Promise.all([
      seePattern(ada.page, video(bobId), 'red'),
      seePattern(bob.page, video(adaId), 'blue'),
    ]);
    await Promise.all([hearSound(ada.page), hearSound(bob.page)]);
    await picture(ada, 'two');
    noErrors([ada, bob]);
    await noDrops(server);
    await check(server);
  });
}

const backendOf = async (server) =>
  (await server.metrics()).find((entry) => entry.name === 'weir_backend_info')?.labels.kind;

test('the same meeting with the mmsg backend', { skip }, () =>
  twoMeet('mmsg', { backend: 'mmsg' }, async (server) => {
    assert.equal(await backendOf(server), 'mmsg');
  }),
);

test('the same meeting where io_uring is denied', { skip }, () =>
  twoMeet('denied', { ioUring: false }, async (server) => {
    assert.equal(await backendOf(server), 'mmsg');
    const warnings = server.log.split('\n').filter((line) => line.includes('WARN'));
    assert.equal(warnings.length, 1, server.log);
    assert.match(warnings[0], /io_uring/);
  }),
);
