import { describe, expect, it } from 'vitest';
import { Backoff } from '../src/backoff.js';
import { cameraLayers } from '../src/layers.js';
import { parseMessage } from '../src/messages.js';
import { People } from '../src/people.js';
import { compare, judge, sampleOf } from '../src/quality.js';
import { resolveSlots, sourceOf, wantedSlots } from '../src/slots.js';
import { loudness, SpeakerDetector } from '../src/speakers.js';

describe('back-off', () => {
  it('doubles up to its maximum and begins again', () => {
    const backoff = new Backoff({ firstMs: 100, maxMs: 500, random: () => 1 });
    expect([backoff.next(), backoff.next(), backoff.next(), backoff.next()]).toEqual([
      100, 200, 400, 500,
    ]);
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });

  it('spreads over half to the whole', () => {
    expect(new Backoff({ firstMs: 100, random: () => 0 }).next()).toBe(50);
  });
});

describe('messages', () => {
  it('reads an envelope', () => {
    expect(parseMessage('{"type":"chat","from":3,"data":{"content":"x"}}')).toMatchObject({
      type: 'chat',
      from: 3,
    });
  });

  it.each([['{'], ['null'], ['[]'], ['{"data":{}}'], [new ArrayBuffer(2)]])('drops %s', (text) => {
    expect(parseMessage(text)).toBeNull();
  });

  it('fills in what is missing', () => {
    expect(parseMessage('{"type":"slots"}')).toMatchObject({ from: 0, data: {} });
  });
});

describe('slots', () => {
  const track = { id: 't' } as MediaStreamTrack;

  it('are left out when their m-line is not ours', () => {
    const slots = resolveSlots(
      [
        { mid: '3', kind: 'video', user_id: 5, track: 'camera', username: 'ada' },
        { mid: '9', kind: 'video', user_id: 6 },
      ],
      (mid) => (mid === '3' ? track : undefined),
    );
    expect(slots).toEqual([
      {
        mid: '3',
        kind: 'video',
        userId: 5,
        username: 'ada',
        source: 'camera',
        rid: null,
        muted: false,
        unavailable: false,
        pausedBy: null,
        track,
      },
    ]);
  });

  it('know their source by word, else by kind', () => {
    expect(sourceOf({ mid: '1', kind: 'video', source: 'screen' })).toBe('screen');
    expect(sourceOf({ mid: '1', kind: 'audio', track: 'screen_audio' })).toBe('screen_audio');
    expect(sourceOf({ mid: '1', kind: 'audio', track: 'trk_1' })).toBe('microphone');
    expect(sourceOf({ mid: '1', kind: 'video' })).toBe('camera');
  });

  it('grow in steps up to the maximum and never shrink', () => {
    const now = { audio: 4, video: 9 };
    const max = { audio: 6, video: 25 };
    expect(wantedSlots(now, max, 0, 0)).toEqual(now);
    expect(wantedSlots(now, max, 9, 1)).toEqual(now);
    expect(wantedSlots(now, max, 10, 2)).toEqual({ audio: 5, video: 12 });
    expect(wantedSlots(now, max, 300, 9)).toEqual(max);
  });
});

describe('people', () => {
  it('are those online but oneself', () => {
    const people = new People(1);
    people.reset([
      { user_id: 1, username: 'me', status: 'online' },
      { user_id: 2, username: 'ada', nickname: 'Ada', status: 'online' },
      { user_id: 3, username: 'bob', status: 'offline' },
    ]);
    expect(people.list().map((p) => p.name)).toEqual(['Ada']);
  });

  it('keep what they said of their media when the list comes again', () => {
    const people = new People(1);
    people.join({ user_id: 2, username: 'ada' });
    people.media(2, { audio: false });
    people.media(2, { video: true });
    people.reset([{ user_id: 2, username: 'ada', status: 'online' }]);
    expect(people.get(2)?.media).toEqual({ audio: false, video: true });
    people.leave(2);
    expect(people.list()).toEqual([]);
  });
});

describe('camera layers', () => {
  const sizes = (width: number, height: number) =>
    cameraLayers(width, height)
      .filter((layer) => layer.active)
      .map((layer) => `${layer.rid} ${width / layer.scaleResolutionDownBy}`);

  it('end with the full picture, whatever its size', () => {
    expect(sizes(1280, 720)).toEqual(['q 320', 'h 640', 'f 1280']);
    expect(sizes(640, 360)).toEqual(['q 320', 'h 640']);
    expect(sizes(320, 180)).toEqual(['q 320']);
  });

  it('get bits by their size', () => {
    const [q, h, f] = cameraLayers(1280, 720).map((layer) => layer.maxBitrate);
    expect(q).toBeCloseTo(150_000, -4);
    expect(h).toBe(500_000);
    expect(f).toBeCloseTo(1_694_000, -4);
    expect(cameraLayers(3840, 2160)[2]?.maxBitrate).toBe(2_500_000);
  });
});

describe('quality', () => {
  const entry = (type: string, more: object) => ({ type, timestamp: 1000, ...more });

  it('adds up a report', () => {
    const sample = sampleOf([
      entry('candidate-pair', { nominated: true, state: 'succeeded', currentRoundTripTime: 0.05 }),
      entry('inbound-rtp', { bytesReceived: 10, packetsReceived: 4, packetsLost: 1 }),
      entry('inbound-rtp', { bytesReceived: 5, packetsReceived: 2, packetsLost: -1 }),
      entry('outbound-rtp', { bytesSent: 7 }),
      entry('remote-inbound-rtp', { fractionLost: 0.25 }),
    ]);
    expect(sample).toMatchObject({
      atMs: 1000,
      bytesIn: 15,
      packetsIn: 6,
      packetsLost: 1,
      bytesOut: 7,
      rttMs: 50,
      lossOut: 0.25,
    });
  });

  it('compares two samples', () => {
    const zero = sampleOf([]);
    const before = { ...zero, atMs: 0, bytesIn: 1000, packetsIn: 100, packetsLost: 0 };
    const after = {
      ...before,
      atMs: 2000,
      bytesIn: 3000,
      packetsIn: 190,
      packetsLost: 10,
      rttMs: 9,
    };
    const stats = compare(before, after);
    expect(stats.bitrateIn).toBe(8000);
    expect(stats.lossIn).toBeCloseTo(0.1);
    expect(stats.quality).toBe('fair');
  });

  it('survives counters that began again', () => {
    const zero = sampleOf([]);
    const stats = compare({ ...zero, bytesIn: 500, packetsIn: 9 }, { ...zero, atMs: 1000 });
    expect(stats).toMatchObject({ bitrateIn: 0, lossIn: 0 });
  });

  it.each([
    [null, 0, 'unknown'],
    [20, 0, 'good'],
    [300, 0, 'fair'],
    [20, 0.05, 'fair'],
    [700, 0, 'poor'],
    [20, 0.2, 'poor'],
  ] as const)('rtt %s and loss %s are %s', (rttMs, lossIn, word) => {
    expect(judge({ rttMs, lossIn, lossOut: 0 })).toBe(word);
  });
});

describe('speakers', () => {
  it('hold for a moment and are told on change only', () => {
    const detector = new SpeakerDetector();
    expect(detector.update([{ userId: 1, level: 0.5 }], 0)).toEqual([{ userId: 1, level: 0.5 }]);
    expect(detector.update([{ userId: 1, level: 0 }], 200)).toBeNull();
    expect(detector.update([{ userId: 1, level: 0 }], 1000)).toEqual([]);
    expect(detector.update([], 1200)).toBeNull();
  });

  it('understand RFC 6464 levels', () => {
    expect(loudness(127)).toBe(0);
    expect(loudness(0)).toBe(1);
    expect(loudness(20)).toBeCloseTo(0.1);
  });
});
