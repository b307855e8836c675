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
    // Frames of the last rid carry the camera's own stamp, the lower ones others. A receiver whose
    // path is not known yet may begin with a lower layer and try the best one more than once.
    let own = anna.stamp(Source::Camera);
    let sound = anna.stamp(Source::Microphone);
    ben.client.until("100 frames in a row of the best layer have come", |state| {
        let frames = state.frames.values().flatten().rev();
        let mut video = frames.map(|one| one.stamp.sender).filter(|sender| *sender != sound);
        (video.by_ref().take_while(|sender| *sender == own).count() >= 100).then_some(())
    });
}
