use super::{BUILT_IN, Override, Scenario};
use crate::plan::{Codec, MediaKind, Pacing, Verify};
use std::time::Duration;

const SMALL: &str = r#"
[roles.a]
count = 2
receive = { video = 1 }
[[roles.a.publish]]
source = "camera"
[[roles.a.publish]]
source = "microphone"
talk = { turn = "2s", pause = "1s", dtx = true }
[[stages]]
name = "hold"
duration = "1s"
"#;

fn error(text: &str) -> String {
    Scenario::parse("x", text, &[]).unwrap_err().to_string()
}

fn set(text: &str) -> Result<Scenario, String> {
    let one: Override = text.parse()?;
    Scenario::parse("x", SMALL, &[one]).map_err(|error| error.to_string())
}

#[test]
fn what_is_built_in_is_good_and_says_what_it_is() {
    for (name, text) in BUILT_IN {
        let scenario = Scenario::parse(name, text, &[]).unwrap();
        assert!(!scenario.about.is_empty(), "{name}");
        assert!(!scenario.thresholds.is_empty(), "{name}");
        let first = scenario.order()[0];
        assert!(!scenario.roles[first].publish.is_empty(), "{name}: publishers come first");
    }
}

#[test]
fn an_unknown_key_is_told_with_its_line_and_the_known_ones() {
    let error = error(&SMALL.replace("count = 2", "cuont = 2"));
    assert!(error.contains("line 3"), "{error}");
    assert!(error.contains("cuont") && error.contains("`count`"), "{error}");
}

#[test]
fn a_bad_value_is_told_with_its_line_and_how_it_is_written() {
    let error = error(&SMALL.replace("\"2s\"", "\"two\""));
    assert!(error.contains("line 9") && error.contains("write 10s"), "{error}");
}

#[test]
fn what_cannot_be_is_told_with_its_place() {
    let opus = error(&SMALL.replace("\"camera\"", "\"camera\"\ncodec = \"opus\""));
    assert!(opus.contains("roles.a.publish[0].codec"), "{opus}");
    let nobody = error(&SMALL.replace("count = 2", "count = 0"));
    assert!(nobody.contains("nobody"), "{nobody}");
    let role = error(&format!("{SMALL}people = {{ b = 1 }}"));
    assert!(role.contains("stages.hold") && role.contains("no role \"b\""), "{role}");
}

#[test]
fn changes_reach_roles_tracks_and_stages() {
    assert_eq!(set("roles.a.count=5").unwrap().roles["a"].count, 5);
    let paced = set("roles.a.publish.camera.pacing=burst").unwrap();
    assert_eq!(paced.roles["a"].publish[0].pacing, Some(Pacing::Burst));
    let rate = set("roles.a.publish.0.bitrate=2.5M").unwrap();
    assert_eq!(rate.roles["a"].publish[0].bitrate.unwrap().0, 2_500_000);
    assert_eq!(set("stages.hold.duration=10s").unwrap().stages[0].duration.0.as_secs(), 10);
    assert_eq!(set("roles.a.network.loss=3%").unwrap().roles["a"].network.loss.0, 0.03);
    assert_eq!(set("stages.hold.churn.a=2").unwrap().stages[0].churn["a"], 2.0);
}

#[test]
fn bad_changes_name_themselves() {
    let role = set("roles.b.count=5").unwrap_err();
    assert!(role.contains("--set roles.b.count=5") && role.contains("but a"), "{role}");
    let key = set("roles.a.cuont=5").unwrap_err();
    assert!(key.contains("--set roles.a.cuont=5") && key.contains("`count`"), "{key}");
    let track = set("roles.a.publish.screen.fps=5").unwrap_err();
    assert!(track.contains("camera, microphone"), "{track}");
    assert!("roles.a.count".parse::<Override>().unwrap_err().contains("KEY=VALUE"));
}

#[test]
fn people_take_the_rooms_and_the_turns_in_order() {
    let scenario = Scenario::parse("x", &format!("rooms = 3\n{SMALL}"), &[]).unwrap();
    let person = |number| scenario.person("a", number, Verify::All).unwrap();
    assert_eq!([0, 1, 2, 3].map(|number| person(number).room), [0, 1, 2, 0]);
    let talk = |number| person(number).publish[1].talk.unwrap();
    assert_eq!(talk(0).offset, Duration::ZERO);
    assert_eq!(talk(3).offset, Duration::from_secs(3));
    assert_eq!(talk(3).cycle, Duration::from_secs(6));
    assert_eq!(person(0).receive_codecs, [Codec::Vp8, Codec::Opus]);
    assert_eq!(person(0).publish[0].codec.kind(), MediaKind::Video);
}
