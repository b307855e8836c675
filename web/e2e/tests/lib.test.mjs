// The test's own tools: a picture must be told apart from another one before it proves anything.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openChromium } from '../lib/chromium.mjs';
import { seePattern } from '../lib/page.mjs';
import { skipWithout } from '../lib/require.mjs';
import { parseMetrics } from '../lib/server.mjs';

test('metrics are read with their labels', () => {
  const text = '# TYPE a counter\na{reason="x",shard="0"} 3\nb 1.5\n';
  assert.deepEqual(parseMetrics(text), [
    { name: 'a', labels: { reason: 'x', shard: '0' }, value: 3 },
    { name: 'b', labels: {}, value: 1.5 },
  ]);
});

test('the pattern is recognised, another colour is not', {
  skip: skipWithout('chromium'),
}, async () => {
  const browser = await openChromium({ colour: 'green' });
  try {
    // A file: page may use the camera, about:blank may not.
    await browser.page.goto(new URL('./blank.html', import.meta.url).href);
    await browser.page.evaluate(async () => {
      const video = document.createElement('video');
      video.muted = true;
      video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
      document.body.append(video);
      await video.play();
    });
    const seen = await seePattern(browser.page, 'video', 'green', 60);
    assert.ok(seen.rises >= 60);
    await assert.rejects(seePattern(browser.page, 'video', 'red', 5), /another picture/);
    await browser.page.evaluate(() => document.querySelector('video').pause());
  } finally {
    await browser.close();
  }
});
