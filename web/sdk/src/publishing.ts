import { cameraLayers } from './layers.js';
import type { LayerMessage, Source } from './messages.js';

/** How the camera is encoded. */
export interface PublishOptions {
  /** The one codec to offer; all of the browser's by default. */
  codec?: 'vp8' | 'vp9' | 'h264' | 'av1';
  /** One scalable stream, such as `L3T3_KEY`, in place of several. */
  scalabilityMode?: string;
}

/** `scalabilityMode` is newer than TypeScript's own description. */
type Encoding = RTCRtpEncodingParameters & { scalabilityMode?: string };

const SCREEN_BITRATE = 2_500_000;
const SVC_BITRATE = 2_500_000;

/** What a source is sent as, before its size is known. */
export function encodingsFor(source: Source, options: PublishOptions): Encoding[] | undefined {
  // With temporal layers a narrow receiver gets fewer pictures, not one key frame after another.
  if (source === 'screen') return [{ maxBitrate: SCREEN_BITRATE, scalabilityMode: 'L1T3' }];
  if (source !== 'camera') return undefined;
  if (options.scalabilityMode) {
    return [{ scalabilityMode: options.scalabilityMode, maxBitrate: SVC_BITRATE }];
  }
  return cameraLayers(1280, 720);
}

/** Offers one codec alone, with what belongs to it. */
export function preferCodec(transceiver: RTCRtpTransceiver, codec: string): void {
  const all = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
  const own = all.filter((c) => c.mimeType.toLowerCase() === `video/${codec}`);
  const helpers = all.filter((c) => /\/rtx$/i.test(c.mimeType));
  if (own.length > 0) transceiver.setCodecPreferences([...own, ...helpers]);
}

/** What is switched on of one sender's layers: what fits its camera and what somebody wants. */
export class LayerSwitch {
  /** By rid; the empty name where there is only one layer. */
  private demand = new Map<string, boolean>();
  private chain: Promise<void> = Promise.resolve();
  private size: { width: number; height: number } | null = null;

  constructor(
    private readonly sender: RTCRtpSender,
    private readonly simulcast: boolean,
  ) {}

  /** The camera's picture has this size. */
  fitTo(width: number, height: number): Promise<void> {
    this.size = { width, height };
    return this.apply();
  }

  /** Somebody wants these layers. */
  want(layers: readonly LayerMessage[]): Promise<void> {
    this.demand = new Map(layers.map((layer) => [layer.rid ?? '', layer.active]));
    return this.apply();
  }

  /** Parameters must be read and set by one at a time. */
  private apply(): Promise<void> {
    this.chain = this.chain
      .catch(() => {})
      .then(async () => {
        const parameters = this.sender.getParameters();
        if (!parameters.encodings?.length) return;
        const fitting =
          this.simulcast && this.size ? cameraLayers(this.size.width, this.size.height) : [];
        for (const encoding of parameters.encodings) {
          const layer = fitting.find((l) => l.rid === encoding.rid);
          if (layer) Object.assign(encoding, layer);
          const wanted = this.demand.get(encoding.rid ?? '') ?? true;
          encoding.active = (layer?.active ?? true) && wanted;
        }
        await this.sender.setParameters(parameters);
      });
    return this.chain;
  }
}
