//! A server process that ends with the test.

use super::Folder;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// `weir serve` with a folder of its own and free ports on loopback.
pub(crate) struct Running {
    child: Child,
    /// What it said it can be reached at.
    pub(crate) url: String,
    _folder: Folder,
}

impl Running {
    /// Starts it with these `WEIR__` variables and waits until it says it is ready.
    pub(crate) fn start(folder: Folder, env: &[(&str, &str)]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_weir"))
            .arg("serve")
            .current_dir(folder.path())
            .env("WEIR__HTTP__LISTEN", "127.0.0.1:0")
            .env("WEIR__MEDIA__LISTEN", "127.0.0.1:0")
            .env("WEIR__MEDIA__SHARDS", "1")
            .envs(env.iter().copied())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("Weir is ready: ").map(ToOwned::to_owned);
        let Some(url) = url else {
            let _ = child.kill();
            panic!("it did not start: {line:?}");
        };
        Self { child, url, _folder: folder }
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
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
