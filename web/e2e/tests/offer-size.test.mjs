// The largest offer our client makes fits into one message (contract 8.1: 64 KiB).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openChromium } from '../lib/chromium.mjs';
import { openFirefox } from '../lib/firefox.mjs';
import { skipWithout } from '../lib/require.mjs';

const SDK = fileURLToPath(new URL('../../sdk/dist/', import.meta.url));
/** Serves the built client package and an empty page. */
async function serveSdk() {
  const server = createServer((request, response) => {
    const name = /^\/([\w.-]+\.js)$/.exec(request.url)?.[1];
    response.setHeader('content-type', name ? 'text/javascript' : 'text/html');
    response.end(name ? readFileSync(SDK + name) : '<!doctype html><title>offer</title>');
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return server;
}

/** In the page: the message with the offer of someone who sends everything and sees everybody. */
async function largest() {
  const { Peer } = await import('/peer.js');
  const { MAX_MESSAGE_BYTES } = await import('/offer.js');
  const { MAX_SLOTS: slots } = await import('/slots.js');
  let message = '';
  const peer = new Peer({
    slots,
    iceServers: [],
    offer: (sdp, tracks) => {
      const data = { type: 'offer', sdp, tracks };
      message = JSON.stringify({ type: 'offer', meeting_id: 9007199254740991, data });
      return Promise.reject(new Error('only measured'));
    },
  });
  const picture = () => {
    const canvas = document.createElement('canvas');
    canvas.getContext('2d').fillRect(0, 0, 1, 1);
    return canvas.captureStream(1).getVideoTracks()[0];
  };
  const sound = () => {
    const context = new AudioContext();
    return context.createMediaStreamDestination().stream.getAudioTracks()[0];
  };
  await peer.setTrack('microphone', sound());
  await peer.setTrack('camera', picture());
  await peer.setTrack('screen', picture()).catch(() => {});
  await peer.setTrack('screen_audio', sound()).catch(() => {});
  peer.close();
  const bytes = new TextEncoder().encode(message).length;
  const lines = message.split('\\r\\nm=').length - 1;
  return { bytes, limit: MAX_MESSAGE_BYTES, lines, slots, message };
}

for (const [name, open] of [
  ['chromium', openChromium],
  ['firefox', openFirefox],
]) {
  test(`the largest offer of ${name} fits into a message`, {
    skip: skipWithout(name),
  }, async () => {
    const server = await serveSdk();
    const browser = await open();
    try {
      await browser.page.goto(`http://127.0.0.1:${server.address().port}/`);
      const offer = await browser.page.evaluate(largest);
      console.log(`${name}: ${offer.lines} m-lines, ${offer.bytes} of ${offer.limit} bytes`);
      const { audio, video } = offer.slots;
      assert.equal(offer.lines, audio + video + 4, 'everything is offered');
      assert.match(offer.message, /simulcast:send/);
      assert.ok(offer.bytes < offer.limit, `${name}'s offer has ${offer.bytes} bytes`);
    } finally {
      await browser.close();
      server.close();
      server.closeAllConnections();
    }
  });
}
