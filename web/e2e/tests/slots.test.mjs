import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeeting, enter, id, register, seePattern, tileOf, until } from '../lib/page.mjs';
import { skipWithout } from '../lib/require.mjs';
import * as rest from '../lib/rest.mjs';
import { noDrops, noErrors, withServer } from '../lib/scenario.mjs';

/** Runs in the browser: one small camera for each token, sent by WHIP. */
async function show({ url, tokens }) {
  window.senders = [];
  for (const token of tokens) {
    const canvas = document.createElement('canvas');
    canvas.width = 160;
    canvas.height = 90;
    const context = canvas.getContext('2d');
    let frame = 0;
    setInterval(() => {
      frame += 1;
      context.fillStyle = `hsl(${(frame * 5) % 360} 50% 50%)`;
      context.fillRect(0, 0, 160, 90);
    }, 200);
    const pc = new RTCPeerConnection();
    const track = canvas.captureStream(5).getVideoTracks()[0];
    pc.addTransceiver(track, { direction: 'sendonly' });
    await pc.setLocalDescription(await pc.createOffer());
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${token}` },
      body: pc.localDescription.sdp,
    });
    const sdp = await response.text();
    if (response.status !== 201) throw new Error(`WHIP: ${response.status} ${sdp}`);
    await pc.setRemoteDescription({ type: 'answer', sdp });
    window.senders.push(pc);
  }
}

/** Runs in the browser: m-lines for receiving, and those for pictures in which pictures came. */
async function seen() {
  const pc = window.__weir.connection;
  const receiving = (kind) =>
    pc
      .getTransceivers()
      .filter((t) => t.receiver.track.kind === kind && t.currentDirection === 'recvonly').length;
  let pictures = 0;
  for (const entry of (await pc.getStats()).values()) {
    if (entry.type === 'inbound-rtp' && entry.framesDecoded > 0) pictures += 1;
  }
  return { audio: receiving('audio'), video: receiving('video'), pictures };
}

test('more people than slots make the client ask for more', { skip: skipWithout('chromium') }, () =>
  withServer('slots', {}, async ({ server, open, picture }) => {
    const ada = await open({ name: 'ada', colour: 'red' });
    const bob = await open({ name: 'bob', colour: 'green' });
    await register(ada.page, server.url, 'ada');
    const bobId = await register(bob.page, server.url, 'bob');
    const link = await createMeeting(ada.page, 'Many pictures');
    await enter(ada.page);
    await bob.page.goto(link);
    await enter(bob.page);
    const video = `${tileOf(bobId)} ${id('tile-video')}`;
    await seePattern(ada.page, video, 'green', 20);
    const before = await ada.page.evaluate(seen);
    const connection = await ada.page.evaluateHandle(() => window.__weir.connection);

    // Bob's, and one more than there are places.
    const meetingId = Number(link.split('/').pop());
    const tokens = [];
    for (let n = 0; n < before.video; n += 1) {
      const { token } = await rest.account(server, `sender${n}`);
      await rest.join(server, token, meetingId);
      tokens.push(token);
    }
    const crowd = await open({ name: 'crowd' });
    await crowd.page.evaluate(show, { url: `${server.url}/whip/${meetingId}`, tokens });

    const now = await until(
      'a place for each picture',
      () => ada.page.evaluate(seen),
      ({ pictures }) => pictures >= before.video + 1,
      60_000,
    );
    console.log('slots', JSON.stringify({ before, now }));
    assert.ok(now.video > before.video, JSON.stringify({ before, now }));
    // The loudest three and the sound of a screen: more people need no more places for sound.
    assert.deepEqual([before.audio, now.audio], [4, 4]);
    const same = await ada.page.evaluate((old) => old === window.__weir.connection, connection);
    assert.ok(same, 'renegotiated, not connected anew');
    await seePattern(ada.page, video, 'green', 20);
    await picture(ada, 'many');
    noErrors([ada, bob, crowd]);
    await noDrops(server);
  }),
);
