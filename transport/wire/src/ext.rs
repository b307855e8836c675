//! Values of header extensions.

/// `urn:ietf:params:rtp-hdrext:ssrc-audio-level`.
pub const AUDIO_LEVEL_URI: &str = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";
/// Absolute send time.
pub const ABS_SEND_TIME_URI: &str = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
/// Transport-wide sequence numbers, version 1.
pub const TRANSPORT_CC_URI: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
/// Coordination of video orientation (3GPP TS 26.114).
pub const VIDEO_ORIENTATION_URI: &str = "urn:3gpp:video-orientation";
/// Media section (RFC 9143).
pub const MID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:mid";
/// Simulcast layer (RFC 8852).
pub const RID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";
/// Simulcast layer that an RTX packet repairs (RFC 8852).
pub const REPAIRED_RID_URI: &str = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
/// AV1 dependency descriptor, see [`crate::dd`].
pub const DEPENDENCY_DESCRIPTOR_URI: &str =
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension";

/// Client-to-mixer audio level (RFC 6464).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AudioLevel {
    /// The sender's voice detector says speech.
    pub voice: bool,
    /// -dBov: 0 is loudest, 127 silence.
    pub level: u8,
}

impl AudioLevel {
    /// Reads the extension's value.
    #[must_use]
    pub fn read(value: &[u8]) -> Option<Self> {
        let byte = value.first()?;
        Some(Self { voice: byte & 0x80 != 0, level: byte & 0x7f })
    }

    /// The extension's value.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 1] {
        [(u8::from(self.voice) << 7) | self.level.min(127)]
    }
}

/// The 24 bits of absolute send time (6.18 fixed point seconds, wraps every 64 s) for a clock in
/// microseconds, rounded to nearest as libwebrtc does.
#[must_use]
pub fn abs_send_time_from_us(us: u64) -> u32 {
    let wrapped = us % 64_000_000;
    let ticks = (wrapped << 18).saturating_add(500_000) / 1_000_000;
    let [.., a, b, c] = ticks.to_be_bytes();
    u32::from_be_bytes([0, a, b, c])
}

/// Microseconds (0 to 64 s) of 24 bits of absolute send time.
#[must_use]
pub fn abs_send_time_to_us(ticks: u32) -> u64 {
    (u64::from(ticks & 0x00ff_ffff).saturating_mul(1_000_000)) >> 18
}

/// The extension's value for absolute send time, see [`abs_send_time_from_us`].
#[must_use]
pub fn abs_send_time_bytes(us: u64) -> [u8; 3] {
    let [_, a, b, c] = abs_send_time_from_us(us).to_be_bytes();
    [a, b, c]
}

/// Reads absolute send time as 24-bit ticks.
#[must_use]
pub fn read_abs_send_time(value: &[u8]) -> Option<u32> {
    let [a, b, c, ..] = *value else { return None };
    Some(u32::from_be_bytes([0, a, b, c]))
}

/// Reads a transport-wide sequence number.
#[must_use]
pub fn read_transport_cc(value: &[u8]) -> Option<u16> {
    let [a, b, ..] = *value else { return None };
    Some(u16::from_be_bytes([a, b]))
}

/// The extension's value for a transport-wide sequence number.
#[must_use]
pub fn transport_cc_bytes(sequence_number: u16) -> [u8; 2] {
    sequence_number.to_be_bytes()
}

/// How the receiver must turn the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct VideoOrientation {
    /// From the back-facing camera.
    pub back_camera: bool,
    /// To be mirrored horizontally.
    pub flip: bool,
    /// Clockwise: 0, 90, 180 or 270 degrees.
    pub rotation: u16,
}

impl VideoOrientation {
    /// Reads the extension's value.
    #[must_use]
    pub fn read(value: &[u8]) -> Option<Self> {
        let byte = value.first()?;
        let rotation = match byte & 3 {
            0 => 0,
            1 => 90,
            2 => 180,
            _ => 270,
        };
        Some(Self { back_camera: byte & 8 != 0, flip: byte & 4 != 0, rotation })
    }

    /// The extension's value; a rotation other than the four is taken as 0.
    #[must_use]
    pub fn to_bytes(self) -> [u8; 1] {
        let turn = match self.rotation {
            90 => 1,
            180 => 2,
            270 => 3,
            _ => 0,
        };
        [(u8::from(self.back_camera) << 3) | (u8::from(self.flip) << 2) | turn]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn audio_level() {
        let level = AudioLevel::read(&[0xaa]).unwrap();
        assert_eq!(level, AudioLevel { voice: true, level: 42 });
        assert_eq!(level.to_bytes(), [0xaa]);
        assert_eq!(AudioLevel::read(&[127]).unwrap(), AudioLevel { voice: false, level: 127 });
        assert_eq!(AudioLevel::read(&[]), None);
    }

    #[test]
    fn absolute_send_time_is_seconds_with_18_bits_of_fraction() {
        assert_eq!(abs_send_time_from_us(0), 0);
        assert_eq!(abs_send_time_from_us(1_000_000), 1 << 18);
        assert_eq!(abs_send_time_from_us(65_000_000), 1 << 18);
        assert_eq!(abs_send_time_from_us(63_999_999), 0, "rounds up into the wrap");
        assert_eq!(abs_send_time_from_us(u64::MAX) >> 24, 0);
        assert_eq!(abs_send_time_to_us(1 << 18), 1_000_000);
        assert_eq!(read_abs_send_time(&abs_send_time_bytes(500_000)), Some(1 << 17));
        assert_eq!(read_abs_send_time(&[1, 2]), None);
    }

    #[test]
    fn transport_wide_sequence_number() {
        assert_eq!(read_transport_cc(&transport_cc_bytes(0xfffe)), Some(0xfffe));
        assert_eq!(read_transport_cc(&[1]), None);
    }

    #[test]
    fn video_orientation() {
        for byte in 0..16_u8 {
            assert_eq!(VideoOrientation::read(&[byte]).unwrap().to_bytes(), [byte]);
        }
        assert_eq!(VideoOrientation::read(&[1]).unwrap().rotation, 90);
        assert_eq!(VideoOrientation::read(&[]), None);
    }
}
