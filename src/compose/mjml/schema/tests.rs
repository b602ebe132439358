use super::*;

#[test]
fn elements_are_found_by_their_names() {
    assert!(ELEMENTS.is_sorted_by_key(|element| element.name));
    for known in ELEMENTS {
        assert_eq!(
            element(known.name).map(|found| found.name),
            Some(known.name)
        );
    }
    assert!(element("mj-tex").is_none());
    assert!(element("").is_none());
}

#[test]
fn the_tables_agree_with_themselves() {
    for known in ELEMENTS {
        for parent in known.parents {
            let parent = element(parent).unwrap();
            assert!(
                matches!(parent.kind, Kind::Container | Kind::Closed),
                "{}",
                known.name
            );
        }
        for name in known.required {
            assert!(known.attribute(name).is_some(), "{} {name}", known.name);
        }
        let mut names: Vec<_> = known.attributes().map(|(name, _)| name).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{}", known.name);
    }
}

#[test]
fn attributes_have_types() {
    let text = element("mj-text").unwrap();
    assert_eq!(text.attribute("color"), Some(Type::Color));
    assert_eq!(text.attribute("padding-left"), Some(Type::LENGTH));
    assert_eq!(text.attribute("href"), None);
    assert!(
        having("thumbnails")
            .map(|(name, _)| name)
            .eq(["mj-carousel"])
    );
    assert!(attribute_names().any(|name| name == "icon-wrapped-alt"));
    assert!(is_universal("data-id") && !is_universal("color"));
}
