import { describe, expect, it } from 'vitest';
import { capacity, dominant, MOST, pageOf, tileSize, viewOf } from '../src/meeting/layout.js';
import type { TileView } from '../src/meeting/tiles.js';

function tile(userId: number, more: Partial<TileView> = {}): TileView {
  return {
    key: `user-${userId}`,
    userId,
    name: `User ${userId}`,
    track: undefined,
    micOff: false,
    cameraOff: false,
    unavailable: false,
    paused: false,
    handRaised: false,
    ...more,
  };
}

describe('a grid', () => {
  it('has as many tiles as fit, one at least, 25 at most', () => {
    expect(capacity({ width: 1256, height: 560 })).toBe(24);
    expect(capacity({ width: 3000, height: 2000 })).toBe(MOST);
    expect(capacity({ width: 640, height: 300 })).toBe(6);
    expect(capacity({ width: 100, height: 50 })).toBe(1);
  });

  it('makes tiles as large as their number allows, never overlapping', () => {
    const box = { width: 1256, height: 560 };
    for (let count = 1; count <= 25; count += 1) {
      const { width, height } = tileSize(count, box);
      const columns = Math.floor((box.width + 10) / (width + 10));
      const rows = Math.ceil(count / columns);
      expect(rows * height + (rows - 1) * 10, `${count} tiles`).toBeLessThanOrEqual(box.height);
      expect(width / height).toBeCloseTo(16 / 9, 1);
    }
    expect(tileSize(1, box).height).toBe(559);
    expect(tileSize(2, box).width).toBe(623);
    expect(tileSize(0, { width: 0, height: 0 })).toEqual({ width: 0, height: 0 });
  });
});

describe('pages', () => {
  it('hold what belongs on them, and the last one when people went', () => {
    const list = [1, 2, 3, 4, 5];
    expect(pageOf(list, 0, 2)).toEqual({ items: [1, 2], page: 0, pages: 3 });
    expect(pageOf(list, 9, 2)).toEqual({ items: [5], page: 2, pages: 3 });
    expect(pageOf([], 3, 2)).toEqual({ items: [], page: 0, pages: 1 });
    expect(pageOf(list, 1, 4, 1000)).toEqual({ items: [5], page: 1, pages: 250 });
  });
});

describe('the one who is large', () => {
  const others = [tile(1, { cameraOff: true }), tile(2), tile(3)];

  it('speaks, or spoke last, or can be seen', () => {
    expect(dominant([{ userId: 3 }], 2, others)).toBe(3);
    expect(dominant([], 2, others)).toBe(2);
    expect(dominant([], null, others)).toBe(2);
    expect(dominant([], 9, [tile(1, { cameraOff: true })])).toBe(1);
    expect(dominant([], 9, [])).toBeNull();
  });

  it('is never oneself', () => {
    expect(dominant([{ userId: 1000 }, { userId: 1 }], 2, others)).toBe(1);
  });
});

describe('a view', () => {
  const shown = (userId: number, width: number, more: Partial<TileView> = {}) => ({
    item: tile(userId, more),
    source: 'camera' as const,
    size: { width, height: (width * 9) / 16 },
    pinned: false,
  });

  it('asks for what is on the screen in its own pixels', () => {
    const view = viewOf([shown(1, 320), shown(2, 200, { cameraOff: true })], 1.5, 2);
    expect(view).toEqual({
      tiles: [{ userId: 1, source: 'camera', width: 480, height: 270, pinned: false }],
      lastN: 2,
    });
  });

  it('asks for fewer frames of small pictures, and for none of what has no size', () => {
    expect(viewOf([shown(1, 200), shown(2, 0)], 1).tiles).toEqual([
      { userId: 1, source: 'camera', width: 200, height: 113, fps: 15, pinned: false },
    ]);
  });
});
