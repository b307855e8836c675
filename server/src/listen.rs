//! The HTTP listeners: TCP, or TLS where a certificate is configured.

use crate::config::Http;
use anyhow::Context as _;
use poem::listener::{
    Acceptor, AcceptorExt as _, BoxAcceptor, IntoTlsConfigStream as _, RustlsCertificate,
    RustlsConfig, TcpAcceptor,
};
use poem::web::{LocalAddr, RemoteAddr};
use std::net::SocketAddr;
use std::time::Duration;

/// How long no connection is accepted after an accept failed, for example for want of file
/// descriptors: without a pause the loop would take a core for itself.
const PAUSE_AFTER_ERROR: Duration = Duration::from_millis(50);

/// Open listeners.
pub(crate) struct Listeners {
    /// What the server accepts from.
    pub(crate) acceptor: BoxAcceptor,
    /// Where they really listen: port 0 is replaced by the port the kernel chose.
    pub(crate) addrs: Vec<SocketAddr>,
}

impl std::fmt::Debug for Listeners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listeners").field("addrs", &self.addrs).finish_non_exhaustive()
    }
}

/// Opens every address of `http.listen`.
///
/// # Errors
/// An address is in use or not ours, or certificate and key are unusable; the text names the key.
pub(crate) async fn open(http: &Http) -> anyhow::Result<Listeners> {
    let mut addrs = Vec::new();
    let mut acceptor: Option<BoxAcceptor> = None;
    for addr in &http.listen.0 {
        let listener = tokio::net::TcpListener::bind(addr)
            .await
            .with_context(|| format!("http.listen: cannot listen on {addr}"))?;
        addrs.push(listener.local_addr()?);
        let one = Patient(TcpAcceptor::from_tokio(listener)?).boxed();
        acceptor = Some(match acceptor {
            Some(before) => Several(before, one).boxed(),
            None => one,
        });
    }
    let mut acceptor = acceptor.context("http.listen: no address")?;
    if let Some((cert, key)) = http.tls() {
        // Made into a server's configuration here, so that a bad file stops the start.
        let tls = read_tls(cert, key)?
            .into_stream()
            .context("http.tls_cert and http.tls_key cannot be used")?;
        acceptor = AfterTls { inner: acceptor, settled: false }.rustls(tls).boxed();
    }
    Ok(Listeners { acceptor, addrs })
}

fn read_tls(cert: &std::path::Path, key: &std::path::Path) -> anyhow::Result<RustlsConfig> {
    let read = |name: &str, path: &std::path::Path| {
        std::fs::read(path).with_context(|| format!("{name}: cannot read {}", path.display()))
    };
    let certificate =
        RustlsCertificate::new().cert(read("http.tls_cert", cert)?).key(read("http.tls_key", key)?);
    Ok(RustlsConfig::new().fallback(certificate))
}

/// The address to open in a browser.
#[must_use]
pub(crate) fn url(http: &Http, addr: SocketAddr) -> String {
    if let Some(url) = http.public_url.get() {
        return url.trim_end_matches('/').to_owned();
    }
    let scheme = if http.tls().is_some() { "https" } else { "http" };
    let ip = addr.ip();
    if ip.is_unspecified() || ip.is_loopback() {
        format!("{scheme}://localhost:{}", addr.port())
    } else {
        format!("{scheme}://{addr}")
    }
}

/// Lets the TLS acceptor around it take up its configuration before the first connection: it looks
/// at both at once and turns away a connection that it sees first.
struct AfterTls {
    inner: BoxAcceptor,
    settled: bool,
}

impl Acceptor for AfterTls {
    type Io = poem::listener::BoxIo;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.inner.local_addr()
    }

    async fn accept(
        &mut self,
    ) -> std::io::Result<(Self::Io, LocalAddr, RemoteAddr, poem::http::uri::Scheme)> {
        if !self.settled {
            self.settled = true;
            tokio::task::yield_now().await;
        }
        self.inner.accept().await
    }
}

/// Waits a little after a failed accept.
struct Patient<A>(A);

impl<A: Acceptor> Acceptor for Patient<A> {
    type Io = A::Io;

    fn local_addr(&self) -> Vec<LocalAddr> {
        self.0.local_addr()
    }

    async fn accept(
        &mut self,
    ) -> std::io::Result<(Self::Io, LocalAddr, RemoteAddr, poem::http::uri::Scheme)> {
        let accepted = self.0.accept().await;
        if let Err(error) = &accepted {
            tracing::warn!(%error, "a connection could not be accepted");
            tokio::time::sleep(PAUSE_AFTER_ERROR).await;
        }
        accepted
    }
}

/// Two acceptors as one.
struct Several(BoxAcceptor, BoxAcceptor);

impl Acceptor for Several {
    type Io = poem::listener::BoxIo;

    fn local_addr(&self) -> Vec<LocalAddr> {
        let mut all = self.0.local_addr();
        all.extend(self.1.local_addr());
        all
    }

    async fn accept(
        &mut self,
    ) -> std::io::Result<(Self::Io, LocalAddr, RemoteAddr, poem::http::uri::Scheme)> {
        tokio::select! {
            accepted = self.0.accept() => accepted,
            accepted = self.1.accept() => accepted,
        }
    }
}
