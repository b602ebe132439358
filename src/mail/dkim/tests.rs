//! Beside vectors of the RFCs, a verifier that was written by the letter of RFC 6376 and shares no
//! code with the signer.

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::AsDer as _,
    rsa::{KeyPair, KeySize},
    signature::{ED25519, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey},
};
use data_encoding::BASE64;
use proptest::prelude::*;

use super::*;

fn pem(label: &str, der: &[u8]) -> String {
    let body = BASE64.encode(der);
    format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
}

fn rsa_pem(size: KeySize) -> String {
    let pair = KeyPair::generate(size).unwrap();
    pem("PRIVATE KEY", pair.as_der().unwrap().as_ref())
}

/// The key of RFC 8463 A.2, as openssl writes one: without the public half.
fn ed25519_pem() -> String {
    let seed = BASE64
        .decode(b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=")
        .unwrap();
    let mut der = vec![
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    der.extend(seed);
    pem("PRIVATE KEY", &der)
}

fn signers() -> Signers {
    static SIGNERS: std::sync::OnceLock<Signers> = std::sync::OnceLock::new();
    SIGNERS
        .get_or_init(|| {
            let rsa = Key::from_pem(&rsa_pem(KeySize::Rsa2048), KeyKind::Rsa).unwrap();
            let ed25519 = Key::from_pem(&ed25519_pem(), KeyKind::Ed25519).unwrap();
            Signers::new([
                Signer::new("news.example.com", "lp1", rsa).unwrap(),
                Signer::new("news.example.com", "lp1e", ed25519).unwrap(),
            ])
        })
        .clone()
}

fn canonical_body(body: &[u8]) -> Vec<u8> {
    let text: String = body.iter().map(|byte| char::from(*byte)).collect();
    let mut lines: Vec<String> = text
        .split("\r\n")
        .map(|line| {
            let mut short = String::new();
            for c in line.replace('\t', " ").chars() {
                if c != ' ' || !short.ends_with(' ') {
                    short.push(c);
                }
            }
            short.trim_end_matches(' ').to_owned()
        })
        .collect();
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
        .iter()
        .flat_map(|line| line.chars().map(|c| c as u8).chain(*b"\r\n"))
        .collect()
}

fn canonical_field(field: &str) -> String {
    let (name, value) = field.split_once(':').unwrap();
    let value: Vec<&str> = value.split_ascii_whitespace().collect();
    format!("{}:{}", name.trim().to_lowercase(), value.join(" "))
}

/// Verifies the first signature of a message: RFC 6376 6.1, step by step.
fn verify(message: &str, public: &[u8]) -> Result<(), &'static str> {
    let (head, body) = message.split_once("\r\n\r\n").unwrap();
    let marked = head.replace("\r\n ", "\u{1} ").replace("\r\n\t", "\u{1}\t");
    let mut fields: Vec<String> = marked
        .split("\r\n")
        .map(|field| field.replace('\u{1}', "\r\n"))
        .collect();
    let own = fields.remove(0);
    let tag = |name: &str| {
        let (_, value) = own.split_once(':').unwrap();
        let found = value.split(';').find_map(|tag| {
            let (key, value) = tag.split_once('=')?;
            (key.trim() == name).then_some(value)
        });
        found.map(|value| value.split_ascii_whitespace().collect::<String>())
    };
    let hash = BASE64.encode(digest(&SHA256, &canonical_body(body.as_bytes())).as_ref());
    if tag("bh") != Some(hash) {
        return Err("body");
    }
    let mut data = String::new();
    for name in tag("h").unwrap().split(':') {
        let is_it = |field: &String| {
            field
                .split(':')
                .next()
                .unwrap()
                .trim()
                .eq_ignore_ascii_case(name)
        };
        if let Some(at) = fields.iter().rposition(is_it) {
            data += &canonical_field(&fields.remove(at));
            data += "\r\n";
        }
    }
    let (before, _) = own.rsplit_once("b=").unwrap();
    data += &canonical_field(&format!("{before}b="));
    let signature = BASE64.decode(tag("b").unwrap().as_bytes()).unwrap();
    let good = match tag("a").unwrap().as_str() {
        "rsa-sha256" => UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public)
            .verify(data.as_bytes(), &signature),
        "ed25519-sha256" => UnparsedPublicKey::new(&ED25519, public)
            .verify(digest(&SHA256, data.as_bytes()).as_ref(), &signature),
        _ => return Err("algorithm"),
    };
    good.map_err(|_| "signature")
}

fn public(signer: &Signer) -> Vec<u8> {
    let record = signer.record();
    let (_, key) = record.split_once("p=").unwrap();
    BASE64.decode(key.as_bytes()).unwrap()
}

/// Each signature of a sealed message, checked.
fn verify_all(sealed: &str) -> Vec<Result<(), &'static str>> {
    let start = sealed.find("\r\nDate:").unwrap() + 2;
    let (signatures, message) = sealed.split_at(start);
    let signatures: Vec<&str> = signatures.split_inclusive("=\r\n").collect();
    assert_eq!(signatures.len(), 2, "{signatures:?}");
    let signers = signers();
    (signatures.iter().zip(signers.iter()))
        .map(|(signature, signer)| verify(&format!("{signature}{message}"), &public(signer)))
        .collect()
}

const HEAD: &str = "Date: Tue, 3 Nov 2026 08:05:09 +0000\r\nFrom: The Press <press@news.example.com>\r\nTo: ann@example.org\r\nSubject: Good news\r\nMessage-ID: <1@news.example.com>\r\nList-ID: The Press <press.news.example.com>\r\nList-Unsubscribe:\r\n <https://news.example.com/u/1>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n";

fn sealed(body: &str) -> String {
    let message = format!("{HEAD}\r\n{body}").into_bytes();
    String::from_utf8(signers().seal(message).unwrap()).unwrap()
}

fn body_hash(body: &[u8]) -> String {
    let mut hash = BodyHash::new();
    hash.update(body);
    BASE64.encode(&hash.finish().0)
}

#[test]
fn the_examples_of_rfc_6376_3_4_5() {
    let mut out = Vec::new();
    canonical::Body::default().push(b" C \r\nD \t E\r\n\r\n\r\n", &mut out);
    assert_eq!(out, b" C\r\nD E");
    out.clear();
    canonical::relaxed_field(b"A", b" X\r\n", &mut out);
    out.push(b'\n');
    canonical::relaxed_field(b"B ", b" Y\t\r\n\tZ  \r\n", &mut out);
    assert_eq!(out, b"a:X\nb :Y Z");
    // The hash of nothing (RFC 6376 3.4.4).
    for empty in ["", "\r\n", " \t\r\n\r\n \r\n", "  "] {
        assert_eq!(
            body_hash(empty.as_bytes()),
            "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
        );
    }
}

#[test]
fn the_message_of_rfc_8463_a() {
    let body = "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n";
    assert_eq!(
        body_hash(body.as_bytes()),
        "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="
    );
    let message = format!(
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n d=football.example.com; i=@football.example.com;\r\n q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n subject : date : message-id : from : subject : date;\r\n bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\nFrom: Joe SixPack <joe@football.example.com>\r\nTo: Suzie Q <suzie@shopping.example.net>\r\nSubject: Is dinner ready?\r\nDate: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\nMessage-ID: <20030712040037.46341.5F8J@football.example.com>\r\n\r\n{body}"
    );
    let key = Key::from_pem(&ed25519_pem(), KeyKind::Ed25519).unwrap();
    let signer = Signer::new("football.example.com", "brisbane", key).unwrap();
    assert_eq!(
        (signer.record_name(), signer.record()),
        (
            "brisbane._domainkey.football.example.com".to_owned(),
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".to_owned()
        )
    );
    assert_eq!(verify(&message, &public(&signer)), Ok(()));
}

#[test]
fn a_signature_is_short_lines_and_always_the_same() {
    let first = sealed("Hello.\r\n");
    assert_eq!(first, sealed("Hello.\r\n"));
    assert_eq!(verify_all(&first), [Ok(()), Ok(())]);
    assert!(first.lines().all(|line| line.len() <= 78), "{first}");
    let (ed25519, _) = first.rsplit_once(" b=").unwrap();
    let (_, ed25519) = ed25519.rsplit_once("DKIM-Signature:").unwrap();
    assert_eq!(
        ed25519,
        format!(
            " v=1; a=ed25519-sha256; c=relaxed/relaxed; d=news.example.com;\r\n s=lp1e; t=1793693109; h=From:From:To:To:Cc:Reply-To:Subject:Subject:Date:\r\n Date:Message-ID:Message-ID:MIME-Version:MIME-Version:Content-Type:\r\n Content-Type:List-Unsubscribe:List-Unsubscribe:List-Unsubscribe-Post:\r\n List-Unsubscribe-Post:List-ID;\r\n bh={};",
            body_hash(b"Hello.\r\n")
        )
    );
}

#[test]
fn what_would_deceive_breaks_the_signature_and_what_relays_add_does_not() {
    let message = sealed("Hello.\r\n");
    let at = message.find("\r\nDate:").unwrap() + 2;
    let with = |field: &str| {
        let mut message = message.clone();
        message.insert_str(at, &format!("{field}\r\n"));
        // The added field stands above, so it is found between the signatures and Date.
        let (signatures, rest) = message.split_at(at);
        let signature = signatures.split_inclusive("=\r\n").next().unwrap();
        verify(
            &format!("{signature}{rest}"),
            &public(signers().iter().next().unwrap()),
        )
    };
    for name in [
        "From",
        "To",
        "Cc",
        "Reply-To",
        "Subject",
        "Date",
        "Message-ID",
        "MIME-Version",
        "Content-Type",
        "List-Unsubscribe",
        "List-Unsubscribe-Post",
    ] {
        assert_eq!(with(&format!("{name}: x")), Err("signature"), "{name}");
    }
    for name in ["Received", "Return-Path", "Sender", "Feedback-ID", "X-Spam"] {
        assert_eq!(with(&format!("{name}: x")), Ok(()), "{name}");
    }
    let changed = message.replace("/u/1>", "/u/2>");
    assert_eq!(verify_all(&changed), [Err("signature"), Err("signature")]);
    let changed = message.replace("Hello", "Hallo");
    assert_eq!(verify_all(&changed), [Err("body"), Err("body")]);
    let refolded = message.replace("List-Unsubscribe:\r\n ", "List-Unsubscribe: ");
    assert_eq!(verify_all(&refolded), [Ok(()), Ok(())]);
}

#[test]
fn keys_that_cannot_sign_are_told_with_what_makes_one() {
    let said = |pem: &str, kind| Key::from_pem(pem, kind).unwrap_err().message().to_owned();
    let rsa = rsa_pem(KeySize::Rsa2048);
    assert!(Key::from_pem(&rsa, KeyKind::Rsa).is_ok());
    assert_eq!(
        said(&rsa, KeyKind::Ed25519),
        "this is an RSA key, and an Ed25519 key is needed"
    );
    assert_eq!(
        said(&ed25519_pem(), KeyKind::Rsa),
        "this is an Ed25519 key, and an RSA key is needed"
    );
    assert_eq!(said("", KeyKind::Rsa), "this is not a private key in PEM");
    assert_eq!(
        said(&pem("PRIVATE KEY", b"x"), KeyKind::Rsa),
        "this is neither an RSA nor an Ed25519 key"
    );
    assert_eq!(
        said(&pem("EC PRIVATE KEY", b"x"), KeyKind::Rsa),
        "this is an EC key"
    );
    assert_eq!(
        said(&pem("PUBLIC KEY", b"x"), KeyKind::Rsa),
        "this is a public key, and a private one is needed"
    );
    assert_eq!(
        said(&pem("ENCRYPTED PRIVATE KEY", b"x"), KeyKind::Rsa),
        "the key is locked with a passphrase"
    );
    assert_eq!(
        said(&pem("RSA PRIVATE KEY", b"x"), KeyKind::Rsa),
        "the key is damaged: it is no RSA key inside"
    );
    assert_eq!(
        format!("{:?}", signers()),
        "Signers([Signer(lp1._domainkey.news.example.com, Rsa), Signer(lp1e._domainkey.news.example.com, Ed25519)])"
    );
}

/// Lines of any blanks, as CRLF lines.
fn any_body() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[ -~]{0,12}",
        2 => "[ \t]{1,4}",
        2 => Just("\r\n".to_owned()),
        1 => Just("\r\n\r\n".to_owned()),
        1 => "[a-z]{200,400}",
        1 => "([a-z]{1,6} ){60,90}",
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_body_in_any_pieces_has_the_hash_of_the_letter(
        body in any_body(),
        mut cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let expected = BASE64.encode(digest(&SHA256, &canonical_body(body.as_bytes())).as_ref());
        prop_assert_eq!(body_hash(body.as_bytes()), &*expected);
        let mut at: Vec<usize> = cuts.drain(..).map(|cut| cut.index(body.len() + 1)).collect();
        at.extend([0, body.len()]);
        at.sort_unstable();
        let mut hash = BodyHash::new();
        for pair in at.windows(2) {
            // A copy goes on like the original.
            hash = hash.clone();
            hash.update(&body.as_bytes()[pair[0]..pair[1]]);
        }
        prop_assert_eq!(BASE64.encode(&hash.finish().0), expected);
    }

    #[test]
    fn any_message_verifies(body in any_body()) {
        prop_assert_eq!(verify_all(&sealed(&body)), [Ok(()), Ok(())]);
    }
}
