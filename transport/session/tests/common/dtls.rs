//! The client's DTLS: rtc-dtls, in either role.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::BytesMut;
use rtc_dtls::config::{ClientAuthType, ConfigBuilder, HandshakeConfig};
use rtc_dtls::crypto::Certificate;
use rtc_dtls::endpoint::{Endpoint, EndpointEvent};
use rtc_dtls::extension::extension_use_srtp::SrtpProtectionProfile;
use rtc_shared::TransportProtocol;
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;

pub const GCM128: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aead_Aes_128_Gcm;
pub const GCM256: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aead_Aes_256_Gcm;
pub const CM80: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_80;
pub const CM32: SrtpProtectionProfile = SrtpProtectionProfile::Srtp_Aes128_Cm_Hmac_Sha1_32;

/// How a client differs from a usual one.
pub struct Options {
    pub profiles: Vec<SrtpProtectionProfile>,
    pub is_client: bool,
    pub rsa: bool,
    pub mtu: usize,
    pub interval: Duration,
}

impl Default for Options {
    fn default() -> Self {
        // In Chromium's order.
        Self {
            profiles: vec![CM80, GCM256, GCM128],
            is_client: true,
            rsa: false,
            mtu: 1200,
            interval: Duration::from_secs(1),
        }
    }
}

pub struct DtlsClient {
    endpoint: Endpoint,
    config: Arc<HandshakeConfig>,
    pub is_client: bool,
    pub certificate_der: Vec<u8>,
    pub completed: bool,
    pub closed: bool,
    pub errors: Vec<String>,
    pub data: Vec<Vec<u8>>,
    transmits: VecDeque<Vec<u8>>,
}

fn local() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 1], 1))
}

fn remote() -> SocketAddr {
    SocketAddr::from(([10, 0, 0, 2], 2))
}

impl DtlsClient {
    pub fn new(options: Options) -> Self {
        let provider = rtc_crypto::default_provider().unwrap();
        let algorithm =
            if options.rsa { &rcgen::PKCS_RSA_SHA256 } else { &rcgen::PKCS_ECDSA_P256_SHA256 };
        let certificate = Certificate::generate_self_signed_with_alg(
            vec!["client".to_owned()],
            algorithm,
            provider.crypto(),
        )
        .unwrap();
        let certificate_der = certificate.certificate[0].as_ref().to_vec();
        let config = ConfigBuilder::default()
            .with_crypto_provider(provider)
            .with_certificates(vec![certificate])
            .with_srtp_protection_profiles(options.profiles)
            .with_client_auth(ClientAuthType::RequireAnyClientCert)
            .with_insecure_skip_verify(true)
            .with_flight_interval(options.interval)
            .with_server_name("client".to_owned())
            .with_mtu(options.mtu)
            .build(options.is_client, None)
            .unwrap();
        let config = Arc::new(config);
        let server_config = (!options.is_client).then(|| config.clone());
        Self {
            endpoint: Endpoint::new(local(), TransportProtocol::UDP, server_config),
            config,
            is_client: options.is_client,
            certificate_der,
            completed: false,
            closed: false,
            errors: Vec::new(),
            data: Vec::new(),
            transmits: VecDeque::new(),
        }
    }

    pub fn start(&mut self, now: Instant) {
        if self.is_client {
            self.endpoint.connect(now, remote(), self.config.clone(), None).unwrap();
            self.collect();
        }
    }

    pub fn read(&mut self, now: Instant, datagram: &[u8]) {
        match self.endpoint.read(now, remote(), None, BytesMut::from(datagram)) {
            Ok(events) => {
                for event in events {
                    match event {
                        EndpointEvent::HandshakeComplete => self.completed = true,
                        EndpointEvent::ApplicationData(data) => self.data.push(data.to_vec()),
                        EndpointEvent::PeerClosed => self.closed = true,
                        _ => {}
                    }
                }
            }
            Err(error) => self.errors.push(error.to_string()),
        }
        self.collect();
    }

    pub fn send(&mut self, now: Instant, data: &[u8]) {
        self.endpoint.write(now, remote(), data).unwrap();
        self.collect();
    }

    pub fn close(&mut self, now: Instant) {
        self.endpoint.close(now).unwrap();
        self.collect();
    }

    pub fn poll_transmit(&mut self) -> Option<Vec<u8>> {
        self.transmits.pop_front()
    }

    pub fn timeout(&self) -> Option<Instant> {
        self.endpoint.poll_timeout(&remote())
    }

    pub fn handle_timeout(&mut self, now: Instant) {
        if self.endpoint.poll_timeout(&remote()).is_some() {
            if let Err(error) = self.endpoint.handle_timeout(remote(), now) {
                self.errors.push(error.to_string());
            }
            self.collect();
        }
    }

    fn collect(&mut self) {
        while let Some(transmit) = self.endpoint.poll_transmit() {
            self.transmits.push_back(transmit.message.to_vec());
        }
    }

    /// Contexts to seal what the client sends and open what it receives.
    pub fn srtp(&self) -> (Context, Context) {
        let state = self.endpoint.get_connection_state(remote()).unwrap();
        let (profile, key_len, salt_len) = match state.srtp_protection_profile() {
            GCM128 => (ProtectionProfile::AeadAes128Gcm, 16, 12),
            GCM256 => (ProtectionProfile::AeadAes256Gcm, 32, 12),
            CM80 => (ProtectionProfile::Aes128CmHmacSha1_80, 16, 14),
            CM32 => (ProtectionProfile::Aes128CmHmacSha1_32, 16, 14),
            other => panic!("{other:?}"),
        };
        let all = state
            .export_keying_material("EXTRACTOR-dtls_srtp", &[], 2 * (key_len + salt_len))
            .unwrap();
        let all: &[u8] = all.as_ref();
        let (keys, salts) = all.split_at(2 * key_len);
        let (client_key, server_key) = keys.split_at(key_len);
        let (client_salt, server_salt) = salts.split_at(salt_len);
        let context = |key, salt| {
            let provider = rtc_crypto::default_provider().unwrap();
            Context::new(key, salt, profile, None, None, provider.crypto()).unwrap()
        };
        let client = context(client_key, client_salt);
        let server = context(server_key, server_salt);
        if self.is_client { (client, server) } else { (server, client) }
    }
}
