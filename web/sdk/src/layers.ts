/** One simulcast layer of a camera. */
export interface Layer {
  rid: string;
  active: boolean;
  scaleResolutionDownBy: number;
  /** Bits a second. */
  maxBitrate: number;
}

/** Names of the layers, smallest picture first. */
const RIDS = ['q', 'h', 'f'] as const;
/**
 * From how many pixels a picture is worth so many layers. The same steps as in libwebrtc, which
 * leaves out the *last* layers of a smaller picture: with fixed factors that would be the full size.
 */
const STEPS: readonly [pixels: number, layers: number][] = [
  [960 * 540, 3],
  [480 * 270, 2],
  [0, 1],
];

/** The layers for a camera of this size; the last active one is the full picture. */
export function cameraLayers(width: number, height: number): Layer[] {
  const pixels = width * height;
  const count = STEPS.find(([from]) => pixels >= from)?.[1] ?? 1;
  return RIDS.map((rid, n) => {
    const active = n < count;
    const scaleResolutionDownBy = active ? 2 ** (count - 1 - n) : 1;
    return {
      rid,
      active,
      scaleResolutionDownBy,
      maxBitrate: bitrate(pixels / scaleResolutionDownBy ** 2),
    };
  });
}

/** What a picture of so many pixels needs: 1.7 Mbit/s at 720p, 0.5 at 360p, 0.15 at 180p. */
function bitrate(pixels: number): number {
  const wanted = 500_000 * (pixels / (640 * 360)) ** 0.88;
  return Math.round(Math.min(2_500_000, Math.max(100_000, wanted)) / 1000) * 1000;
}
