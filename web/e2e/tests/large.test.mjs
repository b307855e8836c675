// Pages of tiles, pins, the speaker view, hands, reactions, webinars: four people, real pictures.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  click,
  createMeeting,
  enter,
  id,
  register,
  seePattern,
  tileOf,
  until,
  WAIT,
} from '../lib/page.mjs';
import { skipWithout } from '../lib/require.mjs';
import { noErrors, withServer } from '../lib/scenario.mjs';

const video = (userId) => `${tileOf(userId)} ${id('tile-video')}`;
const WIDE = { width: 1280, height: 720 };
/** One row of two tiles. */
const SMALL = { width: 460, height: 345 };

/** Frames received of each person's camera so far, by user; who has no slot has no entry. */
function framesOf(page) {
  return page.evaluate(async () => {
    const meeting = window.__weir;
    const frames = {};
    const report = await meeting.connection.getStats();
    const byMid = new Map();
    for (const entry of report.values()) {
      if (entry.type === 'inbound-rtp' && entry.kind === 'video') byMid.set(entry.mid, entry);
    }
    for (const slot of meeting.slots) {
      if (slot.source !== 'camera' || slot.userId === null) continue;
      frames[slot.userId] = byMid.get(slot.mid)?.framesReceived ?? 0;
    }
    const all = [...byMid.values()].reduce((sum, entry) => sum + (entry.framesReceived ?? 0), 0);
    return { frames, all };
  });
}

/** Waits until pictures come of exactly these people. */
async function receives(page, userIds) {
  const wanted = userIds.map(String).sort().join();
  await until(
    `pictures of ${wanted} alone`,
    async () =>
      Object.keys((await framesOf(page)).frames)
        .sort()
        .join(),
    (now) => now === wanted,
  );
  // The last frames of the others may be on their way.
  await until(
    'no frames but theirs',
    async () => {
      const before = await framesOf(page);
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      const after = await framesOf(page);
      const grown = (userId) => (after.frames[userId] ?? 0) - (before.frames[userId] ?? 0);
      const theirs = userIds.map(grown);
      return { theirs, others: after.all - before.all - theirs.reduce((a, b) => a + b, 0) };
    },
    ({ theirs, others }) => others === 0 && theirs.every((frames) => frames > 5),
  );
}

test('only what is on the screen is received', { skip: skipWithout('chromium') }, () =>
  withServer('large', {}, async ({ server, open, picture }) => {
    const ada = await open({ name: 'ada', colour: 'red' });
    const adaId = await register(ada.page, server.url, 'ada');
    const link = await createMeeting(ada.page, 'Large');
    await enter(ada.page);
    const people = [];
    for (const [name, colour] of [
      ['bob', 'green'],
      ['cyd', 'blue'],
      ['dan', 'green'],
    ]) {
      const browser = await open({ name, colour });
      // They look at little, so that the machine can carry four browsers.
      await browser.page.setViewportSize(SMALL);
      const userId = await register(browser.page, server.url, name);
      await browser.page.goto(link);
      await enter(browser.page);
      people.push({ browser, userId, colour });
    }
    const [bob, cyd, dan] = people;
    const everybody = [ada, ...people.map(({ browser }) => browser)];

    await receives(
      ada.page,
      people.map(({ userId }) => userId),
    );
    for (const { userId, colour } of people) await seePattern(ada.page, video(userId), colour, 20);
    await picture(ada, 'grid');

    // A small window has two pages: bob and oneself, then the others.
    await ada.page.setViewportSize(SMALL);
    await ada.page.waitForSelector(id('pager'), WAIT);
    assert.equal(await ada.page.textContent(id('page-number')), '1 / 2');
    await receives(ada.page, [bob.userId]);
    await picture(ada, 'page-1');
    await click(ada.page, 'page-next');
    await receives(ada.page, [cyd.userId, dan.userId]);
    await seePattern(ada.page, video(cyd.userId), 'blue', 20);
    await seePattern(ada.page, video(dan.userId), 'green', 20);
    await picture(ada, 'page-2');

    // A pinned person is large, on every page.
    await ada.page.setViewportSize(WIDE);
    await ada.page.hover(tileOf(dan.userId));
    await ada.page.click(`${tileOf(dan.userId)} ${id('pin')}`);
    const large = (userId) => `${tileOf(userId)}[data-large="true"]`;
    await ada.page.waitForSelector(large(dan.userId), WAIT);
    await seePattern(ada.page, `${large(dan.userId)} ${id('tile-video')}`, 'green', 20);
    await picture(ada, 'pinned');
    await ada.page.hover(large(dan.userId));
    await ada.page.click(`${large(dan.userId)} ${id('pin')}`);
    await ada.page.waitForSelector(large(dan.userId), { ...WAIT, state: 'detached' });

    // In the speaker view one is large, and the others are beside.
    await click(ada.page, 'layout-speaker');
    await ada.page.waitForSelector(`${id('tile')}[data-large="true"]`, WAIT);
    assert.equal(await ada.page.locator(id('tile')).count(), 3);
    await picture(ada, 'speaker');
    await click(ada.page, 'layout-grid');

    await handsAndReactions(ada, bob, cyd);
    await webinar(ada, bob, adaId, picture);
    noErrors(everybody);
  }),
);

async function handsAndReactions(ada, bob, cyd) {
  await click(bob.browser.page, 'toggle-hand');
  const hand = `${tileOf(bob.userId)} ${id('badge-hand')}`;
  await ada.page.waitForSelector(hand, WAIT);
  // Who comes later sees it too.
  await cyd.browser.page.reload();
  await enter(cyd.browser.page);
  await click(cyd.browser.page, 'toggle-people');
  await cyd.browser.page.waitForSelector(id('person-hand'), { ...WAIT, state: 'attached' });
  // The host lowers it.
  await click(ada.page, 'toggle-people');
  const row = ada.page.locator(id('person')).filter({ hasText: 'bob' });
  await row.hover();
  await row.locator(id('act-down')).click();
  await ada.page.waitForSelector(hand, { ...WAIT, state: 'detached' });
  await click(bob.browser.page, 'toggle-react');
  await bob.browser.page.locator(id('react')).first().click();
  await ada.page.waitForSelector(id('reaction'), WAIT);
}

/** Only hosts are seen: bob's picture goes at once, and comes back with his right. */
async function webinar(ada, bob, adaId, picture) {
  const page = bob.browser.page;
  await click(ada.page, 'webinar');
  await page.waitForSelector(id('viewer'), WAIT);
  await page.waitForSelector(id('toggle-camera'), { ...WAIT, state: 'detached' });
  await ada.page.waitForSelector(video(bob.userId), { ...WAIT, state: 'hidden' });
  await seePattern(page, video(adaId), 'red', 20);
  await picture(bob.browser, 'viewer');
  await click(ada.page, 'webinar');
  await click(page, 'toggle-camera');
  await ada.page.waitForSelector(video(bob.userId), WAIT);
  await seePattern(ada.page, video(bob.userId), 'green', 20);
}
