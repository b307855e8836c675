// Starts the real server with a configuration and a data folder of its own.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const ROOT = resolve(HERE, '../../..');
const BINARY = process.env.WEIR_BIN ?? join(ROOT, 'target/debug/weir');
/** Runs a command where io_uring is forbidden; an example of transport/net, built with the tests. */
const WITHOUT_IO_URING = join(dirname(BINARY), 'examples/without_io_uring');
export const ARTIFACTS = join(ROOT, 'test-artifacts/e2e');

const START_MS = 20_000;
const STOP_MS = 10_000;

/**
 * @param {{backend?: string, mediaIp?: string, httpIp?: string, ioUring?: boolean}} [options]
 *   `mediaIp` is where media is received, `httpIp` where pages are served; `ioUring: false` forbids
 *   the system call.
 */
export async function startServer(options = {}) {
  assert.ok(existsSync(BINARY), `no server at ${BINARY}: build it, or set WEIR_BIN`);
  const mediaIp = options.mediaIp ?? '127.0.0.1';
  const folder = mkdtempSync(join(tmpdir(), 'weir-e2e-'));
  const httpIp = options.httpIp ?? '127.0.0.1';
  const httpPort = await freeTcpPort(httpIp);
  const mediaPort = await freeUdpPort(mediaIp);
  const file = join(folder, 'config.toml');
  const config = {
    http: { listen: `${httpIp}:${httpPort}` },
    media: {
      listen: `${mediaIp}:${mediaPort}`,
      announced_ips: [mediaIp],
      backend: options.backend ?? 'auto',
      shards: 1,
    },
    data: { dir: join(folder, 'data') },
    rate_limit: { enabled: false },
    log: { level: process.env.WEIR_E2E_LOG ?? 'info' },
  };
  writeFileSync(file, toToml(config));
  const server = new Server(folder, file, `http://${options.httpIp ?? 'localhost'}:${httpPort}`);
  server.mediaPort = mediaPort;
  server.ioUring = options.ioUring ?? true;
  await server.start();
  await checkPage(server);
  return server;
}

/** A binary with an older page inside would test what nobody sees any more. */
async function checkPage(server) {
  const built = join(ROOT, 'web/app/dist/index.html');
  const served = await (await fetch(server.url)).text();
  if (!existsSync(built) || served === readFileSync(built, 'utf8')) return;
  await server.close();
  throw new Error(`${BINARY} holds another page than web/app/dist: build the server again`);
}

class Server {
  #child = null;
  log = '';

  constructor(folder, file, url) {
    this.folder = folder;
    this.file = file;
    this.url = url;
  }

  async start() {
    this.log += '--- start ---\n';
    // The environment overrides the file; what the machine has set is not wanted here.
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith('WEIR__')),
    );
    const command = [BINARY, 'serve', '--config', this.file];
    if (!this.ioUring) {
      assert.ok(existsSync(WITHOUT_IO_URING), `no ${WITHOUT_IO_URING}: build the examples`);
      command.unshift(WITHOUT_IO_URING);
    }
    const [program, ...words] = command;
    const child = spawn(program, words, {
      cwd: this.folder,
      env: { ...env, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#child = child;
    const keep = (chunk) => {
      this.log += chunk;
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const deadline = Date.now() + START_MS;
    while (Date.now() < deadline) {
      if (child.exitCode !== null || child.signalCode !== null) break;
      const health = await fetch(`${this.url}/health`).catch(() => null);
      if (health?.ok) return;
      await sleep(50);
    }
    await this.#end('SIGKILL');
    throw new Error(`the server did not start:\n${this.log}`);
  }

  /** Ends it as an operator would; checks that it goes cleanly and in time. */
  async stop() {
    const { code, signal, ms } = await this.#end('SIGTERM');
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, `server's end:\n${this.tail()}`);
    return ms;
  }

  async close() {
    await this.#end('SIGTERM');
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #end(signalName) {
    const child = this.#child;
    if (!child) return { code: 0, signal: null, ms: 0 };
    this.#child = null;
    const from = Date.now();
    if (child.exitCode === null && child.signalCode === null) {
      const gone = new Promise((done) => {
        child.once('exit', done);
      });
      child.kill(signalName);
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
      await gone;
      clearTimeout(timer);
    }
    return { code: child.exitCode, signal: child.signalCode, ms: Date.now() - from };
  }

  tail(lines = 80) {
    return this.log.split('\n').slice(-lines).join('\n');
  }

  /** The samples of /metrics: `[{name, labels, value}]`. */
  async metrics() {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return parseMetrics(text);
  }

  /** The sums of a metric by one of its labels, zeros left out. */
  async byLabel(metric, label) {
    const sums = {};
    for (const { name, labels, value } of await this.metrics()) {
      if (name === metric && value > 0) sums[labels[label]] = (sums[labels[label]] ?? 0) + value;
    }
    return sums;
  }
}

export function parseMetrics(text) {
  const samples = [];
  for (const line of text.split('\n')) {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/.exec(line);
    if (!match) continue;
    const labels = {};
    for (const [, key, value] of (match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
      labels[key] = value;
    }
    samples.push({ name: match[1], labels, value: Number(match[3]) });
  }
  return samples;
}

function toToml(config) {
  return Object.entries(config)
    .map(([section, keys]) => {
      const lines = Object.entries(keys).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
      return `[${section}]\n${lines.join('\n')}\n`;
    })
    .join('\n');
}

function freeTcpPort(address) {
  return new Promise((done, fail) => {
    const probe = createServer();
    probe.once('error', fail);
    probe.listen(0, address, () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

function freeUdpPort(address) {
  return new Promise((done, fail) => {
    const probe = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    probe.once('error', fail);
    probe.bind(0, address, () => {
      const { port } = probe.address();
      probe.close(() => done(port));
    });
  });
}

/** A place for a test's pictures. */
export function artifact(name) {
  mkdirSync(ARTIFACTS, { recursive: true });
  return join(ARTIFACTS, name);
}
