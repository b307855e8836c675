import { test } from 'node:test';
import { runInNetns } from '../lib/in-netns.mjs';
import { skipWithout } from '../lib/require.mjs';

test('firefox meets chromium', { skip: skipWithout('netns', 'firefox', 'chromium') }, () =>
  runInNetns(new URL('../scripts/firefox-meets-chromium.mjs', import.meta.url)),
);
