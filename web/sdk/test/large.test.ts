import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mayOf } from '../src/events.js';
import { People } from '../src/people.js';
import { encodingsFor, LayerSwitch } from '../src/publishing.js';
import { ViewSender, viewMessage } from '../src/view.js';

describe('a view', () => {
  const tile = { userId: 5, source: 'camera' as const, width: 640, height: 360 };

  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('has the form of the message', () => {
    expect(viewMessage({ tiles: [{ ...tile, fps: 15, pinned: true }], lastN: 3 })).toEqual({
      tiles: [{ user_id: 5, source: 'camera', width: 640, height: 360, fps: 15, pinned: true }],
      last_n: 3,
    });
    const many = Array.from({ length: 150 }, () => tile);
    expect((viewMessage({ tiles: many }) as { tiles: unknown[] }).tiles).toHaveLength(100);
  });

  it('is told once when it settles, and only when it changed', () => {
    const sent: object[] = [];
    const sender = new ViewSender((data) => sent.push(data) > 0);
    for (let width = 100; width < 200; width += 1) sender.set({ tiles: [{ ...tile, width }] });
    expect(sent).toEqual([]);
    vi.runAllTimers();
    expect(sent).toHaveLength(1);
    expect(sent[0]).toMatchObject({ tiles: [{ width: 199 }] });
    sender.set({ tiles: [{ ...tile, width: 199 }] });
    vi.runAllTimers();
    expect(sent).toHaveLength(1);
  });

  it('is told again after coming in again, and late when there was no connection', () => {
    let connected = false;
    const sent: object[] = [];
    const sender = new ViewSender((data) => connected && sent.push(data) > 0);
    sender.again();
    sender.set({ tiles: [tile] });
    vi.runAllTimers();
    expect(sent).toEqual([]);
    connected = true;
    sender.again();
    sender.again();
    expect(sent).toHaveLength(2);
  });
});

describe('layers', () => {
  /** A sender that, as the browsers' own, wants parameters set that were just read. */
  function fakeSender(rids: (string | undefined)[]) {
    let encodings = rids.map((rid) => ({ ...(rid ? { rid } : {}), active: true }));
    let transaction = 0;
    return {
      getParameters() {
        transaction += 1;
        return { transactionId: String(transaction), encodings: encodings.map((e) => ({ ...e })) };
      },
      async setParameters(parameters: { transactionId: string; encodings: typeof encodings }) {
        await Promise.resolve();
        if (parameters.transactionId !== String(transaction)) throw new Error('stale');
        encodings = parameters.encodings;
      },
      active: () => encodings.map((encoding) => encoding.active),
    };
  }
  const switchOf = (sender: ReturnType<typeof fakeSender>, simulcast: boolean) =>
    new LayerSwitch(sender as unknown as RTCRtpSender, simulcast);

  it('nobody wants are switched off, and on again at once', async () => {
    const sender = fakeSender(['q', 'h', 'f']);
    const layers = switchOf(sender, true);
    await layers.want([
      { rid: 'q', active: true },
      { rid: 'h', active: false },
      { rid: 'f', active: false },
    ]);
    expect(sender.active()).toEqual([true, false, false]);
    await layers.want(['q', 'h', 'f'].map((rid) => ({ rid, active: true })));
    expect(sender.active()).toEqual([true, true, true]);
  });

  it('stay off where the camera is too small for them', async () => {
    const sender = fakeSender(['q', 'h', 'f']);
    const layers = switchOf(sender, true);
    // One after the other, though nobody waits.
    await Promise.all([
      layers.fitTo(640, 360),
      layers.want(['q', 'h', 'f'].map((rid) => ({ rid, active: true }))),
    ]);
    expect(sender.active()).toEqual([true, true, false]);
  });

  it('of a single stream have no name', async () => {
    const sender = fakeSender([undefined]);
    const layers = switchOf(sender, false);
    await layers.want([{ rid: null, active: false }]);
    expect(sender.active()).toEqual([false]);
    await layers.fitTo(1280, 720);
    expect(sender.active()).toEqual([false]);
  });

  it('are three for a camera, one for a screen, one scalable where asked', () => {
    expect(encodingsFor('camera', {})?.map((e) => e.rid)).toEqual(['q', 'h', 'f']);
    expect(encodingsFor('screen', {})).toHaveLength(1);
    expect(encodingsFor('microphone', {})).toBeUndefined();
    expect(encodingsFor('camera', { scalabilityMode: 'L3T3_KEY' })).toMatchObject([
      { scalabilityMode: 'L3T3_KEY' },
    ]);
  });
});

describe('people of a large meeting', () => {
  const person = (user_id: number, more: object = {}) => ({
    user_id,
    username: `user${user_id}`,
    status: 'online' as const,
    ...more,
  });

  it('are more than are known', () => {
    const people = new People(1);
    people.enter({ status: 'joined', participants: [person(1), person(2)], online_total: 400 });
    expect([people.total, people.list().length]).toEqual([400, 1]);
    people.add([person(2), person(3), person(4, { status: 'offline' })]);
    expect(people.list().map((p) => p.userId)).toEqual([2, 3]);
    people.count(399);
    expect(people.total).toBe(399);
  });

  it('raise hands in an order that latecomers learn', () => {
    const people = new People(1);
    people.enter({
      status: 'joined',
      participants: [person(2), person(3)],
      hands: [{ user_id: 3 }, { user_id: 77 }],
    });
    expect(people.raisedHands).toEqual([3, 77]);
    expect(people.get(3)?.handRaised).toBe(true);
    people.hand(1, true);
    people.hand(3, false);
    expect(people.raisedHands).toEqual([77, 1]);
    people.leave(77);
    expect(people.raisedHands).toEqual([1]);
    people.role(2, 'moderator');
    expect(people.get(2)?.role).toBe('moderator');
  });
});

it('rights are told as what one may send', () => {
  const rights = {
    publish_audio: false,
    publish_video: true,
    publish_screen: false,
    subscribe: true,
  };
  expect(mayOf(rights)).toEqual({ audio: false, video: true, screen: false });
});
