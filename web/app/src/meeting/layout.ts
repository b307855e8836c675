import type { View, ViewTile } from '@weir/sdk';
import type { ScreenView, TileView } from './tiles.js';

/** A size in CSS pixels. */
export interface Box {
  width: number;
  height: number;
}

/** Room between tiles, as in the style sheet. */
export const GAP = 10;
/** The most tiles of one page: so many pictures a browser decodes at once. */
export const MOST = 25;
/** A tile smaller than this shows nobody. */
const SMALLEST: Box = { width: 200, height: 112 };
const RATIO = 16 / 9;
/** Pictures smaller than this need not be smooth. */
const SMALL_WIDTH = 240;
const SMALL_FPS = 15;

/** How many tiles fit into a grid of this size. */
export function capacity(box: Box): number {
  const howMany = (room: number, size: number) => Math.floor((room + GAP) / (size + GAP));
  const columns = Math.max(1, howMany(box.width, SMALLEST.width));
  const rows = Math.max(1, howMany(box.height, SMALLEST.height));
  return Math.min(MOST, columns * rows);
}

/** The largest size at which `count` tiles fill a grid without overlapping. */
export function tileSize(count: number, box: Box): Box {
  let best: Box = { width: 0, height: 0 };
  for (let columns = 1; columns <= Math.max(1, count); columns += 1) {
    const rows = Math.ceil(Math.max(1, count) / columns);
    const room = {
      width: (box.width - GAP * (columns - 1)) / columns,
      height: (box.height - GAP * (rows - 1)) / rows,
    };
    const width = Math.floor(Math.max(0, Math.min(room.width, room.height * RATIO)));
    if (width > best.width) best = { width, height: Math.floor(width / RATIO) };
  }
  return best;
}

/** One page of a list, and how many pages there are; a page that is gone is the last one. */
export function pageOf<T>(items: readonly T[], page: number, size: number, total = items.length) {
  const pages = Math.max(1, Math.ceil(total / Math.max(1, size)));
  const current = Math.min(Math.max(0, page), pages - 1);
  return { items: items.slice(current * size, (current + 1) * size), page: current, pages };
}

/** Who speaks last, unless that is oneself or nobody: then whoever was shown, or comes first. */
export function dominant(
  speakers: readonly { userId: number }[],
  before: number | null,
  others: readonly { userId: number; cameraOff: boolean }[],
): number | null {
  const here = (id: number | null) => others.some((other) => other.userId === id);
  const loudest = speakers.find((speaker) => here(speaker.userId));
  if (loudest) return loudest.userId;
  if (here(before)) return before;
  return (others.find((other) => !other.cameraOff) ?? others[0])?.userId ?? null;
}

/** One thing on the screen and how large it is. */
export interface Shown {
  item: TileView | ScreenView;
  source: 'camera' | 'screen';
  size: Box;
  pinned: boolean;
}

/** What to ask the server for: each picture on the screen, in device pixels. */
export function viewOf(shown: readonly Shown[], pixelRatio: number, lastN = 0): View {
  const tiles: ViewTile[] = [];
  for (const { item, source, size, pinned } of shown) {
    if (source === 'camera' && 'cameraOff' in item && item.cameraOff) continue;
    if (size.width <= 0) continue;
    tiles.push({
      userId: item.userId,
      source,
      width: Math.ceil(size.width * pixelRatio),
      height: Math.ceil(size.height * pixelRatio),
      ...(source === 'camera' && size.width < SMALL_WIDTH ? { fps: SMALL_FPS } : {}),
      pinned,
    });
  }
  return { tiles, lastN };
}
