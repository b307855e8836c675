//! Why the media plane did not do what was asked.

use weir_sfu_api::ApiError;

/// A failed request to a shard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MediaError {
    /// The shard refused; its text is fit for clients.
    #[error("{0}")]
    Refused(#[from] ApiError),
    /// No answer in time: the shard is stuck or gone.
    #[error("the media server did not answer")]
    NoAnswer,
    /// The shard answered something else than was asked for. A fault of ours.
    #[error("the media server answered out of turn")]
    OutOfTurn,
}

impl From<MediaError> for crate::Error {
    fn from(error: MediaError) -> Self {
        match error {
            MediaError::Refused(ApiError::UnknownPeer) => Self::NotFound("no such peer"),
            MediaError::Refused(ApiError::UnknownRoom) => Self::NotFound("no such room"),
            MediaError::Refused(ApiError::BadOffer(reason)) => Self::BadRequest(reason),
            MediaError::Refused(ApiError::Limit(_)) => {
                Self::Unavailable("the media server is at its limit")
            }
            MediaError::NoAnswer => Self::Unavailable("the media server did not answer"),
            other => Self::internal(other),
        }
    }
}
