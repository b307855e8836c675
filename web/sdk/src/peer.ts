import { Emitter } from './emitter.js';
import type { Kind, LayerMessage, Source } from './messages.js';
import { compact, preferForwarded } from './offer.js';
import { encodingsFor, LayerSwitch, type PublishOptions, preferCodec } from './publishing.js';
import type { SlotCount } from './slots.js';

/** What {@link Peer} tells. */
export interface PeerEvents {
  /** Media can flow. */
  up: undefined;
  /** Media stopped; an ICE restart is being tried. */
  interrupted: undefined;
  /** This connection cannot be saved; a new one is needed. */
  dead: { error: Error };
}

/** Options of {@link Peer}. */
export interface PeerOptions {
  slots: SlotCount;
  iceServers: RTCIceServer[];
  /** How the camera is encoded. */
  publish?: PublishOptions;
  /** Carries an offer to the server and brings its answer. */
  offer: (sdp: string, tracks: Record<string, Source>) => Promise<string>;
}

/** How long a path may be silent before a new one is sought. */
const DISCONNECTED_MS = 3_000;
/** How long connecting or an ICE restart may take. */
const CONNECT_MS = 12_000;

const KIND: Record<Source, Kind> = {
  camera: 'video',
  screen: 'video',
  microphone: 'audio',
  screen_audio: 'audio',
};

/**
 * One RTCPeerConnection to the server: own tracks as sendonly m-lines, slots as recvonly m-lines.
 * The microphone's and camera's m-lines exist from the start, with or without a track, so that
 * switching them on and off renegotiates nothing.
 */
export class Peer extends Emitter<PeerEvents> {
  readonly pc: RTCPeerConnection;
  private readonly senders = new Map<Source, RTCRtpTransceiver>();
  private readonly switches = new Map<Source, LayerSwitch>();
  private readonly slots: Record<Kind, RTCRtpTransceiver[]> = { audio: [], video: [] };
  private timer: ReturnType<typeof setTimeout> | undefined;
  private chain: Promise<void> = Promise.resolve();
  private queued: { iceRestart: boolean; done: Promise<void> } | null = null;
  private closed = false;
  private wasUp = false;

  constructor(private readonly options: PeerOptions) {
    super();
    this.pc = new RTCPeerConnection({
      bundlePolicy: 'max-bundle',
      iceServers: options.iceServers,
    });
    this.pc.onconnectionstatechange = () => this.stateChanged();
    this.addSender('microphone');
    this.addSender('camera');
    this.addSlots(options.slots);
    this.expectConnection();
  }

  /** How many slots there are. */
  get slotCount(): SlotCount {
    return { audio: this.slots.audio.length, video: this.slots.video.length };
  }

  /** The received track of an m-line. */
  trackOf(mid: string): MediaStreamTrack | undefined {
    return this.receiverOf(mid)?.track;
  }

  /** The receiver of an m-line. */
  receiverOf(mid: string): RTCRtpReceiver | undefined {
    const all = [...this.slots.audio, ...this.slots.video];
    return all.find((t) => t.mid === mid)?.receiver;
  }

  /** Sends `track` as `source`, or stops sending it. Negotiates where an m-line must change. */
  async setTrack(source: Source, track: MediaStreamTrack | null): Promise<void> {
    const known = this.senders.get(source);
    if (!known && !track) return;
    const transceiver = known ?? this.addSender(source);
    await transceiver.sender.replaceTrack(track);
    const { width, height } = (source === 'camera' && track?.getSettings()) || {};
    if (width && height) await this.switches.get(source)?.fitTo(width, height);
    // A stopped share is taken out of the offer: its slot is free for others.
    const lasting = source === 'microphone' || source === 'camera';
    const direction = track || lasting ? 'sendonly' : 'inactive';
    const changed = transceiver.direction !== direction;
    if (changed) transceiver.direction = direction;
    if (!known || changed) await this.negotiate();
  }

  /** Sends those layers of the track in this m-line that somebody wants. */
  async wantLayers(mid: string, layers: readonly LayerMessage[]): Promise<void> {
    for (const [source, transceiver] of this.senders) {
      if (transceiver.mid === mid) await this.switches.get(source)?.want(layers);
    }
  }

  /** Adds slots up to `count`; true when an offer is needed for it. */
  addSlots(count: SlotCount): boolean {
    let added = false;
    for (const kind of ['audio', 'video'] as const) {
      while (this.slots[kind].length < count[kind]) {
        const slot = this.pc.addTransceiver(kind, { direction: 'recvonly' });
        preferForwarded(slot, kind);
        this.slots[kind].push(slot);
        added = true;
      }
    }
    return added;
  }

  /**
   * Offers to the server. Offers go one after the other; calls that come while one waits for its
   * turn share it.
   */
  negotiate(iceRestart = false): Promise<void> {
    if (this.queued) {
      this.queued.iceRestart ||= iceRestart;
      return this.queued.done;
    }
    const queued = { iceRestart, done: Promise.resolve() };
    this.queued = queued;
    const run = this.chain.then(async () => {
      this.queued = null;
      if (!this.closed) await this.exchange(queued.iceRestart);
    });
    queued.done = run;
    this.chain = run.catch(() => {});
    return run;
  }

  /** Seeks a new path; gives up as `dead` when none is found in time. */
  restart(): void {
    if (this.closed) return;
    this.expectConnection();
    this.negotiate(true).catch((error: Error) => this.die(error));
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.pc.onconnectionstatechange = null;
    this.pc.close();
  }

  private addSender(source: Source): RTCRtpTransceiver {
    const init: RTCRtpTransceiverInit = { direction: 'sendonly' };
    const { publish = {} } = this.options;
    const encodings = encodingsFor(source, publish);
    if (encodings) init.sendEncodings = encodings;
    const transceiver = this.pc.addTransceiver(KIND[source], init);
    if (publish.codec && source === 'camera') preferCodec(transceiver, publish.codec);
    if (encodings) {
      const simulcast = encodings.length > 1;
      this.switches.set(source, new LayerSwitch(transceiver.sender, simulcast));
    }
    this.senders.set(source, transceiver);
    return transceiver;
  }

  private async exchange(iceRestart: boolean): Promise<void> {
    const offer = await this.pc.createOffer({ iceRestart });
    await this.pc.setLocalDescription(offer);
    const tracks: Record<string, Source> = {};
    for (const [source, transceiver] of this.senders) {
      if (transceiver.mid && transceiver.direction === 'sendonly') tracks[transceiver.mid] = source;
    }
    try {
      // The server is ICE-lite and learns our addresses from our checks: nothing to wait for.
      const sdp = await this.options.offer(compact(offer.sdp ?? ''), tracks);
      if (!this.closed) await this.pc.setRemoteDescription({ type: 'answer', sdp });
    } catch (error) {
      if (!this.closed && this.pc.signalingState === 'have-local-offer') {
        await this.pc.setLocalDescription({ type: 'rollback' });
      }
      throw error;
    }
  }

  private expectConnection(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.die(new Error('no media connection')), CONNECT_MS);
  }

  private stateChanged(): void {
    if (this.closed) return;
    switch (this.pc.connectionState) {
      case 'connected':
        clearTimeout(this.timer);
        this.wasUp = true;
        this.emit('up', undefined);
        break;
      case 'disconnected':
        clearTimeout(this.timer);
        this.timer = setTimeout(() => {
          this.emit('interrupted', undefined);
          this.restart();
        }, DISCONNECTED_MS);
        break;
      case 'failed':
        if (!this.wasUp) {
          this.die(new Error('no media connection'));
          break;
        }
        this.emit('interrupted', undefined);
        this.restart();
        break;
      default:
        break;
    }
  }

  private die(error: Error): void {
    if (this.closed) return;
    this.close();
    this.emit('dead', { error });
  }
}
