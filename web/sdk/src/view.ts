/** One picture a client shows. */
export interface ViewTile {
  userId: number;
  source: 'camera' | 'screen';
  /** Size in device pixels; 0 for no limit. */
  width: number;
  height: number;
  /** Frames a second that are of use; 0 for no limit. */
  fps?: number;
  /** Keeps its place and goes before speakers. */
  pinned?: boolean;
}

/** What a client shows, most important first; nothing else is received. */
export interface View {
  tiles: ViewTile[];
  /** How many more pictures, in order of speaking. */
  lastN?: number;
  /** Size of those in device pixels. */
  lastNWidth?: number;
  lastNHeight?: number;
}

/** Tiles the server takes in one view. */
export const MAX_TILES = 100;
/** Changes within this time are told as one: a resize has many. */
const SETTLE_MS = 120;

/** Of a client that has not said what it shows: whoever there is room for. */
const EVERYBODY: View = { tiles: [], lastN: 65_535 };

/** A view as the message has it. */
export function viewMessage(view: View): object {
  return {
    tiles: view.tiles.slice(0, MAX_TILES).map((tile) => ({
      user_id: tile.userId,
      source: tile.source,
      width: tile.width,
      height: tile.height,
      ...(tile.fps ? { fps: tile.fps } : {}),
      ...(tile.pinned ? { pinned: true } : {}),
    })),
    last_n: view.lastN ?? 0,
    ...(view.lastNWidth ? { last_n_width: view.lastNWidth } : {}),
    ...(view.lastNHeight ? { last_n_height: view.lastNHeight } : {}),
  };
}

/** Tells the server what is shown: only changes, and not each step of them. */
export class ViewSender {
  private wanted: object = viewMessage(EVERYBODY);
  private told = '';
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `send` is false while there is no connection. */
  constructor(private readonly send: (data: object) => boolean) {}

  set(view: View): void {
    this.wanted = viewMessage(view);
    this.timer ??= setTimeout(() => this.flush(), SETTLE_MS);
  }

  /** After coming in: the server knows nothing yet. */
  again(): void {
    this.told = '';
    this.flush();
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private flush(): void {
    this.stop();
    const text = JSON.stringify(this.wanted);
    if (text !== this.told && this.send(this.wanted)) this.told = text;
  }
}
