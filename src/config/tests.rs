use super::*;

const GOOD: &str = r#"[newsletter]
name = "The Weekly Press"
from = "The Weekly Press <press@news.example.com>"
postal_address = "1 Type Street, 10115 Berlin"
base_url = "https://news.example.com"

[relay]
url = "smtps://user@smtp.example.com"
password_env = "SMTP_PASSWORD"
rate = "14/s"
quota = ["50000/24h"]
"#;

fn nothing() -> Vec<(String, String)> {
    Vec::new()
}

fn override_by(name: &str, value: &str) -> Result<Settings> {
    parse(GOOD, [(name.to_owned(), value.to_owned())])
}

/// Where, what and the hints of the error of `content`.
fn wrong(content: &str) -> (String, String, Vec<String>) {
    let error = parse(content, nothing()).unwrap_err();
    assert_eq!(error.kind(), Kind::Settings);
    (
        error.place().map(ToString::to_string).unwrap_or_default(),
        error.message().to_owned(),
        error.hints().to_vec(),
    )
}

#[test]
fn what_is_absent_has_a_default() {
    let settings = parse(GOOD, nothing()).unwrap();
    let relay = settings.relay.unwrap();
    assert_eq!(relay.connections, 8);
    assert_eq!(relay.url.port, 465);
    assert_eq!(relay.url.user.as_deref(), Some("user"));
    assert_eq!(settings.list.path, "subscribers/list.csv");
    assert_eq!(settings.newsletter.language, "en");
}

#[test]
fn a_wrong_key_is_named_with_the_nearest_right_one() {
    assert_eq!(
        wrong(&GOOD.replace("postal_address", "postal_adress")),
        (
            "newsletter.toml:4:1".into(),
            "unknown key `postal_adress`".into(),
            vec!["Did you mean `postal_address`?".into()]
        )
    );
}

#[test]
fn a_wrong_value_is_named_with_its_place() {
    let (place, message, _) = wrong(&GOOD.replace("\"14/s\"", "\"14 a second\""));
    assert_eq!(place, "newsletter.toml:10:8");
    assert!(message.contains("14 a second"), "{message}");
}

#[test]
fn a_signature_has_to_count_for_the_sender() {
    let dkim = |more: &str| {
        let content = format!("{GOOD}\n[dkim]\nkey_file = \"k.pem\"\n{more}");
        parse(&content, nothing()).map_err(|error| {
            let others = error.others().iter();
            [&error]
                .into_iter()
                .chain(others)
                .map(|error| error.message().to_owned())
                .collect::<Vec<_>>()
        })
    };
    for domain in ["news.example.com", "example.com", "NEWS.example.com"] {
        let good = format!("domain = \"{domain}\"\nselector = \"lp1\"\n");
        assert!(dkim(&good).is_ok(), "{domain}");
    }
    assert_eq!(
        dkim("domain = \"example.org\"\nselector = \"a b\"\ned25519_selector = \"e\"\n")
            .unwrap_err(),
        [
            "a signature of `example.org` does not count for mail from `news.example.com`",
            "`a b` is not a selector",
            "`dkim.ed25519_selector` is set, and `dkim.ed25519_key_file` is not",
        ]
    );
    assert_eq!(
        dkim("domain = \"ample.com\"\nselector = \"x\"\ned25519_selector = \"X\"\ned25519_key_file = \"e\"\n")
            .unwrap_err(),
        [
            "a signature of `ample.com` does not count for mail from `news.example.com`",
            "`dkim.ed25519_selector` is that of the other key",
        ]
    );
    assert_eq!(
        dkim("domain = \"no domain\"\nselector = \"x\"\n").unwrap_err(),
        ["`no domain` is not a domain that can sign"]
    );
}

#[test]
fn no_password_is_taken_or_shown() {
    for content in [
        GOOD.replace("user@", "user:hunter2@"),
        GOOD.replace("password_env = \"SMTP_PASSWORD\"", "password = \"hunter2\""),
    ] {
        let error = parse(&content, nothing()).unwrap_err();
        assert!(
            error
                .hints()
                .iter()
                .chain([&error.message().to_owned()])
                .any(|said| said.contains("password_env"))
        );
        assert!(
            !format!("{error} {:?}", error.place().unwrap().text().content()).contains("hunter2")
        );
    }
    let error = override_by("LETTERPRESS_RELAY__URL", "smtps://user:hunter2@host").unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
}

#[test]
fn base_url_is_https() {
    let (place, message, _) = wrong(&GOOD.replace("https://news", "http://news"));
    assert_eq!(place, "newsletter.toml:5:1");
    assert_eq!(message, "`http://news.example.com` is not an https address");
}

#[test]
fn the_environment_overrides_a_key() {
    let settings = override_by("LETTERPRESS_RELAY__URL", "smtp+plain://127.0.0.1:1025").unwrap();
    let url = settings.relay.unwrap().url;
    assert_eq!((url.host.as_str(), url.port), ("127.0.0.1", 1025));
    let settings = override_by("LETTERPRESS_RELAY__CONNECTIONS", "3").unwrap();
    assert_eq!(settings.relay.unwrap().connections, 3);
    let settings = override_by("LETTERPRESS_SOURCES__ALLOW_OUTSIDE", "true").unwrap();
    assert!(settings.sources.allow_outside);
    let settings = override_by("LETTERPRESS_NEWSLETTER__NAME", "42").err();
    assert!(settings.is_some(), "a name is text");
}

#[test]
fn an_override_that_does_not_fit_is_named() {
    let error = override_by("LETTERPRESS_RELAY__CONECTIONS", "3").unwrap_err();
    assert_eq!(
        error.message(),
        "the environment variable `LETTERPRESS_RELAY__CONECTIONS` does not fit"
    );
    assert_eq!(error.kind(), Kind::Settings);
}

#[test]
fn a_relay_is_addressed_in_three_ways() {
    let parse = |text: &str| text.parse::<RelayUrl>();
    assert_eq!(parse("smtp://a.example").unwrap().port, 587);
    assert_eq!(
        parse("smtps://me%40a.example@a.example")
            .unwrap()
            .user
            .as_deref(),
        Some("me@a.example")
    );
    assert_eq!(parse("smtp+plain://[::1]:25").unwrap().host, "::1");
    assert!(parse("http://a.example").unwrap_err().contains("smtps://"));
    assert!(
        parse("smtp://a.example/path")
            .unwrap_err()
            .contains("ends after the port")
    );
}

#[test]
fn what_one_value_alone_cannot_tell_is_told_at_its_line() {
    let with = |line: &str| {
        let (place, message, hints) =
            wrong(&GOOD.replace("base_url", &format!("{line}\nbase_url")));
        format!("{place}: {message} | {}", hints.join(" "))
    };
    assert_eq!(
        with("return_path = \"b+{tok}@example.com\""),
        "newsletter.toml:5:1: `b+{tok}@example.com` cannot be the return path | Write an address; `{token}` in it, and no other name, becomes the token of each mail."
    );
    assert!(with("list_id = \"a b\"").starts_with("newsletter.toml:5:1: `a b` is not the id"));
    assert!(with("language = \"English please\"").starts_with("newsletter.toml:5:1: "));
    // The relay has a `url`, too.
    let (place, _, _) = wrong(&format!("{GOOD}\n[ledger]\nurl = \"x.db\"\n"));
    assert_eq!(place, "newsletter.toml:14:1");
}

#[test]
fn what_is_missing_or_no_value_is_said_in_our_words() {
    assert_eq!(
        wrong(&GOOD.replace("postal_address = \"1 Type Street, 10115 Berlin\"\n", "")),
        (
            "newsletter.toml:1:1".into(),
            "`postal_address` is missing".into(),
            vec!["Add a line `postal_address = \"…\"` to this section.".into()]
        )
    );
    assert_eq!(wrong("").1, "there is no section `[newsletter]`");
    let (_, message, hints) = wrong(&format!("{GOOD}\n[images]\ndelivery = \"inlin\"\n"));
    assert_eq!(message, "unknown value `inlin`");
    assert_eq!(hints, ["Did you mean `inline`?"]);
    let (_, message, _) = wrong(&GOOD.replace("14/s", "14"));
    assert!(
        message.ends_with("write it like `14/s`, `30/min` or `50000/24h`"),
        "{message}"
    );
}

#[test]
fn a_folder_that_is_not_there_is_not_looked_for_above() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(FILE), GOOD).unwrap();
    assert!(find(folder.path()).is_ok());
    let error = find(&folder.path().join("nowhere")).unwrap_err();
    assert!(error.message().starts_with("there is no folder"));
}
