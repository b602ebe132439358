use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn parse(address: &str) -> Address {
    Address::parse(address).unwrap()
}

fn recipient(email: &str) -> Recipient {
    Recipient {
        line: 2,
        address: parse(email),
        fields: BTreeMap::new(),
    }
}

fn letterhead() -> Letterhead {
    Letterhead {
        from: "The Weekly Press <press@news.example.com>".parse().unwrap(),
        reply_to: Some("editor@news.example.com".parse().unwrap()),
        return_path: "b+{token}@bounce.example.com".to_owned(),
        list_name: "The Weekly Press".to_owned(),
        list_id: Some("weekly.news.example.com".to_owned()),
        base_url: Some("https://news.example.com".to_owned()),
        unsubscribe_mailto: None,
        campaign: "welcome@all".to_owned(),
        slug: "welcome".to_owned(),
        date: "2026-11-03T08:05:09Z".parse().unwrap(),
        secret: Secret::new([7; 32]),
        subject_prefix: None,
    }
}

fn merged() -> Merged {
    Merged {
        subject: "Good news, Ann".to_owned(),
        html: "<p class=\"x\">Grüße</p>\n.\nFrom here\n".to_owned(),
        text: "Grüße\n.\nFrom here".to_owned(),
    }
}

fn picture() -> InlineImage {
    InlineImage {
        content_id: "0123abcd@news.example.com".to_owned(),
        media_type: "image/png".to_owned(),
        file_name: "Grüße.png".to_owned(),
        bytes: (0..=255).collect(),
    }
}

fn mail(letterhead: &Letterhead, images: &[InlineImage]) -> Mail {
    message(letterhead, &merged(), images, &recipient("ann@example.org")).unwrap()
}

fn text(mail: Mail) -> String {
    String::from_utf8(mail.message).unwrap()
}

/// The header of a message, unfolded: a line a field.
fn fields(message: &str) -> Vec<String> {
    let (head, _) = message.split_once("\r\n\r\n").unwrap();
    head.replace("\r\n ", " ")
        .split("\r\n")
        .map(str::to_owned)
        .collect()
}

fn field(letterhead: &Letterhead, name: &str) -> Option<String> {
    let fields = fields(&text(mail(letterhead, &[])));
    let mut of_name = fields
        .iter()
        .filter_map(|field| field.strip_prefix(&format!("{name}: ")));
    let value = of_name.next().map(str::to_owned);
    assert_eq!(of_name.next(), None, "{name} is there twice");
    value
}

#[test]
fn a_message_is_what_the_standards_ask_for() {
    let mail = mail(&letterhead(), &[]);
    assert_eq!(
        mail.envelope.return_path.to_string(),
        "b+TOKEN@bounce.example.com"
    );
    assert_eq!(mail.envelope.recipient, parse("ann@example.org"));
    assert_eq!(text(mail).replace("\r\n", "\n"), "");
}

#[test]
fn pictures_travel_next_to_the_page() {
    let message = text(mail(&letterhead(), &[picture()]));
    let (_, related) = message
        .split_once("Content-Type: multipart/related")
        .unwrap();
    assert_eq!(related.replace("\r\n", "\n"), "");
}
