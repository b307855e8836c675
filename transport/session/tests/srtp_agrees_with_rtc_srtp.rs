use crate::common::rtp_packet;
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;
use weir_session::srtp::{MasterKey, SrtpSession, key_and_salt_len};
use weir_sfu_api::SrtpProfile;
use weir_wire::rtp::parse_header;

pub const ALL: [(SrtpProfile, ProtectionProfile); 4] = [
    (SrtpProfile::AeadAes128Gcm, ProtectionProfile::AeadAes128Gcm),
    (SrtpProfile::AeadAes256Gcm, ProtectionProfile::AeadAes256Gcm),
    (SrtpProfile::Aes128CmHmacSha1_80, ProtectionProfile::Aes128CmHmacSha1_80),
    (SrtpProfile::Aes128CmHmacSha1_32, ProtectionProfile::Aes128CmHmacSha1_32),
];

pub fn master(profile: SrtpProfile, first: u8) -> MasterKey {
    let (key, salt) = key_and_salt_len(profile);
    MasterKey {
        key: (0..key as u8).map(|i| i.wrapping_mul(7) ^ first).collect(),
        salt: (0..salt as u8).map(|i| i.wrapping_mul(13) ^ first).collect(),
    }
}

pub fn session(profile: SrtpProfile) -> SrtpSession {
    SrtpSession::new(profile, &master(profile, 1), &master(profile, 2)).unwrap()
}

fn context(profile: ProtectionProfile, master: &MasterKey) -> Context {
    let provider = rtc_crypto::default_provider().unwrap();
    Context::new(&master.key, &master.salt, profile, None, None, provider.crypto()).unwrap()
}

fn packet(ssrc: u32, seq: u16, size: usize, extended: bool) -> Vec<u8> {
    let payload: Vec<u8> = (0..size).map(|i| (i * 31) as u8).collect();
    let mut packet = rtp_packet(ssrc, seq, &payload);
    if extended {
        // One CSRC and a one-byte extension.
        packet[0] = 0x91;
        packet.splice(12..12, [1, 2, 3, 4, 0xbe, 0xde, 0, 1, 0x30, 0xaa, 0, 0]);
    }
    packet
}

#[test]
fn what_it_seals_opens_and_the_other_way_round_across_rollovers() {
    for (profile, theirs) in ALL {
        let mut ours = session(profile);
        let mut open = context(theirs, &master(profile, 1));
        let mut seal = context(theirs, &master(profile, 2));
        let mut out = [0; 2_000];
        for step in 0..400_u64 {
            // Three rollovers in strides that stay below half the number space.
            let index = 65_000 + step * 509;
            let plain = packet(0xdead_beef, index as u16, 1 + step as usize, step % 3 == 0);
            let header = parse_header(&plain).unwrap();
            let (head, body) = plain.split_at(header.header_len);
            let (prefix, rest) = body.split_at((step % 2) as usize);

            let len = ours.seal_rtp(index, head, [prefix, rest], 0, &mut out).unwrap();
            assert_eq!(len, plain.len() + ours.rtp_overhead());
            assert_eq!(
                open.decrypt_rtp(&out[..len]).unwrap().to_vec(),
                plain,
                "{profile:?} {step}"
            );

            let sealed = seal.encrypt_rtp(&plain).unwrap();
            let opened = ours
                .open_rtp(header.ssrc, header.sequence_number, header.header_len, &sealed, &mut out)
                .unwrap();
            assert_eq!(out[..opened.len].to_vec(), plain, "{profile:?} {step}");
            assert_eq!(opened.index, index);
        }
    }
}

#[test]
fn padding_is_appended_and_counted_in_its_last_byte() {
    for (profile, theirs) in ALL {
        let ours = session(profile);
        let mut open = context(theirs, &master(profile, 1));
        for padding in [1, 7, 32, 255_u8] {
            for prefix in [&b""[..], b"xy"] {
                let seq = u16::from(padding) + 256 * prefix.len() as u16;
                let mut plain = packet(9, seq, 100, false);
                plain[0] |= 0x20;
                let mut out = [0; 600];
                let body = &plain[12..];
                let len = ours
                    .seal_rtp(u64::from(seq), &plain[..12], [prefix, body], padding, &mut out)
                    .unwrap();
                let mut expected = plain[..12].to_vec();
                expected.extend(prefix);
                expected.extend(body);
                expected.extend(vec![0; usize::from(padding) - 1]);
                expected.push(padding);
                assert_eq!(len, expected.len() + ours.rtp_overhead());
                assert_eq!(open.decrypt_rtp(&out[..len]).unwrap().to_vec(), expected);
            }
        }
    }
}

#[test]
fn control_packets_agree_both_ways() {
    for (profile, theirs) in ALL {
        let mut ours = session(profile);
        let mut open = context(theirs, &master(profile, 1));
        let mut seal = context(theirs, &master(profile, 2));
        let mut out = [0; 600];
        for count in 0..40_u32 {
            let ssrc = 0x0102_0304 + count % 3;
            let mut compound = vec![0x80, 201, 0, 1];
            compound.extend(ssrc.to_be_bytes());
            for word in 0..count {
                // Application packets of one word each.
                compound.extend([0x80, 204, 0, 2, 0, 0, 0, 9]);
                compound.extend(word.to_be_bytes());
            }
            let len = ours.seal_rtcp(&compound, &mut out).unwrap();
            assert_eq!(len, compound.len() + ours.rtcp_overhead());
            assert_eq!(open.decrypt_rtcp(&out[..len]).unwrap().to_vec(), compound, "{profile:?}");
            let sealed = seal.encrypt_rtcp(&compound).unwrap();
            let len = ours.open_rtcp(&sealed, &mut out).unwrap();
            assert_eq!(out[..len].to_vec(), compound, "{profile:?}");
        }
    }
}
