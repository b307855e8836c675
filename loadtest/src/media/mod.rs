//! What clients send: synthetic or recorded frames, cut into packets that say when they were sent.

use crate::error::LoadError;
use crate::plan::TrackPlan;

/// Where a track's payloads come from.
#[derive(Debug, Clone)]
pub struct Media {}

impl Media {
    /// Of a track. Recordings are read once and shared.
    ///
    /// # Errors
    /// When a recording cannot be read.
    pub fn of(_plan: &TrackPlan) -> Result<Self, LoadError> {
        Ok(Self {})
    }
}
