import type { Meeting, Speaker } from '@weir/sdk';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Icon } from '../ui/icons.js';
import {
  type Box,
  capacity,
  dominant,
  GAP,
  pageOf,
  type Shown,
  tileSize,
  viewOf,
} from './layout.js';
import { ScreenTile, Tile } from './tile.js';
import type { ScreenView, TileView } from './tiles.js';

/** Everybody alike, or one large. */
export type Layout = 'grid' | 'speaker';

/** Width of the strip beside a large picture; below this width of the page it lies under it. */
const STRIP: Box = { width: 200, height: 112 };
const NARROW = 720;
/** Pictures beyond those asked for by name: of a webinar's people many are not known. */
const LAST_N = 2;
const WEBINAR_LAST_N = 6;
/** Height of the page buttons, as in the style sheet. */
const PAGER = 50;

/** All pictures of a meeting, of which only those on the current page are received. */
export function Stage(props: {
  meeting: Meeting;
  layout: Layout;
  /** Only who may be seen has a tile. */
  webinar: boolean;
  tiles: readonly TileView[];
  screens: readonly ScreenView[];
  ownScreen: MediaStreamTrack | undefined;
  self: TileView;
  speakers: readonly Speaker[];
  pinned: number | null;
  onPin: (userId: number | null) => void;
}) {
  const { meeting, webinar, tiles, screens, self, pinned, onPin } = props;
  const watches = webinar && !meeting.room.may.video;
  const [frame, box] = useSize();
  const [page, setPage] = useState(0);
  const last = useRef<number | null>(null);
  last.current = dominant(props.speakers, last.current, tiles);
  const speaking = new Set(props.speakers.map((speaker) => speaker.userId));

  const sharing = screens.length > 0 || props.ownScreen !== undefined;
  const pinnedTile = tiles.find((tile) => tile.userId === pinned);
  const star =
    pinnedTile ??
    (props.layout === 'speaker' ? tiles.find((tile) => tile.userId === last.current) : undefined);
  const featured = sharing || star !== undefined;
  const narrow = box.width < NARROW;

  // Who is large is not small as well, but beside a screen.
  const rest = sharing || !star ? tiles : tiles.filter((tile) => tile !== star);
  const strip: Box = narrow ? { ...box, height: STRIP.height } : { ...box, width: STRIP.width };
  // People of a large meeting who are not known yet count as well; oneself is last on page one.
  const unknown = webinar ? 0 : Math.max(0, meeting.total - 1 - meeting.participants.length);
  const total = rest.length + (watches ? 0 : 1) + unknown;
  const fits = featured ? stripCapacity(strip, narrow) : capacity(box);
  const paged = total > fits;
  const below = paged && (narrow || !featured) ? PAGER : 0;
  const grid: Box = { width: box.width, height: Math.max(0, box.height - below) };
  const shorter: Box = { ...strip, height: Math.max(0, strip.height - (narrow ? 0 : PAGER)) };
  const perPage = !paged ? fits : featured ? stripCapacity(shorter, narrow) : capacity(grid);
  const firstPage = Math.max(1, perPage - 1);
  const padded: (TileView | null)[] = [...rest];
  if (!watches) padded.splice(Math.min(firstPage, padded.length), 0, self);
  const current = pageOf(padded, page, perPage, total);
  const shownTiles = current.items.filter((tile) => tile !== null);
  const size = featured ? stripSize(strip, narrow) : tileSize(shownTiles.length, grid);

  useEffect(() => setPage(0), [props.layout, featured]);
  const needed = (current.page + 1) * perPage;
  useEffect(() => {
    if (unknown > 0) meeting.knowPeople(needed).catch(() => {});
  }, [meeting, needed, unknown]);

  const main: Box = narrow
    ? { width: box.width, height: Math.max(0, grid.height - STRIP.height - GAP) }
    : { width: Math.max(0, box.width - STRIP.width - GAP), height: box.height };
  const shown: Shown[] = [];
  for (const item of screens) {
    const share = { width: main.width, height: main.height / Math.max(1, screens.length) };
    shown.push({ item, source: 'screen', size: share, pinned: true });
  }
  if (star && !sharing) {
    shown.push({ item: star, source: 'camera', size: main, pinned: star === pinnedTile });
  }
  for (const item of shownTiles) {
    if (item === self) continue;
    shown.push({ item, source: 'camera', size, pinned: item.userId === pinned });
  }
  // With everybody on one page there is room for senders nobody has told of.
  const lastN = current.pages > 1 ? 0 : webinar ? WEBINAR_LAST_N : LAST_N;
  const view = viewOf(shown, globalThis.devicePixelRatio || 1, lastN);
  const key = JSON.stringify(view);
  useEffect(() => {
    if (box.width > 0) meeting.setView(view);
  }, [meeting, key]);

  const pin = (tile: TileView) => (tile.userId === pinned ? onPin(null) : onPin(tile.userId));
  return (
    <main
      ref={frame}
      class={['stage', featured && 'featured', narrow && 'narrow', current.pages > 1 && 'paged']
        .filter(Boolean)
        .join(' ')}
      data-testid="stage"
      data-layout={props.layout}
    >
      {featured && (
        <div class="screens">
          {screens.map((item) => (
            <ScreenTile key={item.key} view={item} />
          ))}
          {props.ownScreen && (
            <ScreenTile
              own
              view={{
                key: 'own-screen',
                userId: self.userId,
                name: self.name,
                track: props.ownScreen,
                paused: false,
              }}
            />
          )}
          {star && !sharing && (
            <Tile
              key={star.key}
              view={star}
              speaking={speaking.has(star.userId)}
              large
              pinned={star === pinnedTile}
              onPin={() => pin(star)}
            />
          )}
        </div>
      )}
      <Tiles size={size} testId="grid">
        {shownTiles.map((tile) =>
          tile === self ? (
            <Tile key="own" own view={self} speaking={false} />
          ) : (
            <Tile
              key={tile.key}
              view={tile}
              speaking={speaking.has(tile.userId)}
              pinned={tile.userId === pinned}
              onPin={() => pin(tile)}
            />
          ),
        )}
      </Tiles>
      {current.pages > 1 && (
        <Pager
          page={current.page}
          pages={current.pages}
          more={total - shownTiles.length}
          onPage={setPage}
        />
      )}
    </main>
  );
}

function stripCapacity(strip: Box, narrow: boolean): number {
  const room = narrow ? strip.width : strip.height;
  const each = narrow ? STRIP.width : STRIP.height;
  return Math.max(1, Math.floor((room + GAP) / (each + GAP)));
}

function stripSize(strip: Box, narrow: boolean): Box {
  return narrow ? { width: (strip.height * 16) / 9, height: strip.height } : STRIP;
}

// biome-ignore lint/suspicious/noExplicitAny: whatever Preact can show.
function Tiles(props: { size: Box; testId: string; children: any }) {
  const frame = useRef<HTMLDivElement>(null);
  const { width, height } = props.size;
  // By the object model: the page allows no style attributes.
  useLayoutEffect(() => {
    frame.current?.style.setProperty('--tile-width', `${Math.floor(width)}px`);
    frame.current?.style.setProperty('--tile-height', `${Math.floor(height)}px`);
  }, [width, height]);
  return (
    <div class="grid" ref={frame} data-testid={props.testId}>
      {props.children}
    </div>
  );
}

function Pager(props: {
  page: number;
  pages: number;
  more: number;
  onPage: (page: number) => void;
}) {
  const { page, pages, onPage } = props;
  return (
    <nav class="pager" aria-label="Pages of participants" data-testid="pager">
      <button
        class="button round"
        type="button"
        aria-label="Previous page"
        data-testid="page-back"
        disabled={page === 0}
        onClick={() => onPage(page - 1)}
      >
        <Icon name="back" />
      </button>
      <span data-testid="page-number">
        {page + 1} / {pages}
      </span>
      <span class="aside" data-testid="more">
        {props.more} more
      </span>
      <button
        class="button round"
        type="button"
        aria-label="Next page"
        data-testid="page-next"
        disabled={page === pages - 1}
        onClick={() => onPage(page + 1)}
      >
        <Icon name="forward" />
      </button>
    </nav>
  );
}

/** The size of an element, kept up to date. */
function useSize() {
  const frame = useRef<HTMLElement>(null);
  const [box, setBox] = useState<Box>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return;
    const measure = () => {
      const style = getComputedStyle(element);
      const inner = (size: number, ...sides: string[]) =>
        Math.max(0, size - sides.reduce((sum, side) => sum + Number.parseFloat(side), 0));
      setBox({
        width: inner(element.clientWidth, style.paddingLeft, style.paddingRight),
        // Below are the page buttons, which are reckoned with.
        height: inner(element.clientHeight, style.paddingTop),
      });
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return [frame, box] as const;
}
