import { test } from 'node:test';
import { runInNetns } from '../lib/in-netns.mjs';
import { skipWithout } from '../lib/require.mjs';

test(
  'padded media and padded retransmissions decode',
  { skip: skipWithout('netns', 'iptables', 'firefox', 'chromium') },
  () => runInNetns(new URL('../scripts/padded-media-decodes.mjs', import.meta.url)),
);
