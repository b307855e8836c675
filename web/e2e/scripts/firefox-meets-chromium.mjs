// Firefox and Chromium in one meeting. Run by tests/firefox.test.mjs in a network namespace.
import assert from 'node:assert/strict';
import { openFirefox } from '../lib/firefox.mjs';
import { NETNS_IP } from '../lib/in-netns.mjs';
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
  until,
  WAIT,
} from '../lib/page.mjs';
import { countPictures } from '../lib/pattern.mjs';
import { allWithGcm128, noDrops, noErrors, withServer } from '../lib/scenario.mjs';

await withServer('firefox', { mediaIp: NETNS_IP }, async ({ server, open, keep, picture }) => {
  const fox = keep(await openFirefox());
  const chrome = await open({ name: 'chromium', colour: 'green' });
  const foxId = await register(fox.page, server.url, 'fox');
  const chromeId = await register(chrome.page, server.url, 'chrome');
  const link = await createMeeting(fox.page, 'Two kinds of browser');
  await enter(fox.page);
  await chrome.page.goto(link);
  await enter(chrome.page);

  const video = (userId) => `${tileOf(userId)} ${id('tile-video')}`;
  const seen = await seePattern(fox.page, video(chromeId), 'green');
  console.log('Firefox saw', JSON.stringify(seen));

  await chrome.page.waitForSelector(video(foxId), WAIT);
  const decoded = async () => (await receivedStats(chrome.page)).framesDecoded;
  const before = await decoded();
  await until('frames of Firefox', decoded, (now) => now >= before + 60, 30_000);
  // Firefox's fake camera changes its colour from frame to frame.
  const pictures = await chrome.page.evaluate(countPictures, {
    selector: video(foxId),
    ms: 3_000,
  });
  assert.ok(pictures >= 10, `Firefox's picture changed only ${pictures} times`);
  await Promise.all([hearSound(fox.page), hearSound(chrome.page)]);
  await picture(fox, 'two');
  await picture(chrome, 'two');
  noErrors([fox, chrome]);
  await noDrops(server);
  await allWithGcm128(server, 2);

  await click(fox.page, 'leave');
  await chrome.page.waitForSelector(tileOf(foxId), { ...WAIT, state: 'detached' });
  await noDrops(server);
});
