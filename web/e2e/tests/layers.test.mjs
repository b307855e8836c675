import { test } from 'node:test';
import { runInNetns } from '../lib/in-netns.mjs';
import { skipWithout } from '../lib/require.mjs';

test(
  'layers of real encoders reach real decoders',
  { skip: skipWithout('netns', 'firefox', 'chromium') },
  () => runInNetns(new URL('../scripts/layers-between-browsers.mjs', import.meta.url)),
);
