import { test } from 'node:test';
import { runInNetns } from '../lib/in-netns.mjs';
import { skipWithout } from '../lib/require.mjs';

test(
  'a meeting goes on after the network went away',
  { skip: skipWithout('netns', 'iptables', 'chromium') },
  () => runInNetns(new URL('../scripts/network-goes-away.mjs', import.meta.url)),
);
