//! Mail that is signed, from the outside.

use crate::project::{Project, SECRET};

const ISSUE: &str = "+++\nsubject = \"Hello\"\n+++\n\nHello.\n";

fn project(keys: &str) -> Project {
    Project::new()
        .file(".letterpress/secret", SECRET)
        .file("issues/a.md", ISSUE)
        .settings(&format!("\n[dkim]\ndomain = \"example.com\"\n{keys}"))
}

const RSA: &str = "selector = \"lp1\"\nkey_file = \"rsa.pem\"\n";
const BOTH: &str = "selector = \"lp1\"\nkey_file = \"rsa.pem\"\ned25519_selector = \"lp1e\"\ned25519_key_file = \"ed25519.pem\"\n";

/// Writes a key that only its owner can read.
fn key(project: &Project, name: &str, algorithm: &'static rcgen::SignatureAlgorithm) {
    let pair = rcgen::KeyPair::generate_for(algorithm).expect("a key");
    project.write(name, pair.serialize_pem());
    restrict(project, name, 0o600);
}

fn restrict(project: &Project, name: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(project.path(name), mode).expect("a mode");
}

#[test]
fn a_dry_run_signs_every_mail() {
    let project = project(BOTH);
    key(&project, "rsa.pem", &rcgen::PKCS_RSA_SHA256);
    key(&project, "ed25519.pem", &rcgen::PKCS_ED25519);
    let _ = project.run(&["send", "a", "--dry-run"]).exit(0).stderr("");
    let messages = project.messages(".letterpress/dry-run/a");
    assert_eq!(messages.len(), 3);
    for message in messages {
        assert!(message.starts_with("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;"));
        let (head, _) = message.split_once("\r\n\r\n").expect("a head");
        assert_eq!(head.matches("DKIM-Signature:").count(), 2, "{head}");
        assert!(head.contains("\r\nDKIM-Signature: v=1; a=ed25519-sha256;"));
        assert!(head.lines().all(|line| line.len() <= 78));
    }
}

#[test]
fn a_build_is_signed_and_the_same_on_every_run() {
    let project = project(RSA);
    key(&project, "rsa.pem", &rcgen::PKCS_RSA_SHA256);
    let _ = project.run(&["build", "a"]).exit(0).stderr("");
    let first = project.read("out/a/message.eml");
    let _ = project.run(&["build", "a"]).exit(0).stderr("");
    assert_eq!(first, project.read("out/a/message.eml"));
    assert!(first.starts_with("DKIM-Signature: v=1; a=rsa-sha256;"));
    assert_eq!(first.matches("DKIM-Signature:").count(), 1);
}

#[test]
fn without_its_key_no_mail_leaves_and_a_build_says_so() {
    let project = project(RSA);
    for arguments in [
        &["send", "a", "--dry-run"][..],
        &["send", "a", "--sandbox", "--yes"],
        &["send", "a", "--yes"],
        &["test", "a", "--to", "ann@example.org"],
    ] {
        let output = project.run(arguments).exit(78).stdout("");
        assert!(output.stderr.contains("cannot read `"), "{}", output.stderr);
        assert!(
            output.stderr.contains("`dkim.key_file` says"),
            "{}",
            output.stderr
        );
    }
    assert!(!project.path(".letterpress/ledger.db").exists());
    assert!(!project.path(".letterpress/campaigns").exists());
    let output = project.run(&["build", "a"]).exit(0);
    assert!(
        output.stderr.contains("this mail is unsigned"),
        "{}",
        output.stderr
    );
    assert!(!project.read("out/a/message.eml").contains("DKIM-Signature"));
}

#[test]
fn a_key_of_the_wrong_kind_is_told_with_the_command_that_makes_the_right_one() {
    let project = project(RSA);
    key(&project, "rsa.pem", &rcgen::PKCS_ED25519);
    let output = project.run(&["send", "a", "--dry-run"]).exit(78).stdout("");
    assert_eq!(
        output.stderr,
        "error: `rsa.pem` cannot sign: this is an Ed25519 key, and an RSA key is needed
 |
 = help: Make one with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out rsa.pem`.
 = help: Not every receiver reads Ed25519, so it can only be added to an RSA key: set `ed25519_selector` and `ed25519_key_file` for it.
"
    );
}

#[test]
fn a_key_that_others_can_read_is_told() {
    let project = project(RSA);
    key(&project, "rsa.pem", &rcgen::PKCS_RSA_SHA256);
    restrict(&project, "rsa.pem", 0o644);
    let output = project.run(&["send", "a", "--dry-run"]).exit(0);
    assert!(
        output.stderr.contains("chmod 600 rsa.pem"),
        "{}",
        output.stderr
    );
    assert_eq!(output.stderr.matches("chmod").count(), 1);
}
