//! The connections of one person.

use super::{late, seconds};
use crate::engine::{Connection, Ended, Negotiated};
use crate::error::LoadError;
use futures_util::future::select_all;
use std::time::Duration;

/// Connections that end together.
#[derive(Debug, Default)]
pub(super) struct Links {
    all: Vec<Link>,
}

#[derive(Debug)]
struct Link {
    connection: Connection,
    /// Where the server is, for error texts.
    remote: String,
    connected: bool,
}

impl Links {
    /// Adds one, which begins to connect; gives its number.
    pub(super) fn connect(&mut self, connection: Connection, negotiated: Negotiated) -> usize {
        let remote = super::candidates(&negotiated);
        connection.connect(negotiated);
        self.all.push(Link { connection, remote, connected: false });
        self.all.len() - 1
    }

    /// One of them.
    pub(super) fn get(&self, number: usize) -> Option<&Connection> {
        self.all.get(number).map(|link| &link.connection)
    }

    pub(super) fn is_connected(&self) -> bool {
        self.all.iter().all(|link| link.connected)
    }

    /// The next change: somebody connected, or, as an error, somebody ended. For ever without any.
    pub(super) async fn next(&mut self) -> Result<(), String> {
        if self.all.is_empty() {
            return std::future::pending().await;
        }
        let each = self.all.iter_mut().map(|link| Box::pin(link.next()));
        select_all(each).await.0
    }

    /// Waits until all are connected.
    pub(super) async fn connected(&mut self, timeout: Duration) -> Result<(), LoadError> {
        let all = async {
            while !self.is_connected() {
                self.next().await?;
            }
            Ok(())
        };
        match tokio::time::timeout(timeout, all).await {
            Ok(done) => done.map_err(LoadError::Target),
            Err(_) => Err(self.late(timeout)),
        }
    }

    /// What to say when they should all be connected by now.
    pub(super) fn late(&self, timeout: Duration) -> LoadError {
        let waiting = self.all.iter().find(|link| !link.connected);
        let remote = waiting.map_or("", |link| link.remote.as_str());
        late(&format!("no media connection (ICE and DTLS) to {remote}"), timeout)
    }

    /// Waits until one ends, and says why.
    pub(super) async fn ended(&mut self) -> String {
        loop {
            if let Err(why) = self.next().await {
                return why;
            }
        }
    }
}

impl Link {
    async fn next(&mut self) -> Result<(), String> {
        if self.connected {
            return Err(explain(&self.connection.ended().await, &self.remote));
        }
        match self.connection.connected().await {
            Ok(()) => {
                self.connected = true;
                Ok(())
            }
            Err(ended) => Err(explain(&ended, &self.remote)),
        }
    }
}

fn explain(ended: &Ended, remote: &str) -> String {
    match ended {
        Ended::Closed => "the connection was closed here".to_owned(),
        Ended::NoAnswerToChecks => {
            format!(
                "nobody answered the checks of ICE within {} (candidates: {remote})",
                seconds(Duration::from_secs(10))
            )
        }
        Ended::Handshake(why) => format!("the DTLS handshake failed: {why}"),
        Ended::ConsentLost => "the server no longer answers (consent lost, RFC 7675)".to_owned(),
        Ended::ClosedByPeer => "the server closed the media connection".to_owned(),
    }
}
