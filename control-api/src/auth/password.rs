//! Password hashing with Argon2id, off the async threads and a bounded number at a time.

use crate::{Error, Result};
use argon2::password_hash::phc::PasswordHash;
use argon2::{Argon2, PasswordHasher, PasswordVerifier};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Semaphore;

/// Each hash needs 19 MiB and some 20 ms of a core: two at a time leave the media its cores.
const AT_ONCE: usize = 2;
/// Who comes when so many wait already is sent away: 64 x 20 ms / 2 is below a second.
const MOST_WAITING: usize = 64;

/// Hashes and checks passwords.
#[derive(Debug)]
pub struct Passwords {
    permits: Semaphore,
    waiting: AtomicUsize,
    decoy: String,
}

impl Passwords {
    /// Ready for use.
    ///
    /// # Errors
    /// When hashing does not work at all.
    pub fn new() -> Result<Self> {
        let decoy = hash(&super::secret::token(""))?;
        Ok(Self { permits: Semaphore::new(AT_ONCE), waiting: AtomicUsize::new(0), decoy })
    }

    /// The hash to store for a password.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait.
    pub async fn hash(&self, password: &str) -> Result<String> {
        let password = password.to_owned();
        self.run(move || hash(&password)).await?
    }

    /// Whether a password fits a stored hash. Without a hash it takes as long and is false, so
    /// that time does not tell whether there is one.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when too many wait.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<bool> {
        let (password, known) = (password.to_owned(), stored.is_some());
        let stored = stored.unwrap_or(&self.decoy).to_owned();
        self.run(move || {
            PasswordHash::new(&stored).is_ok_and(|stored| {
                Argon2::default().verify_password(password.as_bytes(), &stored).is_ok()
            }) && known
        })
        .await
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        struct Waiting<'a>(&'a AtomicUsize);
        impl Drop for Waiting<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(&self.waiting);
        if before >= MOST_WAITING {
            return Err(Error::Unavailable("too many logins at once"));
        }
        let _permit = self.permits.acquire().await.map_err(Error::internal)?;
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }
}

fn hash(password: &str) -> Result<String> {
    Argon2::default()
        .hash_password(password.as_bytes())
        .map(|hash| hash.to_string())
        .map_err(|error| Error::internal(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::Passwords;

    #[tokio::test]
    async fn only_the_right_password_fits() {
        let passwords = Passwords::new().unwrap();
        let stored = passwords.hash("pass123").await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(passwords.verify("pass123", Some(&stored)).await.unwrap());
        assert!(!passwords.verify("pass124", Some(&stored)).await.unwrap());
        assert!(!passwords.verify("pass123", None).await.unwrap());
        assert!(!passwords.verify("pass123", Some("nonsense")).await.unwrap());
    }
}
