//! Hostile and broken input: a clear error or a lawful answer, never a panic.
mod common;

use common::{AUDIO, CHROMIUM, FIREFOX, HEAD, VIDEO, assert_follows_the_rules, media, transport};
use std::collections::BTreeMap;
use weir_sdp::{Capabilities, SdpError, SessionId, negotiate, parse_offer, write_answer};

/// An answer, or why there is none.
fn attempt(text: &str) -> Result<String, SdpError> {
    let offer = parse_offer(text)?;
    let desc = negotiate(&offer, &Capabilities::default(), &BTreeMap::new())?;
    let session = SessionId { id: 1, version: 1 };
    Ok(write_answer(&offer, &desc, &transport(), &media(&desc), &session))
}

fn error(text: &str) -> String {
    attempt(text).unwrap_err().to_string()
}

/// xorshift64: the same sequence everywhere.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % bound as u64).unwrap()
    }
}

#[test]
fn truncated_anywhere() {
    for offer in [CHROMIUM, FIREFOX] {
        for end in (0..offer.len()).step_by(50) {
            let cut = &offer[..end];
            if let Ok(answer) = attempt(cut) {
                assert_follows_the_rules(cut, &answer);
            }
        }
    }
}

#[test]
fn lines_missing_doubled_and_damaged() {
    let mut random = Seeded(0x5EED_0001);
    for offer in [CHROMIUM, FIREFOX] {
        for _ in 0..400 {
            let mut lines: Vec<String> = offer.lines().map(str::to_owned).collect();
            for _ in 0..=random.below(12) {
                let at = random.below(lines.len());
                match random.below(3) {
                    0 => drop(lines.remove(at)),
                    1 => {
                        let line = lines[at].clone();
                        lines.insert(random.below(lines.len()), line);
                    }
                    _ => {
                        let mut bytes = lines[at].clone().into_bytes();
                        if !bytes.is_empty() {
                            let position = random.below(bytes.len());
                            bytes[position] = 32 + u8::try_from(random.below(94)).unwrap();
                        }
                        lines[at] = String::from_utf8(bytes).unwrap();
                    }
                }
            }
            let text = lines.join("\r\n");
            if let Ok(answer) = attempt(&text) {
                assert_follows_the_rules(&text, &answer);
            }
        }
    }
}

#[test]
fn too_large() {
    let huge = format!("{CHROMIUM}{}", "a=x:y\r\n".repeat(40_000));
    assert!(matches!(parse_offer(&huge), Err(SdpError::TooLong { max: 262_144, .. })));
    let many = format!("{HEAD}{}", "m=audio 9 RTP/AVP 0\r\n".repeat(600));
    assert!(matches!(parse_offer(&many), Err(SdpError::TooManyMediaLines { count: 600, .. })));
}

#[test]
fn not_sdp_at_all() {
    for text in
        ["", "hello", "{\"type\":\"offer\"}", "v=0", "\0\0\0", "m=audio", "v=0\r\n\u{1F600}"]
    {
        assert!(matches!(parse_offer(text), Err(SdpError::Syntax(_))), "{text:?}");
    }
}

#[test]
fn the_place_is_named() {
    let double = format!("{HEAD}a=group:BUNDLE a\r\n{AUDIO}a=mid:a\r\n{VIDEO}a=mid:a\r\n");
    assert_eq!(error(&double), "m-line 1: a=mid: a is also the mid of m-line 0");
    let lone = format!("{HEAD}{AUDIO}");
    let without = |key: &str| -> String {
        lone.lines().filter(|line| !line.starts_with(key)).map(|l| format!("{l}\r\n")).collect()
    };
    assert_eq!(error(&without("a=fingerprint")), "m-line 0: a=fingerprint: missing");
    assert_eq!(error(&without("a=ice-ufrag")), "m-line 0: a=ice-ufrag: missing");
    assert_eq!(error(&without("a=ice-pwd")), "m-line 0: a=ice-pwd: missing");
    assert!(error(&without("a=rtcp-mux")).contains("m-line 0 (audio): a=rtcp-mux is missing"));
    assert!(error(&without("a=rtpmap")).contains("no codec in common"));
    let changed = |from: &str, to: &str| error(&lone.replace(from, to));
    assert!(changed("UDP/TLS/RTP/SAVPF", "RTP/AVP").contains("transport protocol"));
    assert!(
        changed("setup:actpass", "setup:holdconn").contains("session level: a=setup: holdconn")
    );
    assert!(changed("ice-ufrag:abcd", "ice-ufrag:a").contains("1 characters"));
    assert!(changed("ice-ufrag:abcd", "ice-ufrag:ab:cd").contains("not allowed"));
    assert!(changed("1E:1F", "1E").contains("wrong length"));
    assert!(changed("1E:1F", "1E:GG").contains("hexadecimal"));
    assert!(changed("sha-256 ", "md5 ").contains("none uses sha-1"));
    assert!(
        error(&format!("{HEAD}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"))
            .contains("only audio and video")
    );
}

#[test]
fn a_strangers_text_is_not_repeated_at_length() {
    let long = format!("v=0\r\no={}", "x".repeat(10_000));
    assert!(error(&long).len() < 200);
}
