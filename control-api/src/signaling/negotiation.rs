//! One client's PeerConnection: from the text of an offer to the text of an answer.

use crate::auth::secret;
use crate::media::{MediaError, MediaHub, NewPeer, PeerEvent, PeerHandle};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::mpsc;
use weir_sdp::{
    Capabilities, IceFragment, Offer, SdpError, SessionId, negotiate, parse_offer, write_answer,
    write_ice_fragment,
};
use weir_sfu_api::{
    Direction, Fingerprint, MediaDescription, MediaKind, PeerId, Rights, SlotPolicy, SourceKind,
};

/// Why an offer was not answered.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OfferError {
    /// The client's text.
    #[error(transparent)]
    Sdp(#[from] SdpError),
    /// The media server.
    #[error(transparent)]
    Media(#[from] MediaError),
}

impl From<OfferError> for crate::Error {
    fn from(error: OfferError) -> Self {
        match error {
            OfferError::Sdp(error) => Self::BadRequest(error.to_string()),
            OfferError::Media(error) => error.into(),
        }
    }
}

/// Who negotiates.
#[derive(Debug, Clone)]
pub(crate) struct Negotiator {
    pub(crate) hub: Arc<MediaHub>,
    pub(crate) capabilities: Capabilities,
    pub(crate) new: NewPeer,
}

/// A PeerConnection that has been answered at least once.
#[derive(Debug)]
pub(crate) struct Connection {
    handle: PeerHandle,
    events: mpsc::Receiver<PeerEvent>,
    session: SessionId,
    offer: Offer,
    description: MediaDescription,
}

impl Connection {
    pub(crate) fn peer(&self) -> PeerId {
        self.handle.id()
    }

    /// Gives the events to someone else; [`Self::event`] then says that it is over.
    pub(crate) fn take_events(&mut self) -> mpsc::Receiver<PeerEvent> {
        std::mem::replace(&mut self.events, mpsc::channel(1).1)
    }

    /// The next event; the channel's end counts as one.
    pub(crate) async fn event(&mut self) -> Option<PeerEvent> {
        self.events.recv().await
    }

    pub(crate) fn ice_ufrag(&self) -> &str {
        &self.description.transport.ice.ufrag
    }
}

impl Negotiator {
    /// Answers an offer: the first one, one that follows, or the first of a new PeerConnection
    /// that takes the place of the one before (its certificate tells).
    ///
    /// On an error `connection` is as before, unless the peer is gone.
    pub(crate) async fn offer(
        &mut self,
        connection: &mut Option<Connection>,
        sdp: &str,
        sources: &BTreeMap<String, SourceKind>,
        rights: Rights,
    ) -> Result<String, OfferError> {
        let offer = parse_offer(sdp)?;
        let description = negotiate(&offer, &self.capabilities, sources)?;
        if connection
            .as_ref()
            .is_some_and(|known| !same_certificate(&known.description, &description))
        {
            *connection = None;
        }
        self.apply(connection, offer, description, rights).await
    }

    /// As [`Self::offer`], for WHEP players: with at most one audio and one video m-line they get
    /// the dominant speaker's.
    pub(crate) async fn player_offer(
        &mut self,
        connection: &mut Option<Connection>,
        offer: Offer,
        description: MediaDescription,
        rights: Rights,
    ) -> Result<String, OfferError> {
        let lines = |kind: MediaKind| {
            description.sections.iter().filter(|section| section.kind == kind).count()
        };
        if lines(MediaKind::Audio) <= 1 && lines(MediaKind::Video) <= 1 {
            self.new.slots = SlotPolicy::Dominant;
        }
        self.apply(connection, offer, description, rights).await
    }

    pub(crate) async fn apply(
        &mut self,
        connection: &mut Option<Connection>,
        offer: Offer,
        description: MediaDescription,
        rights: Rights,
    ) -> Result<String, OfferError> {
        if let Some(known) = connection {
            let answer = match self.hub.offer(known.peer(), description.clone()).await {
                Ok(answer) => answer,
                Err(MediaError::Refused(weir_sfu_api::ApiError::UnknownPeer)) => {
                    *connection = None;
                    return self.first(connection, offer, description, rights).await;
                }
                Err(error) => return Err(error.into()),
            };
            known.session.version = known.session.version.saturating_add(1);
            let text = write_answer(
                &offer,
                &description,
                &answer.transport,
                &answer.media,
                &known.session,
            );
            known.offer = offer;
            known.description = description;
            return Ok(text);
        }
        self.first(connection, offer, description, rights).await
    }

    async fn first(
        &mut self,
        connection: &mut Option<Connection>,
        offer: Offer,
        description: MediaDescription,
        rights: Rights,
    ) -> Result<String, OfferError> {
        let new = NewPeer { rights, ..self.new.clone() };
        let (handle, events) = self.hub.join(new).await?;
        let answer = self.hub.offer(handle.id(), description.clone()).await?;
        // RFC 8829 5.2.1 wants a random 63 bit number.
        let session = SessionId { id: u64::from_le_bytes(secret::bytes()) >> 1, version: 1 };
        let text = write_answer(&offer, &description, &answer.transport, &answer.media, &session);
        *connection = Some(Connection { handle, events, session, offer, description });
        Ok(text)
    }

    /// Restarts ICE by a fragment with new credentials; answers with the server's.
    pub(crate) async fn restart(
        &self,
        connection: &mut Connection,
        fragment: &IceFragment,
    ) -> Result<String, OfferError> {
        let mut transport = connection.description.transport.clone();
        if let Some(ice) = &fragment.ice {
            transport.ice = ice.clone();
        }
        let answer = self.hub.ice_restart(connection.peer(), transport.clone()).await?;
        connection.description.transport = transport;
        Ok(write_ice_fragment(&connection.offer, &connection.description, &answer.transport))
    }
}

/// An offer with other fingerprints comes from another PeerConnection.
fn same_certificate(before: &MediaDescription, now: &MediaDescription) -> bool {
    let known = |print: &Fingerprint| before.transport.fingerprints.contains(print);
    now.transport.fingerprints.iter().any(known)
}

/// What an offer's m-lines do, for WHIP (publishes only) and WHEP (plays only).
pub(crate) fn directions(description: &MediaDescription) -> (bool, bool) {
    let any = |test: fn(Direction) -> bool| {
        description.sections.iter().any(|section| test(section.direction))
    };
    (any(Direction::sends), any(Direction::receives))
}

/// `tracks` of an offer message: what each mid shows.
pub(crate) fn source_from_word(word: &str) -> Option<SourceKind> {
    use SourceKind::{Camera, Microphone, Screen, ScreenAudio};
    [Camera, Microphone, Screen, ScreenAudio].into_iter().find(|source| source.as_str() == word)
}
