use proptest::prelude::*;

use super::*;

/// A list that was read to its end.
#[derive(Debug)]
struct Read {
    columns: Vec<String>,
    rows: usize,
    recipients: Vec<Recipient>,
    left_out: Vec<LeftOut>,
    warnings: Vec<Finding>,
}

fn try_load(csv: &str, options: &ListOptions) -> Result<Read> {
    let mut list = List::open(csv.as_bytes(), "list.csv", options)?;
    let mut read = Read {
        columns: list.columns().to_vec(),
        rows: 0,
        recipients: Vec::new(),
        left_out: Vec::new(),
        warnings: Vec::new(),
    };
    while let Some(judged) = list.next_row()? {
        read.rows += 1;
        read.warnings.extend(judged.warnings);
        match judged.person {
            Ok(recipient) => read.recipients.push(recipient),
            Err(row) => read.left_out.push(row),
        }
    }
    Ok(read)
}

fn load(csv: &str) -> Read {
    try_load(csv, &ListOptions::default()).unwrap()
}

fn findings(list: &Read) -> Vec<String> {
    let left_out = list.left_out.iter().map(|row| row.finding("list.csv"));
    left_out
        .chain(list.warnings.iter().cloned())
        .map(|finding| {
            let place = finding.place.expect("each finding has a place");
            format!("{place}: {}: {}", finding.rule, finding.message)
        })
        .collect()
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

fn several(entries: &[&str]) -> Value {
    Value::List(entries.iter().map(|entry| (*entry).to_owned()).collect())
}

#[test]
fn a_row_becomes_a_person_with_fields() {
    let list = load(
        "\u{feff}Email,First Name,Topics,Plan\r\n\
         Ann@Example.org, Ann ,\"rust; go|rust,, c \",\r\n\
         bob@example.org,,,pro\r\n",
    );
    assert_eq!(list.columns, ["email", "first_name", "topics", "plan"]);
    assert_eq!((list.rows, list.left_out.len()), (2, 0));
    assert_eq!(
        list.recipients,
        [
            Recipient {
                line: 2,
                address: Address::parse("Ann@example.org").unwrap(),
                fields: BTreeMap::from([
                    ("email".to_owned(), text("Ann@example.org")),
                    ("first_name".to_owned(), text("Ann")),
                    ("topics".to_owned(), several(&["rust", "go", "c"])),
                ]),
            },
            Recipient {
                line: 3,
                address: Address::parse("bob@example.org").unwrap(),
                fields: BTreeMap::from([
                    ("email".to_owned(), text("bob@example.org")),
                    ("topics".to_owned(), several(&[])),
                    ("plan".to_owned(), text("pro")),
                ]),
            },
        ]
    );
}

#[test]
fn every_row_is_judged_with_its_line_and_reason() {
    let list = load(
        "name,email,city\n\
         Ann,ann@example.org,Bonn\n\
         Bob,bob.example.org,Bonn\n\
         \"Cy\nus\",cy@example.org,Bonn\n\
         Dee,,Bonn\n\
         Ann,ANN@example.ORG,Köln\n\
         Eve,eve@example.org,Bonn,extra\n\
         Flo,flo@example.org,Bonn,,\n\
         Gus,gus@example.org\n\
         Zoë,zoë@example.org,Bonn\n\
         \"Hal,hal@example.org,Bonn\n\
         Ida,ida@example.org,\"Bonn\"\n\
         Ann,ann@example.org,Ulm\n",
    );
    assert_eq!(
        findings(&list),
        [
            "list.csv:3:5: bad-address: `bob.example.org` is left out: it has no `@`",
            "list.csv:6:1: bad-address: `` is left out: there is no address",
            "list.csv:7:5: duplicate-address: `ANN@example.ORG` is left out: line 2 has this address already",
            "list.csv:8:5: long-row: `eve@example.org` is left out: it has 4 cells, and there are 3 columns",
            "list.csv:12:1: open-quote: `` is left out: one of its cells goes over several lines and seems to hold other rows",
            "list.csv:14:5: duplicate-address: `ann@example.org` is left out: line 2 has this address already",
            "list.csv:4:2: control-character: a control character (U+000A) in a cell; it becomes a space",
            "list.csv:10:1: short-row: a row of 2 cells for 3 columns",
            "list.csv:11:5: needs-smtputf8: `zoë@example.org` is not ASCII before the `@`",
        ]
    );
    let lines: Vec<usize> = list.recipients.iter().map(|person| person.line).collect();
    assert_eq!(lines, [2, 4, 9, 10, 11]);
    assert_eq!(list.rows, lines.len() + list.left_out.len());
    assert_eq!(list.recipients[1].fields["name"], text("Cy us"));
    assert!(!list.recipients[3].fields.contains_key("city"));
}

#[test]
fn a_note_of_several_lines_is_no_swallowed_row() {
    let list = load(
        "email,note\na@example.org,\"asked at\ndesk@example.com, in May\"\nb@example.org,\"x\nmail: c@d.de\"\n",
    );
    let lines: Vec<usize> = list.left_out.iter().map(|row| row.line).collect();
    assert_eq!(lines, [2]);
    assert_eq!(list.recipients[0].fields["note"], text("x mail: c@d.de"));
}

#[test]
fn no_control_character_comes_through() {
    let list = load("email,name,tags\na@example.org,x\0\u{1b}[1m\u{2028}y\u{85}z,a\u{1}b;c\n");
    assert_eq!(list.recipients[0].fields["name"], text("x  [1m y z"));
    assert_eq!(list.recipients[0].fields["tags"], several(&["a b", "c"]));
    assert_eq!(list.warnings.len(), 2);
}

#[test]
fn list_fields_can_be_named() {
    let options = ListOptions {
        list_fields: vec!["likes".to_owned()],
    };
    let csv = "email,likes,topics\na@example.org,\"\"\"x\"\" | y\",x|y\n";
    let list = try_load(csv, &options).unwrap();
    assert_eq!(list.recipients[0].fields["likes"], several(&["x", "y"]));
    assert_eq!(list.recipients[0].fields["topics"], text("x|y"));
}

#[test]
fn a_list_of_nothing_is_an_error_and_a_header_alone_is_not() {
    let error = try_load("\n\n", &ListOptions::default()).unwrap_err();
    assert_eq!(error.message(), "there is nothing in `list.csv`");
    assert_eq!(load("email\n").rows, 0);
}

#[test]
fn who_is_left_out_is_not_among_the_people() {
    let csv = "email\nann@example.org\nbob@example.org\nno\ncy@example.org\nBob@example.org\n";
    let mut list = List::open(csv.as_bytes(), "list.csv", &ListOptions::default()).unwrap();
    let mut reasons = Vec::new();
    while let Some(judged) = list.next_row().unwrap() {
        match judged.person {
            Ok(person) if person.address.local() == "bob" => list.leave_out(&person.address),
            Ok(_) => {}
            Err(row) => reasons.push((row.line, row.rule)),
        }
    }
    assert_eq!(reasons, [(4, "bad-address"), (6, "duplicate-address")]);
    let (people, _) = list.into_parts();
    assert_eq!(people.len(), 2);

    let bob = Recipient {
        line: 3,
        address: Address::parse("bob@example.org").unwrap(),
        fields: BTreeMap::new(),
    };
    let reason = |reason: Option<&str>| {
        let reason = reason.map(str::to_owned);
        LeftOut::suppressed(&bob, &Suppression { reason })
    };
    assert_eq!(reason(Some("bounced")).reason, "suppressed: bounced");
    assert_eq!(reason(None).reason, "suppressed");
    assert_eq!(
        reason(None).finding("list.csv").place.unwrap().to_string(),
        "list.csv:3:1"
    );
}

proptest! {
    #[test]
    fn every_row_is_a_person_or_left_out(
        rows in prop::collection::vec("[ab]@x\\.(de|com)|[ab@\"\r\n\0, .é\u{2028}]{0,20}", 0..20),
    ) {
        let csv = format!("email,name,topics\n{}", rows.join(",b,c;d\n"));
        if let Ok(list) = try_load(&csv, &ListOptions::default()) {
            prop_assert_eq!(list.rows, list.recipients.len() + list.left_out.len());
            let lines = csv.lines().count().max(csv.matches('\r').count() + csv.lines().count());
            for row in &list.left_out {
                prop_assert!(row.line > 1 && row.line <= lines);
                prop_assert_eq!(row.finding("list.csv").place.map(|place| place.line() >= row.line), Some(true));
            }
            let mut keys: Vec<String> = list.recipients.iter().map(|person| person.address.key()).collect();
            keys.sort();
            keys.dedup();
            prop_assert_eq!(keys.len(), list.recipients.len());
            let written = serde_json::to_string(&list.recipients).unwrap();
            // JSON writes controls with a backslash.
            prop_assert_eq!(written.find(['\\', '\u{2028}']), None);
        }
    }
}
