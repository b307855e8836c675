import { test } from 'node:test';
import { runInNetns } from '../lib/in-netns.mjs';
import { skipWithout } from '../lib/require.mjs';

test(
  'a squeezed link gets a smaller picture and the full one again when it widens',
  { skip: skipWithout('netns', 'tc', 'chromium') },
  () => runInNetns(new URL('../scripts/squeezed-link.mjs', import.meta.url)),
);
