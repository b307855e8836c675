// Runs a script of ours inside a network namespace of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { netnsCommand } from './require.mjs';

/** The address of the one interface inside. */
export const NETNS_IP = '10.77.0.1';

export async function runInNetns(script) {
  const [program, ...args] = netnsCommand();
  const setup = fileURLToPath(new URL('./netns.sh', import.meta.url));
  // Output goes straight through; node:test's own variables would change what node prints.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('NODE_TEST')),
  );
  const child = spawn(program, [...args, 'sh', setup, process.execPath, fileURLToPath(script)], {
    env,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const code = await new Promise((done, fail) => {
    child.once('error', fail);
    child.once('exit', (status, signal) => done(status ?? signal));
  });
  assert.equal(code, 0, 'the run inside the network namespace failed');
}
