//! Datagrams of a connection that leave at the end of its turn, one behind the other.

/// Reused for all connections of a worker.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Vec<u8>,
    sizes: Vec<u16>,
}

impl Outbox {
    /// Bytes that wait.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// Adds what `write` puts into `max` bytes; gives whether it did.
    pub(super) fn push(
        &mut self,
        max: usize,
        write: impl FnOnce(&mut [u8]) -> Option<usize>,
    ) -> bool {
        let from = self.bytes.len();
        self.bytes.resize(from + max, 0);
        let len = write(&mut self.bytes[from..]).filter(|len| *len > 0 && *len <= max);
        self.bytes.truncate(from + len.unwrap_or(0));
        if let Some(len) = len {
            self.sizes.push(len as u16);
        }
        len.is_some()
    }

    /// All of it, as bytes and sizes.
    pub(super) fn contents(&self) -> (&[u8], &[u16]) {
        (&self.bytes, &self.sizes)
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.sizes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_written_is_kept() {
        let mut out = Outbox::default();
        assert!(out.push(10, |to| {
            to[..3].fill(7);
            Some(3)
        }));
        assert!(!out.push(10, |_| None));
        assert_eq!(out.contents(), (&[7, 7, 7][..], &[3][..]));
        out.clear();
        assert!(out.is_empty());
    }
}
