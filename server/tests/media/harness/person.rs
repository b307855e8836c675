//! Somebody in a meeting: a WebSocket for words, a stack for media.

use super::client::{Client, stamp_of};
use super::frames::Kind;
use super::stack::{Make, Source, Stack};
use super::ws::Ws;
use super::{Rtc, Server, Str0m, User};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// An m-line of an offer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wish {
    Publish(Source),
    Slot(Kind),
}

impl Wish {
    /// Microphone and camera, and room for those of one other person.
    pub(crate) const CALL: &[Self] = &[
        Self::Publish(Source::Microphone),
        Self::Publish(Source::Camera),
        Self::Slot(Kind::Audio),
        Self::Slot(Kind::Video),
    ];
    /// Only sends.
    pub(crate) const TALK: &[Self] =
        &[Self::Publish(Source::Microphone), Self::Publish(Source::Camera)];
    /// Only receives.
    pub(crate) const WATCH: &[Self] = &[Self::Slot(Kind::Audio), Self::Slot(Kind::Video)];
}

/// A participant.
pub(crate) struct Person {
    pub(crate) user: User,
    pub(crate) meeting: i64,
    pub(crate) ws: Ws,
    pub(crate) client: Client,
    /// The last offer and its answer.
    pub(crate) offer: String,
    pub(crate) answer: String,
}

impl Person {
    /// Joins the meeting and offers.
    pub(crate) fn join(
        server: &Server,
        user: &User,
        meeting: i64,
        make: impl Make,
        wishes: &[Wish],
    ) -> Self {
        Self::join_with(server, user, meeting, make, wishes, |offer| offer)
    }

    /// The same, with a change to the offer's text.
    pub(crate) fn join_with(
        server: &Server,
        user: &User,
        meeting: i64,
        make: impl Make,
        wishes: &[Wish],
        change: impl FnOnce(String) -> String,
    ) -> Self {
        let client = Client::start(make);
        Self::enter(server, user, meeting, client, wishes, change)
    }

    /// Joins with media from an address.
    pub(crate) fn join_from(
        address: &str,
        server: &Server,
        user: &User,
        meeting: i64,
        make: impl Make,
        wishes: &[Wish],
    ) -> Self {
        let client = Client::start_at(address, make);
        Self::enter(server, user, meeting, client, wishes, |offer| offer)
    }

    fn enter(
        server: &Server,
        user: &User,
        meeting: i64,
        client: Client,
        wishes: &[Wish],
        change: impl FnOnce(String) -> String,
    ) -> Self {
        server.join(user, meeting);
        let ws = Ws::join(server, user, meeting);
        let (offer, answer) = (String::new(), String::new());
        let mut person = Self { user: user.clone(), meeting, ws, client, offer, answer };
        let offer = person.make_offer(wishes);
        person.exchange(&change(offer));
        person
    }

    fn make_offer(&self, wishes: &[Wish]) -> String {
        let wishes = wishes.to_vec();
        self.client.with(move |stack, _| {
            for wish in wishes {
                match wish {
                    Wish::Publish(source) => stack.publish(source),
                    Wish::Slot(kind) => stack.slot(kind),
                }
            }
            stack.offer(Instant::now())
        })
    }

    fn exchange(&mut self, offer: &str) {
        let mids = self.client.with(|stack, _| stack.mids());
        let tracks: serde_json::Map<String, Value> =
            mids.into_iter().map(|(source, mid)| (mid, json!(source.word()))).collect();
        self.answer = self.ws.offer(offer, Value::Object(tracks));
        offer.clone_into(&mut self.offer);
        let answer = self.answer.clone();
        self.client.with(move |stack, _| stack.answer(Instant::now(), &answer));
    }

    /// Offers again, with more m-lines.
    pub(crate) fn renegotiate(&mut self, wishes: &[Wish]) {
        let offer = self.make_offer(wishes);
        self.exchange(&offer);
    }

    /// Offers again after a change of another kind; gives the offer's text.
    pub(crate) fn offer_after(
        &mut self,
        change: impl FnOnce(&mut dyn Stack) + Send + 'static,
    ) -> String {
        let offer = self.client.with(move |stack, _| {
            change(stack);
            stack.offer(Instant::now())
        });
        self.exchange(&offer);
        offer
    }

    /// Says goodbye and is gone.
    pub(crate) fn leave(mut self) {
        self.ws.send(json!({"type": "leave"}));
        assert_eq!(self.ws.closed(), 1000);
    }

    /// What this person's frames of `source` carry.
    pub(crate) fn stamp(&self, source: Source) -> u32 {
        stamp_of(self.client.id, source)
    }

    /// Waits until `count` more frames of each of another person's sources have come.
    #[track_caller]
    pub(crate) fn watches(&self, other: &Person, sources: &[Source], count: usize) {
        for source in sources {
            let sender = other.stamp(*source);
            let before = self.client.state().from(sender, None);
            let what =
                format!("{count} frames of {}'s {} have come", other.user.name, source.word());
            self.client
                .until(&what, |state| (state.from(sender, None) >= before + count).then_some(()));
        }
    }

    /// Asserts that another's source came whole: no frame twice, none missing since the first, all
    /// in order, a key frame first.
    #[track_caller]
    pub(crate) fn has_all_of(&self, other: &Person, source: Source) {
        let state = self.client.state();
        let sender = other.stamp(source);
        let stamps: Vec<_> = state
            .frames
            .values()
            .flatten()
            .filter(|one| one.stamp.sender == sender)
            .map(|one| one.stamp)
            .collect();
        assert!(!stamps.is_empty(), "nothing of {sender}");
        if source.kind() == Kind::Video {
            assert!(stamps[0].is_key, "the first frame is no key frame");
        }
        let numbers: Vec<u32> = stamps.iter().map(|stamp| stamp.number).collect();
        let wrong = numbers.windows(2).find(|pair| pair[1] != pair[0] + 1);
        assert_eq!(wrong, None, "{} frames of {}", source.word(), other.user.name);
    }

    /// The longest time without a frame of another's source since `begin`.
    pub(crate) fn longest_gap(&self, other: &Person, source: Source, begin: Instant) -> Duration {
        let state = self.client.state();
        let sender = other.stamp(source);
        let mut last = begin;
        let mut longest = Duration::ZERO;
        for one in state.frames.values().flatten().filter(|one| one.stamp.sender == sender) {
            if one.at > last {
                longest = longest.max(one.at - last);
                last = one.at;
            }
        }
        longest.max(Instant::now().saturating_duration_since(last))
    }
}

/// Two people who see and hear each other, one with each stack.
pub(crate) struct Call {
    pub(crate) anna: Person,
    pub(crate) ben: Person,
    begin: Instant,
}

const BOTH: &[Source] = &[Source::Microphone, Source::Camera];
/// The longest a picture or a voice may stand still on a machine that does other things too.
const LONGEST_GAP: Duration = Duration::from_secs(2);

impl Call {
    pub(crate) fn start(server: &Server) -> Self {
        let (anna, ben) = (server.user("anna"), server.user("ben"));
        let meeting = server.meeting(&anna);
        let anna = Person::join(server, &anna, meeting, Rtc::default(), Wish::CALL);
        let ben = Person::join(server, &ben, meeting, Str0m::default(), Wish::CALL);
        let call = Self { anna, ben, begin: Instant::now() };
        call.goes_on();
        Self { begin: Instant::now(), ..call }
    }

    /// Each gets some more of the other.
    #[track_caller]
    pub(crate) fn goes_on(&self) {
        self.anna.watches(&self.ben, BOTH, 15);
        self.ben.watches(&self.anna, BOTH, 15);
    }

    /// Nothing of it was lost or late since it began.
    #[track_caller]
    pub(crate) fn was_undisturbed(&self) {
        self.goes_on();
        for (one, other) in [(&self.anna, &self.ben), (&self.ben, &self.anna)] {
            for source in BOTH {
                one.has_all_of(other, *source);
                let gap = one.longest_gap(other, *source, self.begin);
                assert!(gap < LONGEST_GAP, "{source:?} of {} stood {gap:?}", other.user.name);
            }
        }
    }
}
