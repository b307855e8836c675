import type { SlotMessage } from './messages.js';
import { type ConnectionStats, compare, type StatsSample, sampleOf } from './quality.js';
import { type Speaker, SpeakerDetector } from './speakers.js';

/** Somebody to be heard. */
export interface Voice {
  userId: number;
  receiver: RTCRtpReceiver;
}

/** Where a monitor looks and what it tells. */
export interface MonitorPorts {
  /** Null while there is nothing to measure. */
  connection: () => RTCPeerConnection | null;
  voices: () => Voice[];
  stats: (stats: ConnectionStats) => void;
  speakers: (speakers: Speaker[]) => void;
}

const STATS_EVERY_MS = 2_000;
const LEVELS_EVERY_MS = 200;

/** Looks at the connection from time to time: its numbers, and who speaks until the server tells. */
export class Monitor {
  private readonly detector = new SpeakerDetector();
  private told = false;
  private last: StatsSample | null = null;
  private timers: ReturnType<typeof setInterval>[] = [];

  constructor(
    private readonly ports: MonitorPorts,
    private readonly statsEveryMs = STATS_EVERY_MS,
  ) {}

  start(): void {
    if (this.timers.length > 0) return;
    this.timers = [
      setInterval(() => void this.measure(), this.statsEveryMs),
      setInterval(() => this.listen(), LEVELS_EVERY_MS),
    ];
  }

  stop(): void {
    for (const timer of this.timers) clearInterval(timer);
    this.timers = [];
  }

  /** A new connection counts from zero. */
  reset(): void {
    this.last = null;
  }

  /** The server tells who speaks: nobody else has to listen. */
  serverSpeaks(): void {
    this.told = true;
  }

  private async measure(): Promise<void> {
    const pc = this.ports.connection();
    if (!pc) return;
    const entries: unknown[] = [];
    (await pc.getStats()).forEach((entry) => {
      entries.push(entry);
    });
    const sample = sampleOf(entries);
    if (this.last) this.ports.stats(compare(this.last, sample));
    this.last = sample;
  }

  private listen(): void {
    if (this.told) return;
    const levels = this.ports.voices().map(({ userId, receiver }) => ({
      userId,
      level: receiver.getSynchronizationSources()[0]?.audioLevel ?? 0,
    }));
    const speakers = this.detector.update(levels, performance.now());
    if (speakers) this.ports.speakers(speakers);
  }
}

/** Who is to be heard, by the receivers of their sound. */
export function voicesOf(
  slots: readonly SlotMessage[],
  receiverOf: (mid: string) => RTCRtpReceiver | undefined,
): Voice[] {
  return slots.flatMap((slot) => {
    const receiver = receiverOf(slot.mid);
    const heard = slot.kind === 'audio' && typeof slot.user_id === 'number' && receiver;
    return heard ? [{ userId: slot.user_id as number, receiver }] : [];
  });
}
