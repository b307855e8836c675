// What a person does on the page, the same for Playwright and Puppeteer pages.
import assert from 'node:assert/strict';
import { watchPattern } from './pattern.mjs';

const WAIT = { timeout: 20_000 };
const id = (name) => `[data-testid="${name}"]`;

/** Types into a field; works for both drivers. */
async function type(page, name, text) {
  await page.waitForSelector(id(name), WAIT);
  if (page.fill) await page.fill(id(name), text);
  else await page.type(id(name), text);
}

async function click(page, name, enabled = true) {
  const selector = id(name) + (enabled ? ':not([disabled])' : '');
  await page.waitForSelector(selector, WAIT);
  await page.click(selector);
}

/** Registers through the page and ends on the start page. Returns the user's number. */
export async function register(page, url, username) {
  await page.goto(url);
  await click(page, 'other-form');
  await type(page, 'field-username', username);
  await type(page, 'field-email', `${username}@weir.test`);
  await type(page, 'field-password', 'correct horse');
  await click(page, 'submit');
  await page.waitForSelector(id('create-form'), WAIT);
  return page.evaluate(() => JSON.parse(localStorage.getItem('weir.session')).user.user_id);
}

/** Makes a meeting through the page; returns its link. The page shows the preview then. */
export async function createMeeting(page, title, password = null) {
  await type(page, 'field-title', title);
  if (password) await type(page, 'field-meeting-password', password);
  await click(page, 'create');
  await page.waitForSelector(id('prejoin'), WAIT);
  return page.evaluate(() => location.href);
}

/** Goes from the preview into the meeting. */
export async function enter(page) {
  await click(page, 'join');
  await page.waitForSelector(`${id('room')}[data-state="connected"]`, WAIT);
}

export const tileOf = (userId) => `${id('tile')}[data-user="${userId}"]`;

/** Waits for 60 rising frame numbers of `colour` in a video, at most 30 s. */
export async function seePattern(page, selector, colour, wanted = 60) {
  const seen = await page.evaluate(watchPattern, { selector, wanted, timeoutMs: 30_000 });
  const text = `${selector}: ${JSON.stringify(seen)}`;
  assert.ok(seen.rises >= wanted, `too few rising frame numbers in ${text}`);
  assert.deepEqual(Object.keys(seen.colours), [colour], `another picture than expected in ${text}`);
  assert.equal(seen.falls, 0, `frames went back in ${text}`);
  return seen;
}

/** Sums of the page's getStats over what it receives. */
export function receivedStats(page) {
  return page.evaluate(async () => {
    const sum = { audioEnergy: 0, framesDecoded: 0, packetsLost: 0, nacks: 0, freezes: 0 };
    const report = await window.__weir.connection.getStats();
    for (const entry of report.values()) {
      if (entry.type !== 'inbound-rtp') continue;
      sum.audioEnergy += entry.totalAudioEnergy ?? 0;
      sum.framesDecoded += entry.framesDecoded ?? 0;
      sum.packetsLost += entry.packetsLost ?? 0;
      sum.nacks += entry.nackCount ?? 0;
      sum.freezes += entry.freezeCount ?? 0;
    }
    return sum;
  });
}

/** Waits until `test` holds of a value, and returns that value. */
export async function until(what, read, test, timeoutMs = 20_000) {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (test(value)) return value;
    if (Date.now() > deadline) assert.fail(`${what}: still ${JSON.stringify(value)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** Waits until somebody is heard: the energy of the sound received rises. */
export async function hearSound(page) {
  const before = await receivedStats(page);
  return until(
    'sound received',
    () => receivedStats(page),
    (now) => now.audioEnergy > before.audioEnergy,
  );
}

export { click, id, type, WAIT };
