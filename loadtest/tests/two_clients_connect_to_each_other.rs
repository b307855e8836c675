//! Real sockets, ICE, DTLS and SRTP without a server: one client publishes, the other receives, and either may begin
//! the handshake or control ICE.

#![allow(missing_docs)]

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};
use weir_loadtest::engine::{
    Connection, ConnectionPlan, Ended, Engine, EngineConfig, Negotiated, NegotiatedSection,
};
use weir_loadtest::plan::{
    Codec, Impairment, LayerPlan, MediaKind, Pacing, PersonPlan, SourceKind, TilePlan, TrackPlan,
    Verify,
};
use weir_sfu_api::{DtlsSetup, ExtensionKind, TransportDescription};

/// Longer than any machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

fn track() -> TrackPlan {
    TrackPlan {
        source: SourceKind::Camera,
        codec: Codec::Vp8,
        layers: vec![LayerPlan {
            rid: None,
            bitrate_bps: 1_000_000,
            fps: 30.0,
            width: 1280,
            height: 720,
        }],
        temporal_layers: 1,
        key_frame_interval: Duration::from_secs(10),
        pacing: Pacing::Burst,
        talk: None,
        file: None,
    }
}

fn plan(role: &str, publish: Vec<TrackPlan>, impairment: Impairment) -> ConnectionPlan {
    let person = PersonPlan {
        name: role.to_owned(),
        role: role.to_owned(),
        room: 0,
        publish: publish.clone(),
        audio_slots: 0,
        video_slots: 1,
        tile: TilePlan { width: 0, height: 0, fps: 0 },
        receive_codecs: Vec::new(),
        waits: false,
        verify: Verify::All,
        impairment,
    };
    ConnectionPlan { person, publish, begun: Instant::now(), stamp: 3 }
}

/// What `other` would have said in an offer or an answer.
fn negotiated(other: &Connection, setup: DtlsSetup, controlling: bool, sends: bool) -> Negotiated {
    let local = &other.local;
    let remote_ssrcs = local.tracks.iter().flat_map(|track| &track.ssrcs);
    Negotiated {
        remote: TransportDescription {
            ice: local.ice.clone(),
            fingerprints: vec![local.fingerprint.clone()],
            setup,
        },
        controlling,
        candidates: local.candidates.clone(),
        sections: vec![NegotiatedSection {
            mid: "0".to_owned(),
            kind: MediaKind::Video,
            track: sends.then_some(0),
            receives: !sends,
            codecs: vec![(96, Codec::Vp8)],
            rtx: vec![(96, 97)],
            extensions: vec![(ExtensionKind::TransportCc, 3), (ExtensionKind::Mid, 4)],
            remote_ssrcs: remote_ssrcs.map(|(media, rtx)| (*media, Some(*rtx))).collect(),
            nack: true,
            pli: true,
            transport_cc: true,
            rids: Vec::new(),
        }],
    }
}

fn engine() -> Engine {
    let bind = IpAddr::V4(Ipv4Addr::LOCALHOST);
    Engine::start(EngineConfig { threads: 2, bind, seed: 1 }).unwrap()
}

async fn pair(engine: &Engine, sender_calls: bool, impairment: Impairment) -> [Connection; 2] {
    let mut sender =
        engine.open(plan("sender", vec![track()], Impairment::default())).await.unwrap();
    let mut receiver = engine.open(plan("receiver", Vec::new(), impairment)).await.unwrap();
    let setup = |active| if active { DtlsSetup::Passive } else { DtlsSetup::Active };
    sender.connect(negotiated(&receiver, setup(sender_calls), sender_calls, true));
    receiver.connect(negotiated(&sender, setup(!sender_calls), !sender_calls, false));
    tokio::time::timeout(PATIENCE, sender.connected()).await.unwrap().unwrap();
    tokio::time::timeout(PATIENCE, receiver.connected()).await.unwrap().unwrap();
    [sender, receiver]
}

#[tokio::test]
async fn media_flows_whoever_calls_and_lost_packets_come_again() {
    let lossy = Impairment { loss: 0.05, ..Impairment::default() };
    for (sender_calls, impairment) in [(true, Impairment::default()), (false, lossy)] {
        let engine = engine();
        let [sender, mut receiver] = pair(&engine, sender_calls, impairment).await;
        let begin = Instant::now();
        let seen = loop {
            let seen = engine.snapshot_of("receiver").await;
            if seen.counters.frames >= 60 {
                break seen;
            }
            assert!(begin.elapsed() < PATIENCE, "{seen:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let counters = &seen.counters;
        assert!(counters.verified_packets > 100 && counters.corrupt_packets == 0, "{counters:?}");
        assert_eq!((seen.connected, seen.delays.first_key_frame.len()), (1, 1));
        assert_eq!(counters.impaired_drops > 0, impairment.loss > 0.0);
        if impairment.loss > 0.0 {
            assert!(counters.nacks_sent > 0 && counters.received_resent > 0, "{counters:?}");
        }
        assert!(seen.delays.added.len() > 100 && engine.snapshot().await.connected == 2);
        // Goodbye is heard, except where it is lost.
        drop(sender);
        if impairment.loss == 0.0 {
            let why = tokio::time::timeout(PATIENCE, receiver.ended()).await.unwrap();
            assert_eq!(why, Ended::ClosedByPeer);
        }
        engine.shutdown();
    }
}

#[tokio::test]
async fn another_certificate_than_the_announced_is_refused() {
    let engine = engine();
    let mut sender =
        engine.open(plan("sender", vec![track()], Impairment::default())).await.unwrap();
    let receiver = engine.open(plan("receiver", Vec::new(), Impairment::default())).await.unwrap();
    let mut wrong = negotiated(&receiver, DtlsSetup::Passive, true, true);
    wrong.remote.fingerprints[0].value[0] ^= 1;
    receiver.connect(negotiated(&sender, DtlsSetup::Active, false, false));
    sender.connect(wrong);
    let end = tokio::time::timeout(PATIENCE, sender.connected()).await.unwrap();
    assert!(matches!(end, Err(Ended::Handshake(_))), "{end:?}");
    engine.shutdown();
}

#[tokio::test]
async fn a_dropped_handle_and_a_stopped_engine_end_connections() {
    let engine = engine();
    let mut connection = engine.open(plan("a", Vec::new(), Impairment::default())).await.unwrap();
    engine.clone().shutdown();
    assert_eq!(connection.ended().await, Ended::Closed);
    assert!(engine.open(plan("a", Vec::new(), Impairment::default())).await.is_err());
    assert_eq!(engine.snapshot().await.connected, 0);
}
