// The harness of one test: a server, browsers, pictures and the server's log when it fails.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { openChromium } from './chromium.mjs';
import { artifact, startServer } from './server.mjs';

/** Runs `body` with a server; closes all it opened, keeps pictures, tells the log on failure. */
export async function withServer(name, options, body) {
  const server = await startServer(options);
  const browsers = [];
  const open = async (browserOptions) => {
    const browser = await openChromium(browserOptions);
    browsers.push(browser);
    return browser;
  };
  const keep = (browser) => {
    browsers.push(browser);
    return browser;
  };
  const picture = async (browser, step) => {
    await browser.page.screenshot({ path: artifact(`${name}-${step}-${browser.name}.png`) });
  };
  try {
    await body({ server, open, keep, picture });
  } catch (error) {
    for (const browser of browsers) {
      await picture(browser, 'failed').catch(() => {});
      if (browser.errors.length > 0) console.log(browser.errors.join('\n'));
    }
    console.log(`server log (${name}):\n${server.tail()}\n${await counters(server)}`);
    throw error;
  } finally {
    for (const browser of browsers) await browser.close().catch(() => {});
    await server.close();
  }
}

/** What the server counted, for a failure's report; nothing when it is gone. */
async function counters(server) {
  const samples = await server.metrics().catch(() => []);
  return samples
    .filter(({ name, value }) => value > 0 && !/_bucket$|http_requests/.test(name))
    .map(({ name, labels, value }) => `${name} ${JSON.stringify(labels)} ${value}`)
    .join('\n');
}

export function noErrors(browsers, allowed = null) {
  const errors = browsers.flatMap((browser) => browser.errors);
  const bad = allowed ? errors.filter((text) => !allowed.test(text)) : errors;
  assert.deepEqual(bad, [], 'the console must be free of errors');
}

/** Shards tell what they counted once a second. */
const TOLD_MS = 2_500;

/** Nothing at all may have been dropped until now. Tells what came late. */
export async function noDrops(server) {
  await sleep(TOLD_MS);
  const late = await server.byLabel('weir_late_total', 'reason');
  if (Object.keys(late).length > 0) console.log('late', JSON.stringify(late));
  assert.deepEqual(await server.byLabel('weir_drops_total', 'reason'), {}, 'packets dropped');
}

/** Every handshake so far succeeded, with the SRTP profile that costs least. */
export async function allWithGcm128(server, handshakes) {
  const profiles = await server.byLabel('weir_handshakes_total', 'profile');
  const results = await server.byLabel('weir_handshakes_total', 'result');
  console.log('SRTP profiles', JSON.stringify(profiles));
  assert.deepEqual(profiles, { aead_aes_128_gcm: handshakes });
  assert.equal(Object.keys(results).length, 1, JSON.stringify(results));
}
