//! Checks as a client sends them.

use aws_lc_rs::hmac;
use std::sync::atomic::{AtomicU64, Ordering};
use weir_sfu_api::IceCredentials;
use weir_wire::stun::{StunMessage, StunWriter};

/// A Binding request with the attributes of a check.
pub struct Check {
    pub writer: StunWriter,
    pwd: String,
}

/// From the client `remote_ufrag` to the owner of `local`.
pub fn check(local: &IceCredentials, remote_ufrag: &str) -> Check {
    // Each check has a transaction of its own.
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut transaction = *b"tran00000000";
    transaction[4..].copy_from_slice(&COUNT.fetch_add(1, Ordering::Relaxed).to_be_bytes());
    let mut writer = StunWriter::binding_request(transaction);
    writer.username(&format!("{}:{remote_ufrag}", local.ufrag));
    Check { writer, pwd: local.pwd.clone() }
}

impl Check {
    pub fn with(mut self, change: impl FnOnce(&mut StunWriter)) -> Self {
        change(&mut self.writer);
        self
    }

    pub fn nominate(self, priority: u32) -> Self {
        self.with(|writer| {
            writer.priority(priority).use_candidate().ice_controlling(7);
        })
    }

    pub fn finish(self) -> Vec<u8> {
        let pwd = self.pwd;
        self.writer.finish(Some(&|input: &[u8]| sha1(&pwd, input)))
    }

    pub fn finish_unsigned(self) -> Vec<u8> {
        self.writer.finish(None)
    }
}

fn sha1(pwd: &str, input: &[u8]) -> [u8; 20] {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, pwd.as_bytes());
    hmac::sign(&key, input).as_ref().try_into().unwrap()
}

/// Reads an answer and checks that it was signed with `pwd`.
pub fn authentic<'a>(answer: &'a [u8], pwd: &str) -> StunMessage<'a> {
    let message = StunMessage::parse(answer).unwrap();
    assert_eq!(message.fingerprint_ok(), Some(true));
    let mut input = Vec::new();
    message.integrity_input(&mut input);
    assert_eq!(message.message_integrity().unwrap().1, sha1(pwd, &input));
    assert_eq!(message.transaction_id()[..4], *b"tran");
    message
}
