// One Firefox process with its own fake camera and microphone.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { FIREFOX } from './require.mjs';

const PREFS = {
  'media.navigator.streams.fake': true,
  'media.navigator.permission.disabled': true,
  'media.autoplay.default': 0,
  'media.peerconnection.ice.loopback': true,
  'media.peerconnection.ice.obfuscate_host_addresses': false,
  'media.gmp-manager.updateEnabled': false,
};

export async function openFirefox({ name = 'firefox' } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'weir-firefox-'));
  const browser = await puppeteer.launch({
    browser: 'firefox',
    executablePath: FIREFOX,
    headless: true,
    userDataDir: folder,
    extraPrefsFirefox: PREFS,
    defaultViewport: { width: 1280, height: 720 },
  });
  const [first] = await browser.pages();
  const page = first ?? (await browser.newPage());
  await page.evaluateOnNewDocument(() => {
    try {
      localStorage.setItem('weir.debug', '1');
    } catch {
      // about:blank has no storage.
    }
  });
  const errors = [];
  page.on('console', (message) => {
    if (message.type() === 'error') errors.push(`${name}: ${message.text()}`);
  });
  page.on('pageerror', (error) => errors.push(`${name}: ${error.stack ?? error}`));
  return {
    name,
    page,
    errors,
    async close() {
      await browser.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
