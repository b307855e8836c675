import type { Kind } from './messages.js';

/** The largest message the server takes (contract 8.1). */
export const MAX_MESSAGE_BYTES = 64 * 1024;

/** A codec as browsers tell it. */
interface Capability {
  mimeType: string;
  sdpFmtpLine?: string;
}

/** Whether the server forwards this codec. What it does not would only make offers longer. */
export function isForwarded({ mimeType, sdpFmtpLine = '' }: Capability): boolean {
  switch (mimeType.toLowerCase()) {
    case 'audio/opus':
    case 'audio/red':
    case 'video/vp8':
    case 'video/rtx':
      return true;
    case 'video/vp9':
      return !/profile-id=[1-9]/.test(sdpFmtpLine);
    case 'video/av1':
      return !/\bprofile=[1-9]/.test(sdpFmtpLine);
    case 'video/h264':
      // Constrained baseline, the one profile that every browser sends.
      return /packetization-mode=1/.test(sdpFmtpLine) && /profile-level-id=42e0/i.test(sdpFmtpLine);
    default:
      return false;
  }
}

/** Lets a receiving m-line name only what the server forwards. */
export function preferForwarded(transceiver: RTCRtpTransceiver, kind: Kind): void {
  const all = globalThis.RTCRtpReceiver?.getCapabilities?.(kind)?.codecs ?? [];
  const codecs = all.filter(isForwarded);
  if (codecs.some((codec) => !/\/(rtx|red)$/i.test(codec.mimeType))) {
    transceiver.setCodecPreferences?.(codecs);
  }
}

/** Extensions a slot has no use for: layers, their allocation, and timing of the sender's own. */
const UNUSED_EXTENSIONS =
  /sdes:rtp-stream-id|sdes:repaired-rtp-stream-id|video-layers-allocation|video-timing|toffset|csrc-audio-level/;
/** The same in each m-line of a bundle; the first one's hold for all (RFC 8843 7.1.3). */
const TRANSPORT =
  /^a=(ice-ufrag|ice-pwd|ice-options|fingerprint|setup|candidate|end-of-candidates)\b/;

/**
 * An offer as it is sent: without what a bundled or receiving m-line repeats and the server does
 * not read. The answer to it fits the whole offer too.
 */
export function compact(sdp: string): string {
  const [session = '', ...sections] = sdp.split(/^(?=m=)/m);
  const group = /^a=group:BUNDLE (.*?)\r?$/m.exec(session)?.[1]?.split(' ') ?? [];
  return session + sections.map((section) => compactSection(section, group)).join('');
}

function compactSection(section: string, group: string[]): string {
  const mid = /^a=mid:(.*?)\r?$/m.exec(section)?.[1] ?? '';
  const follows = group.indexOf(mid) > 0;
  const receives = /^a=recvonly\r?$/m.test(section);
  const formats = new Set(/^m=\S+ \S+ \S+ (.*?)\r?$/m.exec(section)?.[1]?.split(' '));
  const lines = section.split(/(?<=\n)/).filter((line) => {
    if (/^a=(rtcp|rtcp-xr):/.test(line)) return false;
    if (follows && TRANSPORT.test(line)) return false;
    if (!receives) return true;
    if (/^a=(ssrc|ssrc-group|msid):/.test(line)) return false;
    if (/^a=extmap:/.test(line)) return !UNUSED_EXTENSIONS.test(line);
    const feedback = /^a=rtcp-fb:(\S+) (\S+)/.exec(line);
    // Firefox names feedback for formats that it does not offer.
    return !feedback || (formats.has(feedback[1] ?? '') && feedback[2] !== 'goog-remb');
  });
  return lines.join('');
}
