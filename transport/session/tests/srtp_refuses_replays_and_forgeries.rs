use crate::common::rtp_packet;
use crate::srtp_agrees_with_rtc_srtp::{ALL, master, session};
use weir_session::SrtpError;
use weir_session::srtp::SrtpSession;
use weir_sfu_api::SrtpProfile;

/// The other end of [`session`].
fn peer(profile: SrtpProfile) -> SrtpSession {
    SrtpSession::new(profile, &master(profile, 2), &master(profile, 1)).unwrap()
}

fn seal(from: &SrtpSession, index: u64) -> Vec<u8> {
    let plain = rtp_packet(5, index as u16, b"some payload");
    let mut out = [0; 200];
    let len = from.seal_rtp(index, &plain[..12], [&[], &plain[12..]], 0, &mut out).unwrap();
    out[..len].to_vec()
}

fn open(at: &mut SrtpSession, packet: &[u8]) -> Result<u64, SrtpError> {
    let seq = u16::from_be_bytes([packet[2], packet[3]]);
    let ssrc = u32::from_be_bytes(packet[8..12].try_into().unwrap());
    at.open_rtp(ssrc, seq, 12, packet, &mut [0; 200]).map(|opened| opened.index)
}

#[test]
fn a_packet_opens_once_and_late_packets_open_within_the_window() {
    for (profile, _) in ALL {
        let (from, mut to) = (peer(profile), session(profile));
        for index in [65_530, 65_540, 65_535, 66_000] {
            let packet = seal(&from, index);
            assert_eq!(open(&mut to, &packet), Ok(index), "{profile:?}");
            assert_eq!(open(&mut to, &packet), Err(SrtpError::Replayed));
        }
        assert_eq!(open(&mut to, &seal(&from, 67_100)), Ok(67_100));
        assert_eq!(open(&mut to, &seal(&from, 66_077)), Ok(66_077), "1023 behind");
        assert_eq!(open(&mut to, &seal(&from, 66_076)), Err(SrtpError::Replayed));
    }
}

#[test]
fn every_flipped_bit_is_noticed_and_leaves_no_state() {
    for (profile, _) in ALL {
        let (from, mut to) = (peer(profile), session(profile));
        let good = seal(&from, 100);
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 1;
            assert_eq!(open(&mut to, &bad), Err(SrtpError::Authentication), "{profile:?} {at}");
            if at >= 12 {
                assert!(open(&mut to, &good[..at]).is_err());
            }
        }
        assert_eq!(open(&mut to, &good), Ok(100), "forgeries did not touch the window");
    }
}

#[test]
fn control_packets_open_once_and_only_unaltered() {
    for (profile, _) in ALL {
        let (mut from, mut to) = (peer(profile), session(profile));
        let report = [0x80, 201, 0, 1, 0, 0, 0, 5, 0x81, 206, 0, 2, 0, 0, 0, 5, 0, 0, 0, 9];
        let mut out = [0; 200];
        let len = from.seal_rtcp(&report, &mut out).unwrap();
        let good = out[..len].to_vec();
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x80;
            assert!(to.open_rtcp(&bad, &mut out).is_err(), "{profile:?} {at}");
            assert!(to.open_rtcp(&good[..at], &mut out).is_err());
        }
        assert_eq!(to.open_rtcp(&good, &mut out), Ok(report.len()));
        assert_eq!(to.open_rtcp(&good, &mut out), Err(SrtpError::Replayed));
    }
}

#[test]
fn buffers_that_are_too_small_are_refused() {
    for (profile, _) in ALL {
        let (mut from, mut to) = (peer(profile), session(profile));
        let packet = seal(&from, 1);
        assert_eq!(to.open_rtp(5, 1, 12, &packet, &mut [0; 20]), Err(SrtpError::OutputTooSmall));
        assert_eq!(from.seal_rtp(1, &packet[..12], [&[], b"1234"], 0, &mut [0; 19]), None);
        assert_eq!(from.seal_rtp(1 << 48 | 1, &packet[..12], [&[], b""], 0, &mut [0; 99]), None);
        assert_eq!(from.seal_rtcp(&[0x80, 201, 0, 1, 0, 0, 0, 1], &mut [0; 20]), None);
        assert_eq!(from.seal_rtcp(&[0x80, 201, 0, 0], &mut [0; 99]), None);
    }
}
