import type { Kind, PausedBy, SlotMessage, Source } from './messages.js';

/** A receiving place: an m-line in which the server plays somebody's track. */
export interface Slot {
  /** The m-line. */
  mid: string;
  kind: Kind;
  /** Whose track plays here; null when the slot is empty. */
  userId: number | null;
  username: string;
  /** What it shows. */
  source: Source;
  /** Which simulcast layer, where there are several. */
  rid: string | null;
  /** The sender switched the source off. */
  muted: boolean;
  /** This browser cannot decode it. */
  unavailable: boolean;
  /** Why nothing comes for now; null while it does. */
  pausedBy: PausedBy | null;
  /** The media; the same object for the whole life of the m-line. */
  track: MediaStreamTrack;
}

const SOURCES: readonly string[] = ['camera', 'microphone', 'screen', 'screen_audio'];

/** What a slot shows, by the server's word or else by its kind. */
export function sourceOf(slot: SlotMessage): Source {
  for (const word of [slot.source, slot.track]) {
    if (word && SOURCES.includes(word)) return word as Source;
  }
  return slot.kind === 'video' ? 'camera' : 'microphone';
}

/** Joins the server's statement with the browser's tracks; mids that are not ours are left out. */
export function resolveSlots(
  slots: readonly SlotMessage[],
  trackOf: (mid: string) => MediaStreamTrack | undefined,
): Slot[] {
  const found: Slot[] = [];
  for (const slot of slots) {
    const track = trackOf(slot.mid);
    if (!track) continue;
    found.push({
      mid: slot.mid,
      kind: slot.kind,
      userId: slot.user_id ?? null,
      username: slot.username ?? '',
      source: sourceOf(slot),
      rid: slot.rid ?? null,
      muted: slot.muted ?? false,
      unavailable: slot.unavailable ?? false,
      pausedBy: slot.paused_by ?? null,
      track,
    });
  }
  return found;
}

/** How many slots of each kind. */
export interface SlotCount {
  audio: number;
  video: number;
}

/** Voices the server plays at once, the loudest; the sound of a shared screen needs one more. */
const VOICES = 3;
/** What a connection begins with. */
export const FIRST_SLOTS: SlotCount = { audio: VOICES + 1, video: 9 };
/** The offer with all of them fits into a message: e2e/tests/offer-size.test.mjs measures it. */
export const MAX_SLOTS: SlotCount = { audio: VOICES + 1, video: 25 };

/**
 * How many slots to ask for to show `pictures` and hear `screens` shared: as many as now while they
 * suffice, else what is needed and a few more, so that not each new tile renegotiates.
 */
export function wantedSlots(
  now: SlotCount,
  max: SlotCount,
  pictures: number,
  screens: number,
): SlotCount {
  const grow = (have: number, need: number, limit: number, step: number) =>
    need <= have ? have : Math.max(have, Math.min(limit, Math.ceil(need / step) * step));
  return {
    audio: grow(now.audio, VOICES + screens, max.audio, 1),
    video: grow(now.video, pictures, max.video, 4),
  };
}
