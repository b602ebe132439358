//! What a signature costs, for a mail of 30 KB.

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]

use divan::{Bencher, black_box};
use letterpress::mail::dkim::{BodyHash, Key, KeyKind, Signer, Signers};

const HEAD: &[u8] = b"Date: Tue, 3 Nov 2026 08:05:09 +0000\r\nFrom: The Press <press@news.example.com>\r\nTo: ann@example.org\r\nSubject: Good news\r\nMessage-ID: <1@news.example.com>\r\nList-Unsubscribe: <https://news.example.com/u/1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n";

fn main() {
    divan::main();
}

fn body() -> Vec<u8> {
    let line = b"<td style=3D\"padding:0\"><p class=3D\"lead\">Words of a line that is so lo=\r\n";
    line.repeat(30 * 1024 / line.len())
}

fn signers(kind: KeyKind, algorithm: &'static rcgen::SignatureAlgorithm) -> Signers {
    let pem = rcgen::KeyPair::generate_for(algorithm)
        .unwrap()
        .serialize_pem();
    let key = Key::from_pem(&pem, kind).unwrap();
    Signers::new([Signer::new("news.example.com", "lp1", key).unwrap()])
}

#[divan::bench(threads = [1, 2])]
fn rsa_2048(bencher: Bencher) {
    let (signers, body) = (signers(KeyKind::Rsa, &rcgen::PKCS_RSA_SHA256), body());
    bencher.bench(|| signers.sign(black_box(HEAD), black_box(&body)).unwrap());
}

#[divan::bench(threads = [1, 2])]
fn ed25519(bencher: Bencher) {
    let (signers, body) = (signers(KeyKind::Ed25519, &rcgen::PKCS_ED25519), body());
    bencher.bench(|| signers.sign(black_box(HEAD), black_box(&body)).unwrap());
}

#[divan::bench]
fn body_hash(bencher: Bencher) {
    let body = body();
    bencher.bench(|| {
        let mut hash = BodyHash::new();
        hash.update(black_box(&body));
        hash.finish()
    });
}
