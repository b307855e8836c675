use super::harness::{load, server, target};
use weir_loadtest::plan::Verify;
use weir_loadtest::target::{Kind, TargetConfig};

/// The server's rate limits are on: two rooms must not meet them.
const SCENARIO: &str = r#"
rooms = 2
thresholds = ["failed_joins < 1", "corrupt_packets < 1"]
[roles.person]
count = 3
receive = { audio = 2, video = 2, size = "320x180" }
[[roles.person.publish]]
source = "camera"
layers = [
    { rid = "q", size = "320x180", bitrate = "100k", fps = 15 },
    { rid = "h", size = "640x360", bitrate = "300k" },
]
[[roles.person.publish]]
source = "microphone"
talk = { turn = "1s", dtx = true }
[[stages]]
name = "join"
duration = "1s"
[[stages]]
name = "stay"
duration = "8s"
churn = { person = 0.5 }
[[stages]]
name = "leave"
duration = "1s"
factor = 0.0
"#;

#[test]
fn people_see_and_hear_each_other_and_nothing_is_damaged() {
    let server = server("meeting");
    let url = Some(format!("http://{}", server.authority()));
    let finished =
        load("meeting", SCENARIO, TargetConfig { url, ..target(Kind::Weir) }, Verify::All);
    let outcome = finished.outcome;
    assert!(finished.error.is_none(), "{:?}\n{}", finished.error, outcome.table());
    assert!(outcome.media.counted.verified_packets > 0, "{}", outcome.table());
    // Six come first, and as many as leave.
    assert!(outcome.joins.succeeded >= 8, "{}", outcome.table());
    assert!(outcome.failures.is_empty(), "{}", outcome.table());
}
