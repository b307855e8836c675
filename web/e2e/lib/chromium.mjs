// One Chromium process with a camera that shows a known pattern.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { writePattern } from './pattern.mjs';
import { CHROMIUM } from './require.mjs';

const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--use-fake-ui-for-media-stream',
  '--allow-loopback-in-peer-connection',
  '--autoplay-policy=no-user-gesture-required',
  '--mute-audio',
];

/** What a browser may complain of while its server is away. */
export const OUTAGE = /net::ERR_|WebSocket connection to .* failed/;

/**
 * @param {{colour?: 'red'|'green'|'blue', name?: string, noise?: boolean, scale?: number,
 *   executable?: string, flags?: string[]}} [options] `scale` 2 makes the camera 1280x720;
 *   `executable` may be a script that starts Chromium elsewhere, as in a network namespace.
 */
export async function openChromium(options = {}) {
  const { colour = 'red', name = colour, noise = false, scale = 1 } = options;
  const folder = mkdtempSync(join(tmpdir(), 'weir-chromium-'));
  const video = join(folder, 'camera.y4m');
  writePattern(video, colour, { noise, scale });
  const context = await chromium.launchPersistentContext(join(folder, 'profile'), {
    executablePath: options.executable ?? CHROMIUM,
    headless: true,
    viewport: { width: 1280, height: 720 },
    args: [
      ...FLAGS,
      ...(options.flags ?? []),
      '--use-fake-device-for-media-stream=fps=30',
      `--use-file-for-fake-video-capture=${video}`,
    ],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  await page.addInitScript(() => {
    // The meeting is laid open for getStats.
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
    colour,
    page,
    errors,
    async close() {
      await context.close();
      if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
    },
  };
}
