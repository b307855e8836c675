/** How good the connection is. */
export type Quality = 'unknown' | 'good' | 'fair' | 'poor' | 'lost';

/** What the connection does, over the time since the sample before. */
export interface ConnectionStats {
  quality: Quality;
  /** Round trip to the server in milliseconds; null while unknown. */
  rttMs: number | null;
  /** Fraction of packets lost on the way here, 0 to 1. */
  lossIn: number;
  /** Fraction of packets lost on the way to the server, 0 to 1, by its reports. */
  lossOut: number;
  /** Received bits a second. */
  bitrateIn: number;
  /** Sent bits a second. */
  bitrateOut: number;
  /** Video frames decoded a second, over all slots. */
  framesPerSecond: number;
  /** Freezes seen since the sample before. */
  freezes: number;
}

/** Counters since the connection began, from one `getStats()`. */
export interface StatsSample {
  atMs: number;
  bytesIn: number;
  bytesOut: number;
  packetsIn: number;
  packetsLost: number;
  framesDecoded: number;
  freezes: number;
  rttMs: number | null;
  lossOut: number;
}

interface StatsEntry {
  type: string;
  timestamp: number;
  [key: string]: unknown;
}

const num = (value: unknown): number => (typeof value === 'number' ? value : 0);

/** Adds up one stats report. */
export function sampleOf(entries: Iterable<unknown>): StatsSample {
  const sample: StatsSample = {
    atMs: 0,
    bytesIn: 0,
    bytesOut: 0,
    packetsIn: 0,
    packetsLost: 0,
    framesDecoded: 0,
    freezes: 0,
    rttMs: null,
    lossOut: 0,
  };
  for (const raw of entries) {
    const entry = raw as StatsEntry;
    sample.atMs = Math.max(sample.atMs, entry.timestamp);
    if (entry.type === 'candidate-pair' && entry.nominated && entry.state === 'succeeded') {
      const rtt = entry.currentRoundTripTime;
      if (typeof rtt === 'number') sample.rttMs = rtt * 1000;
    } else if (entry.type === 'inbound-rtp') {
      sample.bytesIn += num(entry.bytesReceived);
      sample.packetsIn += num(entry.packetsReceived);
      sample.packetsLost += Math.max(0, num(entry.packetsLost));
      sample.framesDecoded += num(entry.framesDecoded);
      sample.freezes += num(entry.freezeCount);
    } else if (entry.type === 'outbound-rtp') {
      sample.bytesOut += num(entry.bytesSent);
    } else if (entry.type === 'remote-inbound-rtp') {
      sample.lossOut = Math.max(sample.lossOut, num(entry.fractionLost));
    }
  }
  return sample;
}

/** Rates between two samples. */
export function compare(before: StatsSample, after: StatsSample): ConnectionStats {
  const seconds = Math.max(0.001, (after.atMs - before.atMs) / 1000);
  const rate = (a: number, b: number) => Math.max(0, b - a) / seconds;
  const lost = Math.max(0, after.packetsLost - before.packetsLost);
  const received = Math.max(0, after.packetsIn - before.packetsIn);
  const stats: ConnectionStats = {
    quality: 'unknown',
    rttMs: after.rttMs,
    lossIn: lost + received > 0 ? lost / (lost + received) : 0,
    lossOut: Math.min(1, after.lossOut),
    bitrateIn: rate(before.bytesIn, after.bytesIn) * 8,
    bitrateOut: rate(before.bytesOut, after.bytesOut) * 8,
    framesPerSecond: rate(before.framesDecoded, after.framesDecoded),
    freezes: Math.max(0, after.freezes - before.freezes),
  };
  stats.quality = judge(stats);
  return stats;
}

/** One word for it all. Below 3 % loss and 250 ms nobody notices; above 10 % or 600 ms all do. */
export function judge(stats: Pick<ConnectionStats, 'rttMs' | 'lossIn' | 'lossOut'>): Quality {
  if (stats.rttMs === null) return 'unknown';
  const loss = Math.max(stats.lossIn, stats.lossOut);
  if (loss > 0.1 || stats.rttMs > 600) return 'poor';
  if (loss > 0.03 || stats.rttMs > 250) return 'fair';
  return 'good';
}
