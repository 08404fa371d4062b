//! TLS between the processes of a cluster.
//!
//! Each process has a certificate of the cluster's own authority, shows it, and lets in only who shows one too: what
//! reaches a worker can read what the worker can read. Ballista's servers speak plainly and listen on this machine; before
//! each of them stands a port that takes TLS off. Ballista's clients are told to use TLS where they make their endpoints.

use std::fmt;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ballista_core::extension::EndpointOverrideFn;
use ballista_core::utils::create_grpc_client_endpoint;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector, client};
use tonic::transport::{Certificate, ClientTlsConfig, Endpoint, Identity};

use crate::error::Error;

/// The certificate of the authority, that of the process, and its key.
const FILES: [&str; 3] = ["ca.pem", "cert.pem", "key.pem"];
/// How long a connection may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(5);
/// After a connection that could not be accepted, when there are too many for example.
const PAUSE: Duration = Duration::from_millis(50);

/// The certificates of a process.
#[derive(Clone)]
pub struct Tls {
    client: ClientTlsConfig,
    connector: TlsConnector,
    acceptor: TlsAcceptor,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A key is nobody's business.
        f.write_str("Tls")
    }
}

impl Tls {
    /// Those in a folder: `ca.pem`, `cert.pem` and `key.pem`.
    ///
    /// # Errors
    /// A file that is missing or holds something else, a key of another certificate.
    pub fn read(folder: &Path) -> Result<Self, Error> {
        let input = |name: &str, reason: String| Error::Input { path: folder.join(name), reason };
        let read = |name: &str| std::fs::read(folder.join(name)).map_err(|error| input(name, error.to_string()));
        let [ca, cert, key] = [read(FILES[0])?, read(FILES[1])?, read(FILES[2])?];
        let certificates = |name: &str, text: &[u8]| {
            let found: Result<Vec<CertificateDer<'static>>, _> = CertificateDer::pem_slice_iter(text).collect();
            match found {
                Ok(found) if !found.is_empty() => Ok(found),
                Ok(_) => Err(input(name, "it has no certificate in PEM".to_owned())),
                Err(error) => Err(input(name, error.to_string())),
            }
        };
        let mut roots = RootCertStore::empty();
        for authority in certificates(FILES[0], &ca)? {
            roots.add(authority).map_err(|error| input(FILES[0], error.to_string()))?;
        }
        let roots = Arc::new(roots);
        let own = certificates(FILES[1], &cert)?;
        let secret = || PrivateKeyDer::from_pem_slice(&key).map_err(|error| input(FILES[2], error.to_string()));
        let unfit = |error: &dyn fmt::Display| input(FILES[1], error.to_string());
        let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());

        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::clone(&roots), Arc::clone(&provider)).build();
        let mut server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| unfit(&error))?
            .with_client_cert_verifier(verifier.map_err(|error| input(FILES[0], error.to_string()))?)
            .with_single_cert(own.clone(), secret()?)
            .map_err(|error| unfit(&error))?;
        server.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let plain = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unfit(&error))?
            .with_root_certificates(roots)
            .with_client_auth_cert(own, secret()?)
            .map_err(|error| unfit(&error))?;
        Ok(Self {
            client: ClientTlsConfig::new()
                .ca_certificate(Certificate::from_pem(&ca))
                .identity(Identity::from_pem(&cert, &key)),
            connector: TlsConnector::from(Arc::new(plain)),
            acceptor: TlsAcceptor::from(Arc::new(server)),
        })
    }

    /// An endpoint of a client that uses it.
    pub(super) fn over(&self, endpoint: Endpoint) -> Result<Endpoint, tonic::transport::Error> {
        endpoint.tls_config(self.client.clone())
    }

    /// How Ballista's own clients make their endpoints.
    pub(super) fn endpoints(&self) -> EndpointOverrideFn {
        let tls = self.clone();
        Arc::new(move |endpoint: Endpoint| {
            let address = endpoint.uri().to_string();
            let address = match address.strip_prefix("http://") {
                Some(place) => format!("https://{place}"),
                None => address,
            };
            // What a result takes has no bound, but what a connection takes.
            let endpoint = create_grpc_client_endpoint(address, None)?.connect_timeout(PATIENCE).tcp_nodelay(true);
            Ok(tls.over(endpoint)?)
        })
    }

    /// A connection for something else than calls.
    pub(super) async fn connect(&self, host: &str, stream: TcpStream) -> std::io::Result<client::TlsStream<TcpStream>> {
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(std::io::Error::other)?;
        self.connector.connect(name, stream).await
    }

    /// Lets in who has a certificate, and passes on what is said to a server on this machine; without end.
    pub(super) async fn admit(self, listener: TcpListener, server: SocketAddr) {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let acceptor = self.acceptor.clone();
            tokio::spawn(async move {
                let _ = stream.set_nodelay(true);
                let Ok(Ok(mut stream)) = tokio::time::timeout(PATIENCE, acceptor.accept(stream)).await else { return };
                let Ok(mut server) = TcpStream::connect(server).await else { return };
                let _ = server.set_nodelay(true);
                // Whoever ends it, it is over.
                let _ = copy_bidirectional(&mut stream, &mut server).await;
            });
        }
    }
}
