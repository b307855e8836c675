//! A server process that ends with the test.

#![allow(dead_code, reason = "not every file of tests uses all of it")]

use crate::common::Folder;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Its log, in its folder.
const LOG: &str = "weir.log";

/// The log's end that is shown with a failed test.
const LOG_LINES_SHOWN: usize = 60;

/// `weir serve` with a folder of its own and free ports on loopback.
pub(crate) struct Running {
    child: Child,
    /// What it said it can be reached at.
    pub(crate) url: String,
    folder: Arc<Folder>,
}

impl Running {
    /// Starts it with these `WEIR__` variables and waits until it says it is ready.
    pub(crate) fn start(folder: impl Into<Arc<Folder>>, env: &[(&str, &str)]) -> Self {
        let folder = folder.into();
        let log = File::create(folder.path().join(LOG)).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
            .arg("serve")
            .current_dir(folder.path())
            .env("WEIR__HTTP__LISTEN", "127.0.0.1:0")
            .env("WEIR__MEDIA__LISTEN", "127.0.0.1:0")
            .env("WEIR__MEDIA__SHARDS", "1")
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("Weir is ready: ").map(ToOwned::to_owned);
        let Some(url) = url else {
            let _ = child.kill();
            let log = std::fs::read_to_string(folder.path().join(LOG)).unwrap_or_default();
            panic!("it did not start: {line:?}\n{log}");
        };
        Self { child, url, folder }
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join(LOG)).unwrap_or_default()
    }

    /// Its folder, to start another one in.
    pub(crate) fn folder(&self) -> Arc<Folder> {
        Arc::clone(&self.folder)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// `host:port` of the URL, with the address in place of `localhost`.
    pub(crate) fn authority(&self) -> String {
        let (_, authority) = self.url.split_once("://").unwrap();
        authority.replace("localhost", "127.0.0.1")
    }

    /// Sends a signal, for example `TERM`.
    pub(crate) fn signal(&self, name: &str) {
        let arguments = ["-s".to_owned(), name.to_owned(), self.child.id().to_string()];
        assert!(Command::new("kill").args(arguments).status().unwrap().success());
    }

    /// Waits for its end; `None` when it takes longer than `most`.
    pub(crate) fn wait(&mut self, most: Duration) -> Option<ExitStatus> {
        let begin = Instant::now();
        while begin.elapsed() < most {
            if let Some(status) = self.child.try_wait().unwrap() {
                return Some(status);
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            let shown = lines.len().saturating_sub(LOG_LINES_SHOWN);
            eprintln!("the server's log ends with:\n{}", lines[shown..].join("\n"));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
