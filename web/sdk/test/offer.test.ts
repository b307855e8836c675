import { describe, expect, it } from 'vitest';
import { compact, isForwarded } from '../src/offer.js';

const lines = (...text: string[]) => text.map((line) => `${line}\r\n`).join('');

describe('offers', () => {
  it('name codecs the server forwards', () => {
    const offered = (mimeType: string, sdpFmtpLine?: string) =>
      isForwarded(sdpFmtpLine === undefined ? { mimeType } : { mimeType, sdpFmtpLine });
    expect(offered('audio/opus', 'minptime=10')).toBe(true);
    expect(offered('audio/PCMU')).toBe(false);
    expect(offered('video/VP9')).toBe(true);
    expect(offered('video/VP9', 'profile-id=2')).toBe(false);
    expect(offered('video/AV1', 'level-idx=5;profile=0;tier=0')).toBe(true);
    expect(offered('video/AV1', 'level-idx=5;profile=1;tier=0')).toBe(false);
    expect(offered('video/H264', 'packetization-mode=1;profile-level-id=42e01f')).toBe(true);
    expect(offered('video/H264', 'packetization-mode=0;profile-level-id=42e01f')).toBe(false);
    expect(offered('video/H264', 'packetization-mode=1;profile-level-id=64001f')).toBe(false);
  });

  it('are sent without what a bundle repeats and the server does not read', () => {
    const transport = ['a=ice-ufrag:abcd', 'a=ice-pwd:secret', 'a=fingerprint:sha-256 00:11'];
    const sending = [
      'm=video 9 UDP/TLS/RTP/SAVPF 96',
      ...transport,
      'a=mid:0',
      'a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
      'a=sendonly',
      'a=rtcp-fb:96 goog-remb',
      'a=ssrc:1 cname:x',
    ];
    const kept = [
      'm=video 9 UDP/TLS/RTP/SAVPF 96',
      'a=mid:1',
      'a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid',
      'a=recvonly',
      'a=rtcp-mux',
      'a=rtcp-fb:96 nack pli',
    ];
    const dropped = [
      ...transport,
      'a=rtcp:9 IN IP4 0.0.0.0',
      'a=extmap:10 urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id',
      'a=rtcp-fb:96 goog-remb',
      'a=rtcp-fb:97 nack',
      'a=ssrc:2 cname:x',
    ];
    const session = ['v=0', 'a=group:BUNDLE 0 1'];
    const whole = lines(...session, ...sending, ...kept, ...dropped);
    expect(compact(whole)).toBe(lines(...session, ...sending, ...kept));
  });

  it('keep the transport of m-lines outside of a bundle', () => {
    const offer = lines('v=0', 'm=audio 9 x 111', 'a=mid:a', 'a=ice-ufrag:abcd', 'a=sendonly');
    expect(compact(offer)).toBe(offer);
  });
});
