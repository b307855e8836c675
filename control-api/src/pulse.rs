//! Whether a task still turns: it answers pings between two events.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// Pings that may wait; who asks when there are more waits too, inside of its own time limit.
const WAITING: usize = 16;

/// The end of who asks.
#[derive(Debug)]
pub(crate) struct Pulse {
    ask: mpsc::Sender<oneshot::Sender<()>>,
    beats: Mutex<Option<Beats>>,
}

/// The end of the task.
#[derive(Debug)]
pub(crate) struct Beats(mpsc::Receiver<oneshot::Sender<()>>);

impl Pulse {
    pub(crate) fn new() -> Self {
        let (ask, asked) = mpsc::channel(WAITING);
        Self { ask, beats: Mutex::new(Some(Beats(asked))) }
    }

    /// What the task answers through; `None` when another one has it.
    pub(crate) fn take(&self) -> Option<Beats> {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether the task answers in time. One that has ended, by a panic too, does not.
    pub(crate) async fn beats(&self, within: Duration) -> bool {
        let asked = async {
            let (answer, answered) = oneshot::channel();
            self.ask.send(answer).await.is_ok() && answered.await.is_ok()
        };
        tokio::time::timeout(within, asked).await.unwrap_or(false)
    }
}

impl Beats {
    /// Waits for a ping and answers it. Nothing is lost when this is cancelled.
    pub(crate) async fn answer(beats: &mut Option<Self>) {
        let asked = match beats {
            Some(Self(asked)) => asked.recv().await,
            None => None,
        };
        match asked {
            // Who asked may have given up.
            Some(answer) => _ = answer.send(()),
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Beats, Pulse};
    use std::sync::Arc;
    use std::time::Duration;

    #[tokio::test]
    async fn only_a_task_that_turns_has_a_pulse() {
        let pulse = Arc::new(Pulse::new());
        let (moment, patience) = (Duration::from_millis(20), Duration::from_secs(20));
        assert!(!pulse.beats(moment).await, "nobody has begun to answer");
        let mut beats = pulse.take();
        assert!(pulse.take().is_none());
        let task = tokio::spawn(async move {
            loop {
                Beats::answer(&mut beats).await;
            }
        });
        assert!(pulse.beats(patience).await);
        task.abort();
        let _ = task.await;
        assert!(!pulse.beats(patience).await, "the task has ended");
    }
}
