// A link whose rate can be set, between the namespace a script runs in and one more, in which a
// browser is started: what that browser receives comes through the link.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHROMIUM } from './require.mjs';

/** The address on our end of the link: a server listens there. */
export const NEAR_IP = '10.78.0.1';
const FAR_IP = '10.78.0.2';
const NEAR = 'weir2';
const FAR = 'weir3';
/** Bytes that may pass at once, and how long the queue may get. */
const BURST = '10kb';
const QUEUE = '300ms';

function run(program, ...args) {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  assert.equal(status, 0, `${program} ${args.join(' ')}: ${stderr}`);
}

/** Opens the link. Our own namespace must be a private one. */
export async function openLink() {
  const holder = spawn('unshare', ['--net', '--', 'sleep', 'infinity'], { stdio: 'ignore' });
  await sleep(300);
  const inside = ['-t', String(holder.pid), '-n'];
  run('ip', 'link', 'add', NEAR, 'type', 'veth', 'peer', 'name', FAR);
  run('ip', 'link', 'set', FAR, 'netns', String(holder.pid));
  run('ip', 'addr', 'add', `${NEAR_IP}/24`, 'dev', NEAR);
  run('ip', 'link', 'set', NEAR, 'up');
  const far = (...args) => run('nsenter', ...inside, ...args);
  far('ip', 'link', 'set', 'lo', 'up');
  far('ip', 'addr', 'add', `${FAR_IP}/24`, 'dev', FAR);
  far('ip', 'link', 'set', FAR, 'up');
  far('ip', 'route', 'add', 'default', 'via', NEAR_IP);
  // A shaper counts what it gets: trains must be cut into packets before it.
  run('ip', 'link', 'set', NEAR, 'gso_max_segs', '1');
  const folder = mkdtempSync(join(tmpdir(), 'weir-link-'));
  const executable = join(folder, 'chromium-beyond-the-link');
  writeFileSync(executable, `#!/bin/sh\nexec nsenter ${inside.join(' ')} ${CHROMIUM} "$@"\n`);
  chmodSync(executable, 0o755);
  let shaped = false;
  return {
    executable,
    /** Kilobits a second from us to the browser beyond, `null` for no limit. */
    rate(kbit) {
      if (kbit === null) {
        if (shaped) run('tc', 'qdisc', 'del', 'dev', NEAR, 'root');
        shaped = false;
        return;
      }
      const tbf = ['tbf', 'rate', `${kbit}kbit`, 'burst', BURST, 'latency', QUEUE];
      run('tc', 'qdisc', shaped ? 'change' : 'add', 'dev', NEAR, 'root', ...tbf);
      shaped = true;
    },
    close() {
      holder.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
