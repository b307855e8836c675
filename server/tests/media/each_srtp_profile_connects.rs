//! A client that offers one SRTP profile only gets it, and is understood by one with another. A
//! server that agrees to one only is understood by both kinds of client.

use crate::harness::{Person, Rtc, Server, Source, Str0m, Wish};
use rtc::dtls::extension::extension_use_srtp::SrtpProtectionProfile;

/// str0m cannot be told what to offer: the server is.
fn both_connect_with(profile: &str) {
    let server = Server::start_with(&[("WEIR__MEDIA__SRTP_PROFILES", profile)]);
    let (anna, ben) = (server.user("anna"), server.user("ben"));
    let meeting = server.meeting(&anna);
    let anna = Person::join(&server, &anna, meeting, Rtc::default(), Wish::CALL);
    let ben = Person::join(&server, &ben, meeting, Str0m::default(), Wish::CALL);
    for (one, other) in [(&anna, &ben), (&ben, &anna)] {
        one.watches(other, &[Source::Microphone, Source::Camera], 25);
        one.has_all_of(other, Source::Microphone);
        one.has_all_of(other, Source::Camera);
    }
    let label = format!("profile=\"{}\"", profile.to_lowercase());
    let metrics = server.metrics();
    let agreed = metrics.sum("weir_handshakes_total", &["result=\"ok\"", &label]);
    assert!(agreed >= 2.0, "{metrics:?}");
    server.nothing_was_dropped();
}

#[test]
fn rtc_and_str0m_agree_to_gcm_with_128_bits() {
    both_connect_with("AEAD_AES_128_GCM");
}

#[test]
fn rtc_and_str0m_agree_to_gcm_with_256_bits() {
    both_connect_with("AEAD_AES_256_GCM");
}

#[test]
fn rtc_and_str0m_agree_to_cm_with_80_bits() {
    both_connect_with("AES128_CM_HMAC_SHA1_80");
}

fn connects_with(profile: SrtpProtectionProfile, label: &str) {
    let server = Server::start();
    let (anna, ben) = (server.user("anna"), server.user("ben"));
    let meeting = server.meeting(&anna);
    let only = Rtc { profiles: vec![profile], ..Rtc::default() };
    let anna = Person::join(&server, &anna, meeting, only, Wish::CALL);
    let ben = Person::join(&server, &ben, meeting, Str0m::default(), Wish::CALL);
    for (one, other) in [(&anna, &ben), (&ben, &anna)] {
        one.watches(other, &[Source::Microphone, Source::Camera], 25);
        one.has_all_of(other, Source::Microphone);
        one.has_all_of(other, Source::Camera);
    }
    let label = format!("profile=\"{label}\"");
    let metrics = server.metrics();
    assert!(metrics.sum("weir_handshakes_total", &["result=\"ok\"", &label]) >= 1.0, "{metrics:?}");
    server.nothing_was_dropped();
}

#[test]
fn aead_aes_128_gcm() {
    connects_with(SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm, "aead_aes_128_gcm");
}

#[test]
fn aead_aes_256_gcm() {
    connects_with(SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm, "aead_aes_256_gcm");
}

#[test]
fn aes128_cm_hmac_sha1_80() {
    connects_with(SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80, "aes128_cm_hmac_sha1_80");
}

#[test]
fn aes128_cm_hmac_sha1_32() {
    connects_with(SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32, "aes128_cm_hmac_sha1_32");
}
