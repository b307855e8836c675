import { describe, expect, it } from 'vitest';
import { Backoff } from '../src/backoff.js';
import { ApiError } from '../src/client.js';
import { endOfClose, endOfError, Signaling } from '../src/signaling.js';

/** A WebSocket whose other end is the test. */
class FakeSocket {
  static all: FakeSocket[] = [];
  readyState = 0;
  sent: { type: string; data: Record<string, unknown> }[] = [];
  onopen: (() => void) | null = null;
  onclose: ((event: { code: number }) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.all.push(this);
    queueMicrotask(() => {
      this.readyState = 1;
      this.onopen?.();
    });
  }

  send(text: string) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.drop(1000);
  }

  say(type: string, data: object, from = 0) {
    this.onmessage?.({ data: JSON.stringify({ type, from, data }) });
  }

  drop(code: number) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}

const tick = (ms = 5) => new Promise((resolve) => setTimeout(resolve, ms));

async function entered(url: () => Promise<string> = async () => 'ws://weir.test') {
  FakeSocket.all = [];
  const signaling = new Signaling({
    meetingId: 9,
    userId: 1,
    url,
    backoff: new Backoff({ firstMs: 1, maxMs: 2 }),
    socket: (address) => new FakeSocket(address) as unknown as WebSocket,
  });
  const log: string[] = [];
  signaling.on('joined', (answer) => log.push(`joined ${answer.peer_id}`));
  signaling.on('down', () => log.push('down'));
  signaling.on('closed', ({ reason }) => log.push(`closed ${reason}`));
  const started = signaling.start();
  await tick();
  socket().say('join', { status: 'joined', peer_id: 'p1', resume_token: 'r1' });
  await started;
  return { signaling, log };
}

function socket(): FakeSocket {
  const last = FakeSocket.all.at(-1);
  if (!last) throw new Error('no socket');
  return last;
}

describe('signalling', () => {
  it('joins and resolves an offer with its answer', async () => {
    const { signaling } = await entered();
    expect(socket().sent[0]).toMatchObject({ type: 'join', meeting_id: 9, data: { user_id: 1 } });
    const answer = signaling.offer('sdp', { '0': 'microphone' });
    expect(socket().sent[1]?.data).toEqual({
      type: 'offer',
      sdp: 'sdp',
      tracks: { '0': 'microphone' },
    });
    socket().say('answer', { type: 'answer', sdp: 'their sdp' });
    expect(await answer).toBe('their sdp');
  });

  it('rejects an offer on an error about it, and allows the next', async () => {
    const { signaling } = await entered();
    const refused = signaling.offer('bad', {});
    await expect(signaling.offer('second', {})).rejects.toThrow('under way');
    socket().say('error', { code: 400, message: 'bad sdp', ref_type: 'offer' });
    await expect(refused).rejects.toThrow('bad sdp');
    const next = signaling.offer('good', {});
    socket().say('answer', { sdp: 'x' });
    expect(await next).toBe('x');
  });

  it('comes back with the resume token when the connection breaks', async () => {
    const { signaling, log } = await entered();
    const lost = signaling.offer('sdp', {});
    socket().drop(1006);
    await expect(lost).rejects.toThrow('lost');
    expect(signaling.connected).toBe(false);
    await tick(20);
    expect(FakeSocket.all).toHaveLength(2);
    expect(socket().sent[0]?.data).toMatchObject({ resume_token: 'r1' });
    socket().say('join', { status: 'joined', peer_id: 'p1' });
    await tick();
    expect(log).toEqual(['joined p1', 'down', 'joined p1']);
    expect(signaling.connected).toBe(true);
  });

  it('keeps trying while the server cannot be reached', async () => {
    let fail = false;
    let tries = 0;
    const { log } = await entered(async () => {
      tries += 1;
      if (fail) throw new ApiError('unreachable', 0, 0);
      return 'ws://weir.test';
    });
    fail = true;
    socket().drop(1001);
    await tick(30);
    expect(tries).toBeGreaterThan(3);
    fail = false;
    await tick(10);
    socket().say('join', { status: 'joined', peer_id: 'p2' });
    await tick();
    expect(log).toEqual(['joined p1', 'down', 'joined p2']);
  });

  it('ends for good when removed, or when the meeting is gone', async () => {
    const first = await entered();
    socket().drop(4409);
    await tick(10);
    expect(first.log.at(-1)).toBe('closed removed');
    expect(FakeSocket.all).toHaveLength(1);

    let gone = false;
    const second = await entered(async () => {
      if (gone) throw new ApiError('meeting has ended', 2002, 400);
      return 'ws://weir.test';
    });
    gone = true;
    socket().drop(1006);
    await tick(15);
    expect(second.log.at(-1)).toBe('closed ended');
  });

  it('forgets the old session when asked to begin again', async () => {
    const { signaling } = await entered();
    signaling.reconnect();
    await tick(15);
    expect(FakeSocket.all).toHaveLength(2);
    expect(socket().sent[0]?.data).not.toHaveProperty('resume_token');
  });

  it('says goodbye and stays away', async () => {
    const { signaling, log } = await entered();
    const mine = socket();
    signaling.leave();
    expect(mine.sent.at(-1)?.type).toBe('leave');
    await tick(10);
    expect(FakeSocket.all).toHaveLength(1);
    expect(log.at(-1)).toBe('closed left');
  });

  it('tells apart what is final', () => {
    expect(endOfClose(4404)).toBe('unknown-meeting');
    expect(endOfClose(1001)).toBeNull();
    expect(endOfError(new ApiError('', 2003, 400))).toBe('full');
    expect(endOfError(new ApiError('', 500, 500))).toBeNull();
    expect(endOfError(new Error())).toBeNull();
  });
});
