//! Choosing a backend.

use std::sync::Once;

use crate::api::{Backend, BackendChoice, NetError, SocketConfig};
use crate::mmsg::MmsgBackend;
use crate::sys::ring::RingParts;
use crate::sys::socket::bind;
use crate::uring::{self, UringBackend};

/// Several shards fall back for the same reason: one line is enough.
static FALLBACK_LOGGED: Once = Once::new();

/// Opens a shard's socket with the backend asked for. With [`BackendChoice::Auto`] io_uring is
/// tried first; where the machine forbids or lacks it, mmsg is taken, the process's first such
/// fallback is logged as a warning, and the reason is returned beside the backend.
///
/// # Errors
/// See [`NetError`].
pub fn open(
    choice: BackendChoice,
    cfg: &SocketConfig,
) -> Result<(Box<dyn Backend>, Option<String>), NetError> {
    let ring = match choice {
        BackendChoice::Mmsg => None,
        BackendChoice::Auto | BackendChoice::IoUring => {
            Some(probe_io_uring().and_then(|()| RingParts::new()))
        }
    };
    let bind = || bind(cfg).map_err(|source| NetError::Bind { listen: cfg.listen, source });
    let fallback = match ring {
        Some(Ok(parts)) => {
            let backend = UringBackend::new(parts, bind()?).map_err(NetError::Setup)?;
            return Ok((Box::new(backend), None));
        }
        Some(Err(reason)) if choice == BackendChoice::IoUring => {
            return Err(NetError::IoUring { reason });
        }
        Some(Err(reason)) => Some(reason),
        None => None,
    };
    let backend = MmsgBackend::new(bind()?).map_err(NetError::Setup)?;
    if let Some(reason) = &fallback {
        FALLBACK_LOGGED.call_once(|| {
            tracing::warn!(%reason, "io_uring cannot be used, taking the mmsg backend");
        });
    }
    Ok((Box::new(backend), fallback))
}

/// Whether io_uring can be used here: sets up a ring and exchanges datagrams with itself over
/// the loopback interface, as the backend would. Takes about a millisecond.
///
/// # Errors
/// What did not work.
pub fn probe_io_uring() -> Result<(), String> {
    uring::probe()
}
