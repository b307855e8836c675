//! As many open files as the system lets us have: each connection is a socket.

use crate::error::LoadError;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Raises the soft limit to the hard one. Gives how many files may be open.
pub(crate) fn raise() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let most = limit.maximum.unwrap_or(u64::MAX);
    if limit.current.is_some_and(|current| current < most) {
        // Where even that is refused, opening says so.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    }
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// What an error of opening a socket means.
pub(crate) fn explain(error: &std::io::Error) -> LoadError {
    // EMFILE and ENFILE.
    if matches!(error.raw_os_error(), Some(23 | 24)) {
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        return LoadError::Local(format!(
            "cannot open a socket: {error}; {limit} files may be open, each connection takes one (see `ulimit -n`, \
             `ulimit -Hn`)"
        ));
    }
    LoadError::Local(format!("cannot open a socket: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_many_files_name_ulimit() {
        let error = std::io::Error::from_raw_os_error(24);
        assert!(explain(&error).to_string().contains("ulimit -n"));
        assert!(raise() > 0);
    }
}
