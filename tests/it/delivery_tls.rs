//! Delivery over TLS: what is trusted, and what never goes out in clear text.

#![expect(clippy::unwrap_used, reason = "a test may fail")]

use std::sync::Arc;

use letterpress::{
    delivery::{Credentials, End, Relay, Security, ledger::Counts, transport::Smtp},
    error::Kind,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::{
    HandshakeKind, ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio_rustls::TlsAcceptor;

use crate::{
    delivery::{Desk, relay, trouble},
    delivery_relay::{Act, FakeRelay, Stage, Tls, say},
};

/// An authority in PEM, and a server that it vouches for under a name.
fn authority(name: &str) -> (Vec<u8>, TlsAcceptor) {
    authority_of(CertificateParams::new([name.to_owned()]).unwrap())
}

fn authority_of(server: CertificateParams) -> (Vec<u8>, TlsAcceptor) {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let ca = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = server.signed_by(&key, &ca).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.pem().as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap(),
        )
        .unwrap();
    (ca.pem().into_bytes(), TlsAcceptor::from(Arc::new(config)))
}

fn secured(server: &FakeRelay, security: Security, ca: &[u8]) -> Relay {
    Relay {
        host: "localhost".to_owned(),
        security,
        ca_file: Some(ca.to_vec()),
        credentials: Some(Credentials::new("me", "secret")),
        messages_per_connection: 2,
        ..relay(server)
    }
}

#[tokio::test]
async fn mail_goes_out_over_tls_and_only_over_tls() {
    for (security, clear) in [
        (Security::Implicit, vec![]),
        (Security::StartTls, vec!["EHLO client.test", "STARTTLS"]),
    ] {
        let (ca, acceptor) = authority("localhost");
        let tls = match security {
            Security::Implicit => Tls::Implicit(acceptor),
            _ => Tls::Later(acceptor),
        };
        let server = FakeRelay::with_tls(tls, |_| None).await;
        let relay = secured(&server, security, &ca);
        let desk = Desk::new(3, &relay).await;
        let summary = desk.send(relay).await;
        assert!(matches!(summary.end, End::Complete), "{:?}", summary.end);
        assert_eq!(server.connections(), 2);
        assert_eq!(server.copies().len(), 3);
        // Two connections.
        assert_eq!(server.log().clear, [clear.clone(), clear].concat());
        let auths = server.log().commands.concat();
        let auths = auths
            .iter()
            .filter(|line| line.starts_with("AUTH PLAIN"))
            .count();
        assert_eq!(auths, 2);
    }
}

/// A second connection costs no second certificate, nor its signature.
#[tokio::test]
async fn later_connections_take_up_the_session_of_earlier_ones() {
    for security in [Security::Implicit, Security::StartTls] {
        let (ca, acceptor) = authority("localhost");
        let tls = match security {
            Security::Implicit => Tls::Implicit(acceptor),
            _ => Tls::Later(acceptor),
        };
        let server = FakeRelay::with_tls(tls, |_| None).await;
        let relay = secured(&server, security, &ca);
        let desk = Desk::new(6, &relay).await;
        let summary = desk.send(relay).await;
        assert_eq!(summary.counts.sent, 6);
        assert_eq!(
            server.log().handshakes,
            [
                HandshakeKind::Full,
                HandshakeKind::Resumed,
                HandshakeKind::Resumed
            ]
        );
        // One turn a mail over TLS, too.
        assert_eq!(server.log().ahead, 3);
    }
}

#[tokio::test]
async fn who_cannot_be_trusted_gets_nothing() {
    let (ca, _) = authority("localhost");
    for name in ["localhost", "other.example"] {
        for security in [Security::Implicit, Security::StartTls] {
            let (own, acceptor) = authority(name);
            let tls = match security {
                Security::Implicit => Tls::Implicit(acceptor),
                _ => Tls::Later(acceptor),
            };
            // The right name by the wrong authority, and the wrong name by the right one.
            let trusted = if name == "localhost" { &ca } else { &own };
            let server = FakeRelay::with_tls(tls, |_| None).await;
            let relay = secured(&server, security, trusted);
            let desk = Desk::new(2, &relay).await;
            let summary = desk.send(relay).await;
            let error = trouble(&summary);
            assert_eq!(error.kind(), Kind::Unavailable, "{error}");
            assert!(error.to_string().contains("certificate"), "{error}");
            assert_eq!(
                summary.counts,
                Counts {
                    pending: 2,
                    ..Counts::default()
                }
            );
            assert_eq!(server.connections(), 1);
            let said = server.log().commands.concat().concat();
            assert!(!said.contains("AUTH") && !said.contains("MAIL"), "{said}");
        }
    }
}

#[tokio::test]
async fn a_certificate_that_has_expired_stops_the_run() {
    for security in [Security::Implicit, Security::StartTls] {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.not_after = rcgen::date_time_ymd(2020, 1, 1);
        let (ca, acceptor) = authority_of(params);
        let tls = match security {
            Security::Implicit => Tls::Implicit(acceptor),
            _ => Tls::Later(acceptor),
        };
        let server = FakeRelay::with_tls(tls, |_| None).await;
        let relay = secured(&server, security, &ca);
        let desk = Desk::new(2, &relay).await;
        let summary = desk.send(relay).await;
        let error = trouble(&summary);
        assert_eq!(error.kind(), Kind::Unavailable, "{error}");
        assert!(error.to_string().contains("expired"), "{error}");
        assert_eq!((summary.counts.pending, server.connections()), (2, 1));
    }
}

#[tokio::test]
async fn without_starttls_the_password_stays_here() {
    let (ca, _) = authority("localhost");
    // It offers AUTH in clear text, and a promise of TLS that it does not keep.
    for script in [
        |stage| (stage == Stage::Other).then_some(Act::Close),
        |stage| match stage {
            Stage::Hello => say("250-relay.test\r\n250-STARTTLS\r\n250 AUTH PLAIN"),
            Stage::StartTls => say("502 not today"),
            _ => None,
        },
        |stage| match stage {
            Stage::Hello => say("250-relay.test\r\n250-STARTTLS\r\n250 AUTH PLAIN"),
            // What a man in the middle would slip in before the handshake.
            Stage::StartTls => say("220 go ahead\r\n250-relay.test\r\n250 AUTH PLAIN"),
            _ => None,
        },
    ] {
        let server = FakeRelay::start(move |event| script(event.stage)).await;
        let relay = secured(&server, Security::StartTls, &ca);
        let desk = Desk::new(2, &relay).await;
        let summary = desk.send(relay).await;
        assert_eq!(trouble(&summary).kind(), Kind::Unavailable);
        assert_eq!(summary.counts.pending, 2);
        let said = server.log().commands.concat().concat();
        assert!(!said.contains("AUTH") && !said.contains("MAIL"), "{said}");
    }
}

#[tokio::test]
async fn certificates_that_cannot_be_read_are_bad_settings() {
    let server = FakeRelay::start(|_| None).await;
    for pem in [
        "",
        "nonsense",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    ] {
        let relay = secured(&server, Security::StartTls, pem.as_bytes());
        assert_eq!(
            Smtp::new(relay).unwrap_err().kind(),
            Kind::Settings,
            "{pem}"
        );
    }
    let clear = Relay {
        host: "smtp.example.com".to_owned(),
        security: Security::None,
        ..relay(&server)
    };
    assert_eq!(Smtp::new(clear).unwrap_err().kind(), Kind::Settings);
}
