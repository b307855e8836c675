import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMeeting, enter, id, register, seePattern, tileOf, until } from '../lib/page.mjs';
import { skipWithout } from '../lib/require.mjs';
import * as rest from '../lib/rest.mjs';
import { noDrops, noErrors, withServer } from '../lib/scenario.mjs';

/** Runs in the browser: one microphone for each token, sent by WHIP. */
async function speak({ url, tokens }) {
  window.speakers = [];
  for (const token of tokens) {
    const context = new AudioContext();
    const tone = context.createOscillator();
    const out = context.createMediaStreamDestination();
    tone.connect(out);
    tone.start();
    const pc = new RTCPeerConnection();
    pc.addTransceiver(out.stream.getAudioTracks()[0], { direction: 'sendonly' });
    await pc.setLocalDescription(await pc.createOffer());
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${token}` },
      body: pc.localDescription.sdp,
    });
    const sdp = await response.text();
    if (response.status !== 201) throw new Error(`WHIP: ${response.status} ${sdp}`);
    await pc.setRemoteDescription({ type: 'answer', sdp });
    window.speakers.push(pc);
  }
}

/** Runs in the browser: m-lines for receiving sound, and those of them in which sound came. */
async function heard() {
  const pc = window.__weir.connection;
  const places = pc.getTransceivers().filter((t) => t.receiver.track.kind === 'audio');
  let voices = 0;
  for (const entry of (await pc.getStats()).values()) {
    if (entry.type === 'inbound-rtp' && entry.totalAudioEnergy > 0) voices += 1;
  }
  return { places: places.filter((t) => t.currentDirection === 'recvonly').length, voices };
}

test('more voices than slots make the client ask for more', { skip: skipWithout('chromium') }, () =>
  withServer('slots', {}, async ({ server, open, picture }) => {
    const ada = await open({ name: 'ada', colour: 'red' });
    const bob = await open({ name: 'bob', colour: 'green' });
    await register(ada.page, server.url, 'ada');
    const bobId = await register(bob.page, server.url, 'bob');
    const link = await createMeeting(ada.page, 'Many voices');
    await enter(ada.page);
    await bob.page.goto(link);
    await enter(bob.page);
    const video = `${tileOf(bobId)} ${id('tile-video')}`;
    await seePattern(ada.page, video, 'green', 20);
    const before = await ada.page.evaluate(heard);
    const connection = await ada.page.evaluateHandle(() => window.__weir.connection);

    // Bob's, and one more than there are places.
    const meetingId = Number(link.split('/').pop());
    const tokens = [];
    for (let n = 0; n < before.places; n += 1) {
      const { token } = await rest.account(server, `speaker${n}`);
      await rest.join(server, token, meetingId);
      tokens.push(token);
    }
    const choir = await open({ name: 'choir' });
    await choir.page.evaluate(speak, { url: `${server.url}/whip/${meetingId}`, tokens });

    const now = await until(
      'a place for each voice',
      () => ada.page.evaluate(heard),
      ({ voices }) => voices >= before.places + 1,
      30_000,
    );
    console.log('slots', JSON.stringify({ before, now }));
    assert.ok(now.places > before.places, JSON.stringify({ before, now }));
    const same = await ada.page.evaluate((old) => old === window.__weir.connection, connection);
    assert.ok(same, 'renegotiated, not connected anew');
    await seePattern(ada.page, video, 'green', 20);
    await picture(ada, 'many');
    noErrors([ada, bob, choir]);
    await noDrops(server);
  }),
);
