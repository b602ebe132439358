use super::*;

fn limits(names: &[(&str, usize)]) -> BTreeMap<String, GroupLimit> {
    let limit = |connections| GroupLimit {
        connections: Some(connections),
        ..GroupLimit::default()
    };
    names
        .iter()
        .map(|(name, n)| ((*name).to_owned(), limit(*n)))
        .collect()
}

#[test]
fn a_domain_that_is_named_beats_its_group() {
    let named = limits(&[("@microsoft", 3), ("Outlook.com", 1), ("example.org", 7)]);
    let groups = Groups::new(named, Presets::Off).unwrap();
    let of = |domain| {
        (
            groups.name(groups.of(domain)),
            groups.limit(groups.of(domain)).connections,
        )
    };
    assert_eq!(of("outlook.com"), (Some("outlook.com"), Some(1)));
    assert_eq!(of("HOTMAIL.co.uk"), (Some("@microsoft"), Some(3)));
    assert_eq!(of("msn.com"), (Some("@microsoft"), Some(3)));
    assert_eq!(of("example.org"), (Some("example.org"), Some(7)));
    assert_eq!(of("gmail.com"), (None, None));
    assert_eq!(groups.of("yahoo.co.jp"), Group::NONE);
    assert_eq!(groups.all().count(), 3);
}

#[test]
fn presets_are_there_when_asked_for_and_yield_to_settings() {
    let groups = Groups::new(limits(&[("@google", 2)]), Presets::On).unwrap();
    let google = groups.limit(groups.of("googlemail.com"));
    assert_eq!(
        (google.connections, google.messages_per_connection),
        (Some(2), Some(50))
    );
    let apple = groups.limit(groups.of("icloud.com"));
    assert_eq!(
        (apple.connections, apple.messages_per_connection),
        (Some(10), Some(5))
    );
    assert_eq!(groups.of("example.org"), Group::NONE);
    let none = Groups::new(BTreeMap::new(), Presets::Off).unwrap();
    assert_eq!(none.of("gmail.com"), Group::NONE);
}

#[test]
fn names_that_mean_nothing_are_all_said() {
    let named = limits(&[
        ("@gogle", 1),
        ("@nobody", 1),
        ("outlook", 1),
        ("a.example", 1),
        ("A.example", 1),
    ]);
    let error = Groups::new(named, Presets::Off).unwrap_err();
    let said: Vec<(String, Vec<String>)> = error
        .into_all()
        .iter()
        .map(|error| (error.message().to_owned(), error.hints().to_vec()))
        .collect();
    let domain = "Write a domain as it stands in addresses, such as `outlook.com`, or a group, such as `@microsoft`.";
    let all =
        "The groups are @google, @microsoft, @yahoo, @apple, @orange, @comcast, @gmx, @mailru.";
    let expected = [
        (
            "there is no group of domains `@gogle`",
            "Did you mean `@google`?",
        ),
        ("there is no group of domains `@nobody`", all),
        (
            "`a.example` has limits twice",
            "Capitals make no difference in the name of a domain.",
        ),
        (
            "`outlook` is neither a domain nor a group of domains",
            domain,
        ),
    ];
    let expected: Vec<(String, Vec<String>)> = expected
        .iter()
        .map(|(message, hint)| ((*message).to_owned(), vec![(*hint).to_owned()]))
        .collect();
    assert_eq!(said, expected);
}

#[test]
fn no_domain_is_in_two_groups() {
    let mut seen = HashMap::new();
    for provider in providers::ALL {
        for domain in provider.domains() {
            assert!(is_domain(&domain), "{domain}");
            assert_eq!(seen.insert(domain.clone(), provider.name), None, "{domain}");
        }
    }
}
