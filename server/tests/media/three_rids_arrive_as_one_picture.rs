//! A camera in three simulcast layers: receivers get the best one, as one stream.

use crate::harness::{Person, Rtc, Server, Source, Str0m, Wish};

#[test]
fn of_the_best_layer() {
    let server = Server::start();
    let (anna, ben) = (server.user("anna"), server.user("ben"));
    let meeting = server.meeting(&anna);
    let layers = Str0m { rids: &["q", "h", "f"] };
    let anna = Person::join(&server, &anna, meeting, layers, Wish::TALK);
    let ben = Person::join(&server, &ben, meeting, Rtc::default(), Wish::WATCH);
    ben.watches(&anna, &[Source::Microphone], 25);
    // Frames of the last rid carry the camera's own stamp, the lower ones others.
    ben.watches(&anna, &[Source::Camera], 50);
    let state = ben.client.state();
    let own = anna.stamp(Source::Camera);
    let video = state
        .frames
        .values()
        .flatten()
        .filter(|one| one.stamp.sender != anna.stamp(Source::Microphone));
    let senders: Vec<u32> = video.map(|one| one.stamp.sender).collect();
    // It may begin with a lower layer; once on the best one it stays there.
    let first = senders.iter().position(|sender| *sender == own).unwrap();
    assert!(senders[first..].iter().all(|sender| *sender == own), "{senders:?}");
}
