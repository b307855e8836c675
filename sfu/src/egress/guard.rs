//! Guards the exit in debug builds: no number leaves twice on one SSRC (it would reuse an SRTP
//! nonce), and none far behind the newest.

#[cfg(debug_assertions)]
const WINDOW: usize = 1_024;

/// Numbers that left, as a window.
#[derive(Debug, Default)]
pub(crate) struct Guard {
    #[cfg(debug_assertions)]
    window: std::collections::VecDeque<u64>,
}

impl Guard {
    /// Notes a number that is about to be sealed.
    #[cfg(debug_assertions)]
    pub(crate) fn leaving(&mut self, index: u64) {
        debug_assert!(!self.window.contains(&index), "sequence number {index} left twice");
        if self.window.capacity() == 0 {
            self.window.reserve(WINDOW);
        }
        if self.window.len() >= WINDOW {
            self.window.pop_front();
        }
        self.window.push_back(index);
    }

    /// Does nothing in release builds.
    #[cfg(not(debug_assertions))]
    pub(crate) fn leaving(&mut self, _index: u64) {}
}
