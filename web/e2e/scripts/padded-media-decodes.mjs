// Packets that leave together are padded to one size. Chromium and Firefox decode them, also as
// retransmissions: the network loses whole trains. Run by tests/padding.test.mjs in a network
// namespace.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { openFirefox } from '../lib/firefox.mjs';
import { NETNS_IP } from '../lib/in-netns.mjs';
import { createMeeting, enter, id, receivedStats, register, tileOf, until } from '../lib/page.mjs';
import { watchPattern } from '../lib/pattern.mjs';
import { noErrors, withServer } from '../lib/scenario.mjs';

/** Of what the server sends, this much is lost. */
const LOSS = 0.05;

async function sample(server, name, stream) {
  const found = (await server.metrics()).find(
    (entry) => entry.name === name && (!stream || entry.labels.stream === stream),
  );
  return found?.value ?? 0;
}

function lose(port) {
  const rule = ['-A', 'INPUT', '-p', 'udp', '--sport', String(port), '-m', 'statistic'];
  const how = ['--mode', 'random', '--probability', String(LOSS), '-j', 'DROP'];
  const { status, stderr } = spawnSync('iptables', [...rule, ...how], { encoding: 'utf8' });
  assert.equal(status, 0, `iptables: ${stderr}`);
}

await withServer('padding', { mediaIp: NETNS_IP }, async ({ server, open, keep, picture }) => {
  const sender = await open({ name: 'sender', colour: 'green', noise: true });
  const chrome = await open({ name: 'chromium', colour: 'red' });
  const fox = keep(await openFirefox());
  const senderId = await register(sender.page, server.url, 'sender');
  await register(chrome.page, server.url, 'chrome');
  await register(fox.page, server.url, 'fox');
  const link = await createMeeting(sender.page, 'Padding');
  await enter(sender.page);
  for (const receiver of [chrome, fox]) {
    await receiver.page.goto(link);
    await enter(receiver.page);
  }
  const video = `${tileOf(senderId)} ${id('tile-video')}`;
  const padded = () => sample(server, 'weir_padded_packets_total', 'media');
  const before = await until('padded packets', padded, (count) => count > 50, 30_000);
  for (const receiver of [chrome, fox]) {
    // Noise is hard work for an encoder: frames may be left out, so numbers only have to change.
    const options = { selector: video, wanted: 30, timeoutMs: 30_000 };
    const seen = await receiver.page.evaluate(watchPattern, options);
    assert.ok(seen.rises >= 30, `${receiver.name} saw ${JSON.stringify(seen)}`);
    assert.deepEqual(Object.keys(seen.colours), ['green'], `${receiver.name}'s picture`);
  }
  console.log('padded packets', before, 'then', await padded());

  lose(server.mediaPort);
  const paddedRtx = () => sample(server, 'weir_padded_packets_total', 'rtx');
  const repeated = await until('padded retransmissions', paddedRtx, (count) => count > 20, 60_000);
  for (const receiver of [chrome, fox]) {
    const { nacks, framesDecoded } = await receivedStats(receiver.page);
    assert.ok(nacks > 0, `${receiver.name} never asked for a packet again`);
    const decoded = async () => (await receivedStats(receiver.page)).framesDecoded;
    const what = `frames with loss in ${receiver.name}`;
    await until(what, decoded, (now) => now >= framesDecoded + 60, 30_000);
    await picture(receiver, 'lossy');
  }
  console.log('padded retransmissions', repeated, 'then', await paddedRtx());
  noErrors([sender, chrome, fox]);
});
