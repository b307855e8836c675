//! The servers that can be tested, each by the words with which its clients join.

mod http;
mod janus;
mod links;
mod weir;
mod whip;
mod ws;

use crate::engine::{ConnectionPlan, Engine, Negotiated};
use crate::error::LoadError;
use crate::plan::{Codec, PersonPlan, TrackPlan};
use crate::sdp::SdpError;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// Which words a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// REST, then a WebSocket with slots.
    Weir,
    /// WHIP (RFC 9725) and WHEP.
    Whip,
    /// Janus' VideoRoom over its WebSocket API.
    Janus,
}

/// Where a server is and who we are to it.
#[derive(Debug, Clone)]
pub struct TargetConfig {
    /// Its words.
    pub kind: Kind,
    /// Of the API: `http://` for Weir, `ws://` for Janus.
    pub url: Option<String>,
    /// WHIP endpoint; `{room}` and `{stream}` are filled in.
    pub publish_url: Option<String>,
    /// WHEP endpoint; likewise.
    pub play_url: Option<String>,
    /// Bearer token, for Janus its API token.
    pub token: Option<String>,
    /// Rooms that exist already, used in turn; empty: they are made, and removed at the end.
    pub rooms: Vec<String>,
    /// The longest that one step of joining may take.
    pub timeout: Duration,
}

/// What is to be made before the first person comes.
#[derive(Debug, Clone, Default)]
pub struct Rooms {
    /// How many.
    pub count: u32,
    /// The most people in one.
    pub people: u32,
    /// The most of them who publish.
    pub publishers: u32,
    /// What is published.
    pub codecs: Vec<Codec>,
}

/// A server under test.
#[derive(Debug)]
pub enum Target {
    /// See [`Kind::Weir`].
    Weir(weir::Weir),
    /// See [`Kind::Whip`].
    Whip(whip::Whip),
    /// See [`Kind::Janus`].
    Janus(janus::Janus),
}

impl Target {
    /// Reads the configuration; says nothing to the server yet.
    ///
    /// # Errors
    /// [`LoadError::Usage`] when something is missing or no URL.
    pub fn new(config: TargetConfig) -> Result<Self, LoadError> {
        Ok(match config.kind {
            Kind::Weir => Self::Weir(weir::Weir::new(config)?),
            Kind::Whip => Self::Whip(whip::Whip::new(config)?),
            Kind::Janus => Self::Janus(janus::Janus::new(config)?),
        })
    }

    /// Address and kind in a few words.
    #[must_use]
    pub fn title(&self) -> String {
        match self {
            Self::Weir(weir) => format!("weir at {}", weir.address()),
            Self::Whip(whip) => format!("whip at {}", whip.address()),
            Self::Janus(janus) => format!("janus at {}", janus.address()),
        }
    }

    /// Makes accounts and rooms.
    ///
    /// # Errors
    /// When the server does not answer, or refuses.
    pub async fn prepare(&mut self, rooms: &Rooms) -> Result<(), LoadError> {
        match self {
            Self::Weir(weir) => weir.prepare(rooms).await,
            Self::Whip(whip) => {
                whip.prepare(rooms);
                Ok(())
            }
            Self::Janus(janus) => janus.prepare(rooms).await,
        }
    }

    /// Brings a person in: back when its media is connected.
    ///
    /// # Errors
    /// When any step fails or takes longer than [`TargetConfig::timeout`].
    pub async fn join(&self, engine: &Engine, person: PersonPlan) -> Result<Presence, LoadError> {
        match self {
            Self::Weir(weir) => weir.join(engine, person).await,
            Self::Whip(whip) => whip.join(engine, person).await,
            Self::Janus(janus) => janus.join(engine, person).await,
        }
    }

    /// Removes what [`Self::prepare`] made, as far as the server lets us.
    pub async fn clean(&self) {
        match self {
            Self::Weir(weir) => weir.clean().await,
            Self::Whip(_) => {}
            Self::Janus(janus) => janus.clean().await,
        }
    }
}

/// Somebody who is there.
#[derive(Debug)]
pub struct Presence {
    leave: oneshot::Sender<()>,
    task: JoinHandle<String>,
}

impl Presence {
    /// A task that keeps somebody there until it is told to leave; it gives the reason of its end.
    fn keep<F: Future<Output = String> + Send + 'static>(
        run: impl FnOnce(oneshot::Receiver<()>) -> F,
    ) -> Self {
        let (leave, told) = oneshot::channel();
        Self { leave, task: tokio::spawn(run(told)) }
    }

    /// Waits until it ends without having been asked to, and says why.
    pub async fn ended(&mut self) -> String {
        match (&mut self.task).await {
            Ok(why) => why,
            Err(error) => format!("its task ended: {error}"),
        }
    }

    /// Says goodbye, and waits at most 2 s for it to be heard.
    pub async fn leave(self) {
        let _ = self.leave.send(());
        let _ = tokio::time::timeout(Duration::from_secs(2), self.task).await;
    }
}

/// Numbers for the payload stamps of everybody who publishes.
fn next_stamp() -> u32 {
    static STAMPS: AtomicU32 = AtomicU32::new(1);
    STAMPS.fetch_add(1, Ordering::Relaxed)
}

fn connection(person: &PersonPlan, publish: Vec<TrackPlan>, begun: Instant) -> ConnectionPlan {
    ConnectionPlan { person: person.clone(), publish, begun, stamp: next_stamp() }
}

/// Of a step that should have been done by now.
fn late(what: &str, timeout: Duration) -> LoadError {
    LoadError::Target(format!("{what} within {}", seconds(timeout)))
}

fn seconds(time: Duration) -> String {
    format!("{} s", (time.as_secs_f64() * 10.0).round() / 10.0)
}

fn bad_sdp(error: &SdpError) -> LoadError {
    LoadError::Target(error.to_string())
}

/// The addresses that a server gave, for the error when none answers.
fn candidates(negotiated: &Negotiated) -> String {
    if negotiated.candidates.is_empty() {
        return "none: the server gave no candidate over UDP".to_owned();
    }
    let all: Vec<String> = negotiated.candidates.iter().map(ToString::to_string).collect();
    all.join(", ")
}

/// At most 160 characters of what a server said, on one line.
fn excerpt(text: &str) -> String {
    let flat = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut short: String = flat.chars().take(160).collect();
    if flat.chars().count() > 160 {
        short.push_str("...");
    }
    short
}
