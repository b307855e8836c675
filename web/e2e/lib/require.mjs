// What a test needs from the machine. A missing need skips the test, unless WEIR_REQUIRE names it
// (comma separated: chromium, firefox, netns, iptables, tc): then its absence is a failure.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

export const CHROMIUM = process.env.WEIR_CHROMIUM ?? '/usr/bin/chromium';
export const FIREFOX = process.env.WEIR_FIREFOX ?? '/usr/bin/firefox-esr';

const required = new Set((process.env.WEIR_REQUIRE ?? '').split(',').map((name) => name.trim()));

/** The command that runs another one in a network namespace of its own, or null. */
export function netnsCommand() {
  for (const command of [
    ['unshare', '--net', '--'],
    ['unshare', '--net', '--map-root-user', '--'],
  ]) {
    const [program, ...args] = command;
    const probe = spawnSync(program, [
      ...args,
      'sh',
      '-c',
      'ip link set lo up && ip link add probe0 type veth peer name probe1',
    ]);
    if (probe.status === 0) return command;
  }
  return null;
}

const present = {
  chromium: () => existsSync(CHROMIUM),
  firefox: () => existsSync(FIREFOX),
  netns: () => netnsCommand() !== null,
  // A second namespace is entered by its process, which only real root may.
  tc: () => process.getuid() === 0 && spawnSync('tc', ['-V']).status === 0,
  iptables: () => spawnSync('iptables', ['--version']).status === 0,
};

/** `false`, or the reason for skipping, as node:test wants it. */
export function skipWithout(...names) {
  const missing = names.filter((name) => !present[name]());
  const fatal = missing.filter((name) => required.has(name));
  if (fatal.length > 0) throw new Error(`required but missing: ${fatal.join(', ')}`);
  return missing.length > 0 ? `not on this machine: ${missing.join(', ')}` : false;
}
