//! The server's side of TLS: a certificate and a key become an acceptor.

use std::sync::Arc;

use rustls::{
    ServerConfig,
    crypto::aws_lc_rs::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio_rustls::TlsAcceptor;

use super::Tls;
use crate::error::{Error, Kind, Result};

/// Reads the certificate and the key, and checks that they belong together.
pub(super) fn acceptor(tls: &Tls) -> Result<TlsAcceptor> {
    let bad = |what: &str, cause: &dyn std::error::Error| {
        Error::new(
            Kind::Settings,
            format!("cannot use the {what} of the inbox"),
        )
        .because(cause)
    };
    let chain = CertificateDer::pem_slice_iter(&tls.cert_pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|cause| bad("certificate", &cause))?;
    if chain.is_empty() {
        return Err(bad("certificate", &rustls::Error::NoCertificatesPresented)
            .hint("A PEM file has a part that begins with `-----BEGIN CERTIFICATE-----`."));
    }
    let key = PrivateKeyDer::from_pem_slice(&tls.key_pem).map_err(|cause| bad("key", &cause))?;
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|cause| bad("certificate and key", &cause))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(cert_pem: &str, key_pem: &str) -> String {
        let tls = Tls {
            cert_pem: cert_pem.into(),
            key_pem: key_pem.into(),
        };
        match acceptor(&tls) {
            Ok(_) => "fine".to_owned(),
            Err(error) => error.message().to_owned(),
        }
    }

    #[test]
    fn a_certificate_needs_its_own_key() {
        let names = ["localhost".to_owned()];
        let ours = rcgen::generate_simple_self_signed(names.clone()).unwrap();
        let others = rcgen::generate_simple_self_signed(names).unwrap();
        let key = ours.signing_key.serialize_pem();
        assert_eq!(message(&ours.cert.pem(), &key), "fine");
        assert_eq!(
            message(&others.cert.pem(), &key),
            "cannot use the certificate and key of the inbox"
        );
        assert_eq!(message("", &key), "cannot use the certificate of the inbox");
        assert_eq!(
            message(&ours.cert.pem(), ""),
            "cannot use the key of the inbox"
        );
    }
}
