import type { Participant, Slot } from '@weir/sdk';
import { describe, expect, it } from 'vitest';
import { remoteScreens, remoteTiles } from '../src/meeting/tiles.js';
import { parseMeetingInput, parseRoute } from '../src/router.js';

const track = { id: 't' } as MediaStreamTrack;

function person(userId: number, media: Participant['media'] = {}): Participant {
  return {
    userId,
    username: `user${userId}`,
    name: `User ${userId}`,
    role: 'participant',
    media,
    handRaised: false,
  };
}

function slot(more: Partial<Slot>): Slot {
  return {
    mid: '0',
    kind: 'video',
    userId: null,
    username: '',
    source: 'camera',
    rid: null,
    muted: false,
    unavailable: false,
    pausedBy: null,
    track,
    ...more,
  };
}

describe('tiles', () => {
  it('are there for everybody, with or without media', () => {
    const tiles = remoteTiles([person(1), person(2)], [slot({ userId: 1 })]);
    expect(tiles.map((t) => [t.userId, t.track, t.cameraOff])).toEqual([
      [1, track, false],
      [2, undefined, false],
    ]);
  });

  it('are there for who only sends', () => {
    const [tile] = remoteTiles([], [slot({ userId: -3, username: 'cam' })]);
    expect(tile).toMatchObject({ userId: -3, name: 'cam', cameraOff: false, micOff: true });
  });

  it('believe the sender and the server about what is off', () => {
    const audio = slot({ kind: 'audio', source: 'microphone', userId: 1, muted: true });
    const [muted] = remoteTiles([person(1, { video: false })], [slot({ userId: 1 }), audio]);
    expect(muted).toMatchObject({ micOff: true, cameraOff: true });
  });

  it('leave screens and empty slots out', () => {
    const slots = [slot({}), slot({ userId: 1, source: 'screen' })];
    expect(remoteTiles([], slots)).toEqual([]);
    expect(remoteScreens(slots, () => 'Ada')).toEqual([
      { key: 'screen-1', userId: 1, name: 'Ada', track, paused: false },
    ]);
  });

  it('say what a weak connection pauses, and nothing of what the own view leaves out', () => {
    const weak = slot({ userId: 1, pausedBy: 'bandwidth' });
    const hidden = slot({ userId: 2, pausedBy: 'view' });
    expect(remoteTiles([], [weak, hidden]).map((tile) => tile.paused)).toEqual([true, false]);
    const [screen] = remoteScreens([{ ...weak, source: 'screen' }], () => 'Ada');
    expect(screen?.paused).toBe(true);
  });
});

describe('addresses', () => {
  it('lead to pages', () => {
    expect(parseRoute('/m/12345678901')).toEqual({ page: 'meeting', id: 12345678901 });
    expect(parseRoute('/m/x')).toEqual({ page: 'unknown' });
    expect(parseRoute('/')).toEqual({ page: 'home' });
  });

  it.each([
    ['12345678901', 12345678901],
    [' 123 456 789 01 ', 12345678901],
    ['https://meet.test/m/12345678901', 12345678901],
    ['https://meet.test/m/12345678901?x=1', 12345678901],
    ['hello', null],
    ['', null],
    ['0', null],
    ['99999999999999999999', null],
  ])('as pasted: %s', (text, id) => {
    expect(parseMeetingInput(text)).toBe(id);
  });
});
