/** Somebody heard now. */
export interface Speaker {
  userId: number;
  /** Loudness, 0 to 1. */
  level: number;
}

/** Below this (about -36 dBov) somebody is not speaking. */
const SPEAKING = 0.016;
/** How long somebody counts as speaking after the last loud sound. */
const HOLD_MS = 600;

/** Turns instantaneous levels into a calm list of speakers. */
export class SpeakerDetector {
  private readonly lastLoud = new Map<number, { atMs: number; level: number }>();
  private current = '';

  /** Takes the levels of one moment; the new list when who speaks has changed, else null. */
  update(levels: readonly Speaker[], nowMs: number): Speaker[] | null {
    for (const { userId, level } of levels) {
      if (level >= SPEAKING) this.lastLoud.set(userId, { atMs: nowMs, level });
    }
    const speakers: Speaker[] = [];
    for (const [userId, loud] of this.lastLoud) {
      if (nowMs - loud.atMs > HOLD_MS) this.lastLoud.delete(userId);
      else speakers.push({ userId, level: loud.level });
    }
    speakers.sort((a, b) => b.level - a.level);
    const key = speakers.map((s) => s.userId).join();
    if (key === this.current) return null;
    this.current = key;
    return speakers;
  }
}

/** A level of RFC 6464 (0 loudest, 127 silence, -dBov) as loudness 0 to 1. */
export function loudness(level: number): number {
  return level >= 127 ? 0 : 10 ** (-Math.max(0, level) / 20);
}
