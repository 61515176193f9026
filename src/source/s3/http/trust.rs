use std::error::Error;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::files::{InputKind, read_bytes};

/// Whose certificates are believed: those of the system, or those of `AWS_CA_BUNDLE`, as other AWS tools have it.
#[derive(Clone)]
pub(in crate::source::s3) struct Trust {
    bundle: Option<Arc<Vec<u8>>>,
    roots: Arc<RootCertStore>,
}

impl Trust {
    pub fn from_env() -> Result<Self, String> {
        match std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) {
            None => {
                let found = rustls_native_certs::load_native_certs();
                let mut roots = RootCertStore::empty();
                // Systems carry certificates that nobody can read; the others serve.
                roots.add_parsable_certificates(found.certs);
                Ok(Trust { bundle: None, roots: Arc::new(roots) })
            }
            Some(path) => {
                let path = PathBuf::from(path);
                let wrong = |problem: String| format!("AWS_CA_BUNDLE {}: {problem}", path.display());
                let pem = read_bytes(&path, InputKind::CaBundle).map_err(|error| wrong(error.to_string()))?;
                let roots = roots(&pem).map_err(wrong)?;
                Ok(Trust { bundle: Some(Arc::new(pem)), roots: Arc::new(roots) })
            }
        }
    }

    pub fn bundle(&self) -> Option<&[u8]> {
        self.bundle.as_deref().map(Vec::as_slice)
    }

    pub fn tls(&self) -> ClientConfig {
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("the provider has the cipher suites of both versions of TLS")
            .with_root_certificates(Arc::clone(&self.roots))
            .with_no_client_auth()
    }
}

/// Whether a request failed because the server's certificate is not believed. Asking again would not change that.
pub(in crate::source::s3) fn certificate_refused(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(rustls::Error::InvalidCertificate(_)) = error.downcast_ref() {
            return true;
        }
        // `source` of an I/O error leaves out what it wraps.
        let wrapped = error.downcast_ref().and_then(io::Error::get_ref).map(|inner| inner as &(dyn Error + 'static));
        cause = wrapped.or_else(|| error.source());
    }
    false
}

fn roots(pem: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| error.to_string())?;
        roots.add(certificate).map_err(|error| error.to_string())?;
    }
    if roots.is_empty() { Err("there is no certificate in it".to_owned()) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_without_certificates_is_refused() {
        assert!(roots(b"").unwrap_err().contains("no certificate"));
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
