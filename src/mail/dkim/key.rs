//! Private keys, from the PEM that openssl writes.

use std::fmt;

use aws_lc_rs::{
    digest::Digest,
    encoding::AsDer,
    rsa,
    signature::{Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256},
};
use rustls::pki_types::pem::{self, SectionKind};

use crate::error::{Error, Kind, Result};

/// The kinds of keys that DKIM knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with 2048 to 4096 bits (RFC 8301): what every receiver reads.
    Rsa,
    /// Ed25519 (RFC 8463): short and quick, and not read by all.
    Ed25519,
}

impl KeyKind {
    /// As `k=` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
        }
    }

    /// The command that makes a key.
    fn recipe(self) -> &'static str {
        match self {
            Self::Rsa => "openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out FILE",
            Self::Ed25519 => "openssl genpkey -algorithm ED25519 -out FILE",
        }
    }
}

/// A private key; it has no way to be printed.
pub struct Key(Pair);

/// The prepared forms, which many threads use at once.
enum Pair {
    Rsa(Box<rsa::KeyPair>),
    Ed25519(Box<Ed25519KeyPair>),
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.kind().name())
    }
}

impl Key {
    /// Reads the text of a PEM file, which is to hold a key of this kind: PKCS #8, or for RSA PKCS #1.
    ///
    /// # Errors
    ///
    /// When it holds something else; what it holds is not told.
    pub fn from_pem(text: &str, wanted: KeyKind) -> Result<Self> {
        let make = format!("Make one with `{}`.", wanted.recipe());
        let wrong = |what: &str| Error::new(Kind::Settings, what).hint(make.clone());
        if text.contains("BEGIN ENCRYPTED") || text.contains("Proc-Type: 4,ENCRYPTED") {
            return Err(Error::new(Kind::Settings, "the key is locked with a passphrase").hint(
                "Write it without one, to a file that only its owner can read: `openssl pkey -in LOCKED -out FILE`.",
            ));
        }
        if text.contains("BEGIN OPENSSH PRIVATE KEY") {
            return Err(wrong("this is a key for SSH"));
        }
        let mut rest = text.as_bytes();
        let key = loop {
            match pem::from_buf(&mut rest) {
                Ok(Some((SectionKind::PrivateKey, der))) => break Self::from_pkcs8(&der),
                Ok(Some((SectionKind::RsaPrivateKey, der))) => break Self::rsa_from_pkcs1(&der),
                Ok(Some((SectionKind::EcPrivateKey, _))) => break Err("this is an EC key"),
                Ok(Some((SectionKind::PublicKey, _))) => {
                    break Err("this is a public key, and a private one is needed");
                }
                Ok(Some((SectionKind::Certificate, _))) => {
                    break Err("this is a certificate, and a private key is needed");
                }
                Ok(Some(_)) => {}
                Ok(None) => break Err("this is not a private key in PEM"),
                Err(_) => break Err("the key is damaged: it cannot be read as PEM"),
            }
        }
        .map_err(wrong)?;
        match (wanted, key.kind()) {
            (KeyKind::Rsa, KeyKind::Ed25519) => Err(wrong(
                "this is an Ed25519 key, and an RSA key is needed",
            )
            .hint("Not every receiver reads Ed25519, so it can only be added to an RSA key: set `ed25519_selector` and `ed25519_key_file` for it.")),
            (KeyKind::Ed25519, KeyKind::Rsa) => {
                Err(wrong("this is an RSA key, and an Ed25519 key is needed"))
            }
            _ => Ok(key),
        }
    }

    fn from_pkcs8(der: &[u8]) -> Result<Self, &'static str> {
        // The object identifier (RFC 5958 2) tells the kinds from each other.
        let holds = |oid: &[u8]| memchr::memmem::find(&der[..der.len().min(48)], oid).is_some();
        if holds(ED25519) {
            // openssl leaves the public key out.
            let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der)
                .map_err(|_| "the key is damaged: it is no Ed25519 key inside")?;
            return Ok(Self(Pair::Ed25519(Box::new(pair))));
        }
        if holds(RSA) {
            return Self::rsa(rsa::KeyPair::from_pkcs8(der));
        }
        Err("this is neither an RSA nor an Ed25519 key")
    }

    fn rsa_from_pkcs1(der: &[u8]) -> Result<Self, &'static str> {
        Self::rsa(rsa::KeyPair::from_der(der))
    }

    fn rsa(
        pair: Result<rsa::KeyPair, aws_lc_rs::error::KeyRejected>,
    ) -> Result<Self, &'static str> {
        let pair = pair.map_err(|cause| match cause.to_string().as_str() {
            "TooSmall" => SHORT,
            "TooLarge" => LONG,
            _ => "the key is damaged: it is no RSA key inside",
        })?;
        match pair.public_modulus_len() * 8 {
            ..2048 => Err(SHORT),
            2048..=4096 => Ok(Self(Pair::Rsa(Box::new(pair)))),
            _ => Err(LONG),
        }
    }

    /// Of which kind it is.
    #[must_use]
    pub fn kind(&self) -> KeyKind {
        match &self.0 {
            Pair::Rsa(_) => KeyKind::Rsa,
            Pair::Ed25519(_) => KeyKind::Ed25519,
        }
    }

    /// The public half, as it stands in the DNS: the 32 octets of an Ed25519 key, and for RSA a
    /// SubjectPublicKeyInfo (RFC 8463 4, RFC 6376 3.6.1).
    #[must_use]
    pub(super) fn public(&self) -> Vec<u8> {
        match &self.0 {
            Pair::Rsa(pair) => AsDer::as_der(pair.public_key())
                .map(|der| der.as_ref().to_vec())
                .unwrap_or_default(),
            Pair::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// Signs what has this SHA-256.
    pub(super) fn sign(&self, digest: &Digest) -> Result<Vec<u8>> {
        let failed = |_| Error::new(Kind::Unavailable, "a mail cannot be signed with DKIM");
        match &self.0 {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign_digest(&RSA_PKCS1_SHA256, digest, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
            // The digest is the message here (RFC 8463 3).
            Pair::Ed25519(pair) => {
                let signature = pair.try_sign(digest.as_ref()).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

const SHORT: &str =
    "the RSA key has less than 2048 bits, which receivers do not trust any more (RFC 8301)";
const LONG: &str = "the RSA key has more than 4096 bits, which receivers need not read (RFC 8301)";

/// 1.3.101.112
const ED25519: &[u8] = &[0x06, 0x03, 0x2b, 0x65, 0x70];
/// 1.2.840.113549.1.1.1
const RSA: &[u8] = &[
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01,
];
