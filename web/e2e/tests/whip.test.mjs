// WHIP (RFC 9725) in and WHEP out, by scripts that know nothing of Weir. They run on about:blank,
// whose origin is opaque: the two doors must be open across origins.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { seePattern, until } from '../lib/page.mjs';
import { cells } from '../lib/pattern.mjs';
import { skipWithout } from '../lib/require.mjs';
import * as rest from '../lib/rest.mjs';
import { noDrops, noErrors, withServer } from '../lib/scenario.mjs';

/** Runs in the browser: sends the test pattern, drawn by script, and a tone. */
async function publish({ url, token, strips }) {
  const canvas = document.createElement('canvas');
  canvas.width = 640;
  canvas.height = 360;
  const context = canvas.getContext('2d');
  let frame = 0;
  setInterval(() => {
    context.fillStyle = '#00f';
    context.fillRect(0, 0, 640, 240);
    strips[frame % strips.length].forEach((white, n) => {
      context.fillStyle = white ? '#fff' : '#000';
      context.fillRect(n * 80, 240, 80, 120);
    });
    frame += 1;
  }, 33);
  const audio = new AudioContext();
  const tone = audio.createOscillator();
  const out = audio.createMediaStreamDestination();
  tone.connect(out);
  tone.start();
  const stream = canvas.captureStream(30);
  stream.addTrack(out.stream.getAudioTracks()[0]);

  const pc = new RTCPeerConnection();
  for (const track of stream.getTracks()) {
    pc.addTransceiver(track, { direction: 'sendonly', streams: [stream] });
  }
  await pc.setLocalDescription(await pc.createOffer());
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${token}` },
    body: pc.localDescription.sdp,
  });
  const sdp = await response.text();
  if (response.status !== 201) return { status: response.status, sdp };
  await pc.setRemoteDescription({ type: 'answer', sdp });
  window.pc = pc;
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    location: response.headers.get('location'),
    etag: response.headers.get('etag'),
  };
}

/** Runs in the browser: plays what the meeting shows. */
async function play({ url, token }) {
  const pc = new RTCPeerConnection();
  const stream = new MediaStream();
  for (const kind of ['audio', 'video']) {
    stream.addTrack(pc.addTransceiver(kind, { direction: 'recvonly' }).receiver.track);
  }
  const video = document.createElement('video');
  video.id = 'player';
  video.autoplay = true;
  video.playsInline = true;
  video.srcObject = stream;
  document.body.append(video);
  await pc.setLocalDescription(await pc.createOffer());
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/sdp', Authorization: `Bearer ${token}` },
    body: pc.localDescription.sdp,
  });
  const sdp = await response.text();
  if (response.status !== 201) return { status: response.status, sdp };
  await pc.setRemoteDescription({ type: 'answer', sdp });
  window.pc = pc;
  return { status: response.status, location: response.headers.get('location') };
}

/** Runs in the browser: ends a session by its address. */
async function end({ url, token }) {
  const response = await fetch(url, {
    method: 'DELETE',
    headers: { Authorization: `Bearer ${token}` },
  });
  return response.status;
}

const connected = (page) =>
  until(
    'connection state',
    () => page.evaluate(() => window.pc.connectionState),
    (state) => state === 'connected',
  );

test('a script publishes by WHIP, a browser plays by WHEP', { skip: skipWithout('chromium') }, () =>
  withServer('whip', {}, async ({ server, open, picture }) => {
    const ada = await rest.account(server, 'ada');
    const bob = await rest.account(server, 'bob');
    const meetingId = await rest.meeting(server, ada.token, 'Broadcast');
    await rest.join(server, bob.token, meetingId);

    const sender = await open({ name: 'sender' });
    const whip = `${server.url}/whip/${meetingId}`;
    const strips = Array.from({ length: 64 }, (_, n) => cells(n));
    const refused = await fetch(whip, {
      method: 'POST',
      headers: { 'Content-Type': 'application/sdp', Authorization: 'Bearer nonsense' },
      body: 'v=0',
    });
    assert.equal(refused.status, 401);
    const sent = await sender.page.evaluate(publish, { url: whip, token: ada.token, strips });
    assert.equal(sent.status, 201, JSON.stringify(sent));
    assert.match(sent.type, /^application\/sdp/);
    assert.ok(sent.location, 'no Location, or not readable across origins');
    assert.ok(sent.etag, 'no ETag, or not readable across origins');
    await connected(sender.page);

    const viewer = await open({ name: 'viewer' });
    const whep = `${server.url}/whep/${meetingId}`;
    const played = await viewer.page.evaluate(play, { url: whep, token: bob.token });
    assert.equal(played.status, 201, JSON.stringify(played));
    await connected(viewer.page);
    console.log('seen', JSON.stringify(await seePattern(viewer.page, '#player', 'blue')));
    const energy = () =>
      viewer.page.evaluate(async () => {
        let sum = 0;
        for (const entry of (await window.pc.getStats()).values()) {
          if (entry.type === 'inbound-rtp') sum += entry.totalAudioEnergy ?? 0;
        }
        return sum;
      });
    const before = await energy();
    await until('sound', energy, (now) => now > before);
    await picture(viewer, 'playing');
    noErrors([sender, viewer]);
    await noDrops(server);

    const at = (location) => new URL(location, server.url).href;
    for (const [browser, location, token] of [
      [viewer, played.location, bob.token],
      [sender, sent.location, ada.token],
    ]) {
      assert.equal(await browser.page.evaluate(end, { url: at(location), token }), 200);
      const again = await browser.page.evaluate(end, { url: at(location), token });
      assert.equal(again, 404, 'an ended session is gone');
    }
  }),
);
