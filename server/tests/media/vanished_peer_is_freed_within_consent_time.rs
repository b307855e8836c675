//! Who vanishes without a word is gone when consent expires (RFC 7675): 30 s after the last check.

use crate::harness::{Call, Kind, PATIENCE, Person, Rtc, Server, Wish};
use std::time::{Duration, Instant};

/// Consent, and a moment to tell.
const LIMIT: Duration = Duration::from_secs(36);

#[test]
fn with_all_its_state_and_others_learn_it() {
    let server = Server::start();
    let Call { anna, ben, .. } = Call::start(&server);
    let cleo = server.user("cleo");
    let watch = [Wish::Slot(Kind::Video), Wish::Slot(Kind::Video)];
    let mut cleo = Person::join(&server, &cleo, ben.meeting, Rtc::default(), &watch);
    server.until_metrics("all are peers", |metrics| metrics.peers() == 3.0);

    // Anna's media ends, her WebSocket does not; of Ben nothing is left.
    let Person { mut ws, client, .. } = anna;
    client.vanish();
    let ben_id = ben.user.id;
    drop(ben);
    let begin = Instant::now();

    let asked = ws.expect_where(LIMIT, "renegotiate", |_| true);
    assert_eq!(asked["data"]["ice_restart"], true, "{asked}");
    assert!(begin.elapsed() > Duration::from_secs(20), "consent ended too early");
    let left = cleo.ws.expect("user-left");
    assert_eq!(left["data"]["user_id"], ben_id, "{left}");
    assert_eq!(left["data"]["reason"], "disconnected", "{left}");
    server.until_metrics("their state is freed", |metrics| metrics.peers() == 1.0);
    assert!(begin.elapsed() < LIMIT, "{:?}", begin.elapsed());
    // Nobody sits in anybody's slots any more.
    cleo.renegotiate(&[Wish::Slot(Kind::Audio)]);
    cleo.ws.expect_where(PATIENCE, "slots", |message| {
        let slots = message["data"]["slots"].as_array().unwrap();
        slots.len() == 3 && slots.iter().all(|slot| slot["user_id"].is_null())
    });

    cleo.leave();
    ws.send(serde_json::json!({"type": "leave"}));
    assert_eq!(ws.closed(), 1000);
    server.until_metrics("nothing is left", |metrics| {
        metrics.peers() == 0.0
            && metrics.rooms() == 0.0
            && metrics.sum("weir_signaling_sessions", &[]) == 0.0
    });
}
