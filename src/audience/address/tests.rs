use proptest::prelude::*;

use super::*;

fn wire(text: &str) -> String {
    Address::parse(text).unwrap().to_string()
}

fn reason(text: &str) -> String {
    Address::parse(text).unwrap_err().reason
}

#[test]
fn what_mailboxes_use_is_taken() {
    for good in [
        "ann@example.org",
        "Ann.Lee+news@mail.example.co.uk",
        "o'brien@example.org",
        "a@b.cd",
        "!#$%&'*+-/=?^_`{|}~@example.org",
        "user@r3---sn-abc.example.org",
        "1234@4you.example.org",
        "用户@example.org",
    ] {
        assert_eq!(wire(good), good);
    }
}

#[test]
fn wrapping_is_taken_off() {
    for wrapped in [
        "  ann@example.org\t",
        "\u{a0}ann@example.org",
        "<ann@example.org>",
        " < ann@example.org > ",
        "mailto:ann@example.org",
        "<MAILTO:ann@example.org>",
    ] {
        assert_eq!(wire(wrapped), "ann@example.org");
    }
}

#[test]
fn a_domain_becomes_ascii_in_lower_case_and_the_local_part_stays() {
    assert_eq!(wire("Zoe@BÜCHER.Example"), "Zoe@xn--bcher-kva.example");
    assert_eq!(wire("zoe@例え。jp"), "zoe@xn--r8jz45g.jp");
    assert_eq!(wire("zoe@straße.de"), "zoe@xn--strae-oqa.de");
    let address = Address::parse("Zoe@Example.ORG").unwrap();
    assert_eq!((address.local(), address.domain()), ("Zoe", "example.org"));
    assert_eq!(address.key(), "zoe@example.org");
}

#[test]
fn each_fault_has_its_reason() {
    let local = "a".repeat(65);
    let label = "a".repeat(64);
    for (text, expected) in [
        ("", "there is no address"),
        (" <> ", "there is no address"),
        ("ann", "it has no `@`"),
        ("ann@b@c.de", "it has more than one `@`"),
        ("ann＠example.org", "it has a full-width `＠`"),
        (
            "ann\r\n@example.org",
            "there is an invisible character (U+000D) in it",
        ),
        (
            "ann\0@example.org",
            "there is an invisible character (U+0000) in it",
        ),
        (
            "ann\u{200b}@example.org",
            "there is an invisible character (U+200B) in it",
        ),
        (
            "\u{202e}ann@example.org",
            "there is an invisible character (U+202E) in it",
        ),
        ("ann lee@example.org", "there is a space in it"),
        (
            "Ann Lee <ann@example.org>",
            "there is a name or a comment with it",
        ),
        (
            "Ann<ann@example.org>",
            "there is a name or a comment with it",
        ),
        (
            "ann@example.org,bob@example.org",
            "there is a comma or a semicolon in it",
        ),
        (
            "ann(hi)@example.org",
            "there is a name or a comment with it",
        ),
        ("\"ann\"@example.org", "it has a quoted part"),
        (
            ".ann@example.org",
            "a dot stands at an end of the part before the `@`, or next to another one",
        ),
        (
            "ann.@example.org",
            "a dot stands at an end of the part before the `@`, or next to another one",
        ),
        (
            "a..n@example.org",
            "a dot stands at an end of the part before the `@`, or next to another one",
        ),
        ("@example.org", "nothing stands before the `@`"),
        ("ann@", "nothing stands after the `@`"),
        (
            "ann@[127.0.0.1]",
            "it has an IP address in brackets for a domain",
        ),
        ("ann@localhost", "`localhost` is a domain without a dot"),
        (
            "ann@x_y.example.org",
            "there is an underscore in the domain",
        ),
        (
            "ann@-x.example.org",
            "a hyphen stands at an end of a part of the domain",
        ),
        (
            "ann@x-.example.org",
            "a hyphen stands at an end of a part of the domain",
        ),
        (
            "ann@example..org",
            "a dot stands at an end of the domain, or next to another one",
        ),
        (
            "ann@example.org.",
            "a dot stands at an end of the domain, or next to another one",
        ),
        ("ann@127.0.0.1", "`.1` is no top-level domain"),
        ("ann@example.c", "`.c` is no top-level domain"),
        (
            "ann@exa!mple.org",
            "`exa!mple.org` cannot be the name of a domain",
        ),
        ("ann:b@example.org", "`:` cannot stand before the `@`"),
        ("a🙂b@example.org", "`🙂` cannot stand before the `@`"),
        (
            &format!("{local}@example.org"),
            "the part before the `@` has 65 octets, and 64 is the most",
        ),
        (
            &format!("ann@{label}.org"),
            "the domain, or a part of it, is too long or empty",
        ),
    ] {
        assert_eq!(reason(text), expected, "{text:?}");
    }
}

#[test]
fn lengths_are_counted_in_octets_and_the_most_is_taken() {
    let local = "é".repeat(32);
    assert_eq!(wire(&format!("{local}@example.org")).len(), 64 + 12);
    assert!(Address::parse(&format!("{local}e@example.org")).is_err());

    let long = format!(
        "{}.{}.{}.de",
        "a".repeat(63),
        "b".repeat(63),
        "c".repeat(63)
    );
    let exactly = format!("{}@{long}", "x".repeat(254 - 1 - long.len()));
    assert_eq!(wire(&exactly).len(), 254);
    assert_eq!(
        reason(&format!("x{exactly}")),
        "it has 255 octets, and 254 is the most"
    );
}

#[test]
fn domains_set_aside_are_known() {
    for (text, reserved) in [
        ("a@example.com", true),
        ("a@news.example.org", true),
        ("a@some.test", true),
        ("a@some.invalid", true),
        ("a@some.localhost", true),
        ("a@some.example", true),
        ("a@myexample.com", false),
        ("a@example.de", false),
        ("a@test.de", false),
    ] {
        assert_eq!(
            Address::parse(text).unwrap().is_reserved(),
            reserved,
            "{text}"
        );
    }
}

#[test]
fn serde_reads_and_writes_a_string() {
    let address: Address = serde_json::from_str("\"Ann@Example.org\"").unwrap();
    assert_eq!(
        serde_json::to_string(&address).unwrap(),
        "\"Ann@example.org\""
    );
    assert!(serde_json::from_str::<Address>("\"ann\"").is_err());
}

#[test]
fn only_a_local_part_beyond_ascii_needs_smtputf8() {
    assert!(!Address::parse("zoe@bücher.de").unwrap().needs_smtputf8());
    assert!(Address::parse("zoë@bücher.de").unwrap().needs_smtputf8());
}

fn check(text: &str) -> Result<(), TestCaseError> {
    if let Ok(address) = Address::parse(text) {
        let again = Address::parse(address.as_str());
        prop_assert_eq!(again.as_ref(), Ok(&address));
        prop_assert_eq!(
            format!("{}@{}", address.local(), address.domain()),
            address.to_string()
        );
        prop_assert!(lettre::Address::new(address.local(), address.domain()).is_ok());
        prop_assert!(address.domain().is_ascii());
        prop_assert!(
            !address
                .as_str()
                .contains(|c: char| c.is_control() || c.is_whitespace())
        );
    }
    Ok(())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn what_is_taken_reads_back_as_itself_and_the_wire_takes_it(
        text in r"[a-zA-Z0-9.!#$%&'*+/=?^_`{|}~é用\u{301}ß-]{1,70}@[a-zA-Z0-9.ßéİ。ａ例-]{1,30}\.[a-z0-9éß]{1,4}",
    ) {
        check(&text)?;
    }
}
