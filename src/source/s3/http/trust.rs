use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::super::causes::causes;
use super::super::setting_error::SettingError;
use crate::files::{InputKind, read_bytes};

/// The trusted CA certificates: those of the system, or those of the file that the configuration names, as in other AWS
/// tools.
#[derive(Clone)]
pub(in crate::source::s3) struct Trust {
    bundle: Option<Arc<Vec<u8>>>,
    roots: Arc<RootCertStore>,
}

/// Trusts no certificate.
impl Default for Trust {
    fn default() -> Self {
        Trust { bundle: None, roots: Arc::new(RootCertStore::empty()) }
    }
}

impl Trust {
    /// `bundle` is the name of the setting, and the path of the CA file that it names.
    ///
    /// # Errors
    ///
    /// The file cannot be read or holds no usable certificate.
    pub(crate) fn of(bundle: Option<(String, &str)>) -> Result<Self, SettingError> {
        match bundle {
            None => {
                let found = rustls_native_certs::load_native_certs();
                let mut roots = RootCertStore::empty();
                // System stores contain certificates that cannot be parsed; the others are used.
                roots.add_parsable_certificates(found.certs);
                Ok(Trust { bundle: None, roots: Arc::new(roots) })
            }
            Some((setting, path)) => {
                let wrong =
                    |problem: &dyn Error| SettingError::new(format!("{setting} {path}: {problem}")).of(&setting);
                let pem =
                    read_bytes(Path::new(path), InputKind::CaBundle).map_err(|error| wrong(&error).caused_by(error))?;
                let roots = roots(&pem).map_err(|error| wrong(&error).caused_by(error))?;
                Ok(Trust { bundle: Some(Arc::new(pem)), roots: Arc::new(roots) })
            }
        }
    }

    /// The PEM text of the configured CA file.
    pub(crate) fn bundle(&self) -> Option<&[u8]> {
        self.bundle.as_deref().map(Vec::as_slice)
    }

    /// A TLS configuration that trusts these certificates.
    #[expect(clippy::expect_used, reason = "the provider and the versions are constants, and a test makes this call")]
    pub(crate) fn tls(&self) -> ClientConfig {
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the cipher suites of both versions of TLS")
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth()
    }
}

/// Whether a request failed because the server's certificate is not trusted. A retry would fail too.
pub(in crate::source::s3) fn certificate_refused(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| matches!(cause.downcast_ref(), Some(rustls::Error::InvalidCertificate(_))))
}

/// Whether a server answered the TLS handshake with something else. A retry would fail too.
pub(in crate::source::s3) fn no_tls(error: &(dyn Error + 'static)) -> bool {
    causes(error).any(|cause| matches!(cause.downcast_ref(), Some(rustls::Error::InvalidMessage(_))))
}

/// Why a file contains no usable certificates.
#[derive(Debug, thiserror::Error)]
enum BundleError {
    #[error(transparent)]
    Pem(#[from] rustls::pki_types::pem::Error),
    #[error(transparent)]
    Certificate(#[from] rustls::Error),
    #[error("there is no certificate in it")]
    Empty,
}

fn roots(pem: &[u8]) -> Result<RootCertStore, BundleError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate?)?;
    }
    if roots.is_empty() { Err(BundleError::Empty) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_bundle_without_certificates_is_refused() {
        assert!(roots(b"").unwrap_err().to_string().contains("no certificate"));
        assert!(roots(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").is_err());
    }

    #[test]
    fn a_refused_certificate_is_found_under_what_wraps_it() {
        let refused = rustls::Error::InvalidCertificate(rustls::CertificateError::UnknownIssuer);
        let wrapped = io::Error::other(io::Error::new(io::ErrorKind::InvalidData, refused));
        assert!(certificate_refused(&wrapped));
        assert!(!certificate_refused(&io::Error::other(rustls::Error::HandshakeNotComplete)));
        assert!(!certificate_refused(&io::Error::from(io::ErrorKind::ConnectionReset)));
    }
}
