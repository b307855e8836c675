//! Choosing a backend.

use std::net::UdpSocket;

use crate::api::{Backend, BackendChoice, NetError, SocketConfig};
use crate::mmsg::MmsgBackend;
use crate::sys::socket::bind;

/// Opens a shard's socket with the backend asked for. With [`BackendChoice::Auto`] io_uring is
/// tried first; where the machine forbids or lacks it, mmsg is taken, one warning is logged and
/// the reason returned beside the backend.
///
/// # Errors
/// See [`NetError`].
pub fn open(
    choice: BackendChoice,
    cfg: &SocketConfig,
) -> Result<(Box<dyn Backend>, Option<String>), NetError> {
    let fallback = match choice {
        BackendChoice::Mmsg => None,
        BackendChoice::Auto => probe_io_uring().err(),
        BackendChoice::IoUring => {
            probe_io_uring().map_err(|reason| NetError::IoUring { reason })?;
            None
        }
    };
    let socket: UdpSocket =
        bind(cfg).map_err(|source| NetError::Bind { listen: cfg.listen, source })?;
    if let Some(reason) = &fallback {
        tracing::warn!(%reason, "io_uring cannot be used, taking the mmsg backend");
    }
    let backend = MmsgBackend::new(socket).map_err(NetError::Setup)?;
    Ok((Box::new(backend), fallback))
}

/// Whether io_uring can be used here, and if not, why.
///
/// # Errors
/// The reason.
pub fn probe_io_uring() -> Result<(), String> {
    Err("this build has no io_uring backend yet".into())
}
