use super::harness::{load, losing_proxy, meeting, server, target};
use weir_loadtest::plan::Verify;
use weir_loadtest::target::{Kind, TargetConfig};

const SCENARIO: &str = r#"
warm_up = "1s"
[roles.speaker]
count = 1
[[roles.speaker.publish]]
source = "camera"
bitrate = "300k"
size = "640x360"
[[roles.speaker.publish]]
source = "microphone"
[roles.viewer]
count = 5
receive = { audio = 1, video = 1 }
[[stages]]
name = "join"
duration = "1s"
[[stages]]
name = "hold"
duration = "DURATION"
"#;

/// Fewer would say little.
const ENOUGH: u64 = 2_000;

#[test]
fn three_percent_are_three_percent() {
    let server = server("loss");
    let (id, token) = meeting(&server);
    let proxy = losing_proxy(&server);
    let mut packets = 0;
    for duration in ["8s", "30s", "120s"] {
        let target = TargetConfig {
            publish_url: Some(format!("http://{proxy}/whip/{{room}}")),
            play_url: Some(format!("http://{proxy}/whep/{{room}}")),
            token: Some(token.clone()),
            rooms: vec![id.clone()],
            ..target(Kind::Whip)
        };
        let scenario = SCENARIO.replace("DURATION", duration);
        let finished = load("loss", &scenario, target, Verify::Sample);
        assert!(finished.error.is_none(), "{:?}", finished.error);
        let media = &finished.outcome.media;
        assert_eq!(media.corrupt_packets, 0);
        packets = media.delivered_packets;
        // On a busy machine few may come in time.
        if packets >= ENOUGH {
            let loss = media.loss.unwrap();
            assert!((0.025..0.035).contains(&loss), "{loss} of {packets}: {media:?}");
            return;
        }
    }
    panic!("{packets} packets in two minutes");
}
