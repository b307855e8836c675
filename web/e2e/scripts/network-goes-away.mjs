// The path of media breaks for a while and the client finds a new one by itself (ICE restart).
// Run by tests/network.test.mjs in a network namespace.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { OUTAGE } from '../lib/chromium.mjs';
import { NETNS_IP } from '../lib/in-netns.mjs';
import { createMeeting, enter, id, register, seePattern, tileOf, until } from '../lib/page.mjs';
import { noErrors, withServer } from '../lib/scenario.mjs';

function iptables(...args) {
  const { status, stderr } = spawnSync('iptables', args, { encoding: 'utf8' });
  assert.equal(status, 0, `iptables: ${stderr}`);
}

const stateOf = (page) => page.getAttribute(id('room'), 'data-state');

/** Blocks what `rule` matches until both pages noticed, then waits until both are back. */
async function breakOf(browsers, rule) {
  const states = () => Promise.all(browsers.map((browser) => stateOf(browser.page)));
  iptables('-A', 'INPUT', ...rule, '-j', 'DROP');
  const all = (wanted) => (seen) => seen.every((state) => state === wanted);
  await until('broken', states, all('reconnecting'), 40_000);
  iptables('-D', 'INPUT', ...rule, '-j', 'DROP');
  await until('mended', states, all('connected'), 40_000);
}

await withServer('network', { mediaIp: NETNS_IP }, async ({ server, open, picture }) => {
  const ada = await open({ name: 'ada', colour: 'red' });
  const bob = await open({ name: 'bob', colour: 'green' });
  const adaId = await register(ada.page, server.url, 'ada');
  const bobId = await register(bob.page, server.url, 'bob');
  const link = await createMeeting(ada.page, 'Network');
  await enter(ada.page);
  await bob.page.goto(link);
  await enter(bob.page);
  const video = (userId) => `${tileOf(userId)} ${id('tile-video')}`;
  const seeEachOther = () =>
    Promise.all([
      seePattern(ada.page, video(bobId), 'green', 20),
      seePattern(bob.page, video(adaId), 'red', 20),
    ]);
  await seeEachOther();

  const connection = () => ada.page.evaluateHandle(() => window.__weir.connection);
  const before = await connection();
  await breakOf([ada, bob], ['-p', 'udp']);
  await seeEachOther();
  const same = await ada.page.evaluate((pc) => window.__weir.connection === pc, before);
  console.log(`after a break of media: ${same ? 'ICE restart' : 'a new connection'}`);
  await picture(ada, 'mended');
  noErrors([ada, bob], OUTAGE);
});
