use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{super::Envelope, *};

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
        signers: Signers::default(),
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

fn campaign() -> String {
    let id = Secret::new([7; 32]).campaign("welcome@all");
    id.map(|byte| format!("{byte:02x}")).concat()
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
    let token = "1nirbov57avv3qmzdxrearukpmnvlwinicu33e";
    assert_eq!(
        mail.envelope,
        Envelope {
            return_path: parse(&format!("b+{token}@bounce.example.com")),
            recipient: parse("ann@example.org"),
        }
    );
    assert_eq!(mail.message_id, format!("welcome.{token}@news.example.com"));
    let expected = "\
Date: Tue, 3 Nov 2026 08:05:09 +0000
From: The Weekly Press <press@news.example.com>
To: ann@example.org
Reply-To: editor@news.example.com
Subject: Good news, Ann
Message-ID: <welcome.TOKEN@news.example.com>
List-ID: The Weekly Press <weekly.news.example.com>
List-Unsubscribe:
 <https://news.example.com/u/UNSUBSCRIBE>
List-Unsubscribe-Post: List-Unsubscribe=One-Click
Feedback-ID: CAMPAIGN:welcome:weekly:newsexamplecom
Precedence: bulk
X-Auto-Response-Suppress: OOF, AutoReply
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary=\"=_1_CAMPAIGN\"

--=_1_CAMPAIGN
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: quoted-printable

Gr=C3=BC=C3=9Fe
=2E
From=20here
--=_1_CAMPAIGN
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p class=3D\"x\">Gr=C3=BC=C3=9Fe</p>
=2E
From=20here

--=_1_CAMPAIGN--
";
    let links = letterhead().links(&parse("ann@example.org"));
    let (_, unsubscribe) = links.unsubscribe_url.rsplit_once('/').unwrap();
    let expected = expected
        .replace("UNSUBSCRIBE", unsubscribe)
        .replace("TOKEN", token)
        .replace("CAMPAIGN", &campaign())
        .replace('\n', "\r\n");
    assert_eq!(text(mail), expected);
}

#[test]
fn pictures_travel_next_to_the_page() {
    let message = text(mail(&letterhead(), &[picture()]));
    let (_, related) = message
        .split_once("Content-Type: multipart/related")
        .unwrap();
    let related = related
        .replace("\r\n", "\n")
        .replace(&campaign(), "CAMPAIGN");
    let (before, after) = related.split_once("AAECAwQF").unwrap();
    assert_eq!(
        before,
        "; type=\"text/html\"; boundary=\"=_2_CAMPAIGN\"

--=_2_CAMPAIGN
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: quoted-printable

<p class=3D\"x\">Gr=C3=BC=C3=9Fe</p>
=2E
From=20here

--=_2_CAMPAIGN
Content-Type: image/png
Content-Transfer-Encoding: base64
Content-ID: <0123abcd@news.example.com>
Content-Disposition: inline; filename*=utf-8''Gr%C3%BC%C3%9Fe.png

"
    );
    let (_, end) = after.split_once("==").unwrap();
    assert_eq!(end, "\n--=_2_CAMPAIGN--\n\n--=_1_CAMPAIGN--\n");
}

#[test]
fn the_same_input_gives_the_same_bytes_and_each_reader_their_own_ids() {
    let images = [picture()];
    assert_eq!(mail(&letterhead(), &images), mail(&letterhead(), &images));
    let ann = mail(&letterhead(), &images);
    let bob = message(
        &letterhead(),
        &merged(),
        &images,
        &recipient("bob@example.org"),
    )
    .unwrap();
    let other = Letterhead {
        campaign: "welcome@all#sandbox".to_owned(),
        ..letterhead()
    };
    let again = mail(&other, &images);
    let ids = [&ann, &bob, &again].map(|mail| mail.message_id.as_str());
    assert!(
        ids[0] != ids[1] && ids[0] != ids[2] && ids[1] != ids[2],
        "{ids:?}"
    );
    assert!(!text(bob).contains("ann@"));
}

#[test]
fn the_links_are_the_readers_own() {
    let ann = parse("ann@example.org");
    let links = letterhead().links(&ann);
    let token = Secret::new([7; 32]).unsubscribe_token("weekly.news.example.com", &ann);
    assert_eq!(
        links,
        Links {
            unsubscribe_url: format!("https://news.example.com/u/{token}"),
            preferences_url: format!("https://news.example.com/p/{token}"),
            view_url: "https://news.example.com/issues/welcome/".to_owned(),
        }
    );
    let below = Letterhead {
        base_url: Some("https://bücher.example/Briefe/".to_owned()),
        slug: "über uns".to_owned(),
        ..letterhead()
    };
    assert_eq!(
        below.links(&ann).view_url,
        "https://xn--bcher-kva.example/Briefe/issues/%C3%BCber%20uns/"
    );
}

#[test]
fn one_click_comes_first_and_a_mail_address_second() {
    let both = Letterhead {
        unsubscribe_mailto: Some(parse("leave+us@news.example.com")),
        ..letterhead()
    };
    let token = Secret::new([7; 32])
        .unsubscribe_token("weekly.news.example.com", &parse("ann@example.org"));
    assert_eq!(
        field(&both, "List-Unsubscribe"),
        Some(format!(
            "<https://news.example.com/u/{token}>, <mailto:leave+us@news.example.com?subject=unsubscribe%20{token}>"
        ))
    );
}

#[test]
fn without_a_page_the_way_out_is_by_mail_and_claims_no_click() {
    let token = Secret::new([7; 32])
        .unsubscribe_token("weekly.news.example.com", &parse("ann@example.org"));
    let by_mail = Letterhead {
        base_url: None,
        ..letterhead()
    };
    let expected = format!("mailto:editor@news.example.com?subject=unsubscribe%20{token}");
    assert_eq!(
        field(&by_mail, "List-Unsubscribe"),
        Some(format!("<{expected}>"))
    );
    assert_eq!(field(&by_mail, "List-Unsubscribe-Post"), None);
    let links = by_mail.links(&parse("ann@example.org"));
    assert_eq!(
        (links.unsubscribe_url, links.view_url),
        (expected, String::new())
    );

    let insecure = Letterhead {
        base_url: Some("http://localhost:8080".to_owned()),
        ..letterhead()
    };
    assert_eq!(
        field(&insecure, "List-Unsubscribe"),
        Some(format!("<http://localhost:8080/u/{token}>"))
    );
    assert_eq!(field(&insecure, "List-Unsubscribe-Post"), None);
}

#[test]
fn a_list_without_an_id_is_called_after_its_sender() {
    let of_sender = |from: &str| {
        let from = from.parse().unwrap();
        Letterhead {
            from,
            list_id: None,
            ..letterhead()
        }
        .list_id()
    };
    assert_eq!(
        of_sender("Press@news.example.com"),
        "press.news.example.com"
    );
    assert_eq!(
        of_sender("o'brien+news@example.com"),
        "o-brien-news.example.com"
    );
    assert_eq!(of_sender("新聞@example.com"), "newsletter.example.com");
}

#[test]
fn feedback_is_by_campaign_and_its_sender_has_5_to_15_signs() {
    for (from, sender) in [
        ("a@b.co", "mail-bco"),
        ("a@news.example.com", "newsexamplecom"),
        ("a@a-very-long-domain.example.com", "a-very-long-dom"),
    ] {
        let letterhead = Letterhead {
            from: from.parse().unwrap(),
            ..letterhead()
        };
        let feedback = field(&letterhead, "Feedback-ID").unwrap();
        assert!(
            feedback.ends_with(&format!(":welcome:weekly:{sender}")),
            "{feedback}"
        );
        assert_eq!(feedback.split(':').count(), 4);
    }
}

#[test]
fn a_message_id_fits_its_line_or_does_without_the_slug() {
    for (slug, domain, expected) in [
        ("Über uns!", "example.com", "ber-uns."),
        ("", "example.com", ""),
        (
            "a-very-long-name-of-an-issue",
            "example.com",
            "a-very-long-n.",
        ),
        ("welcome", "a-long-domain.example.com", ""),
    ] {
        let letterhead = Letterhead {
            slug: slug.to_owned(),
            from: format!("a@{domain}").parse().unwrap(),
            ..letterhead()
        };
        let id = mail(&letterhead, &[]).message_id;
        let token = Secret::new([7; 32]).bounce_token("welcome@all", &parse("ann@example.org"));
        assert_eq!(id, format!("{expected}{token}@{domain}"));
    }
}

#[test]
fn bad_settings_are_all_told_before_the_first_mail() {
    assert!(letterhead().check().is_ok());
    let bad = Letterhead {
        return_path: format!("{}+{{token}}@example.com", "b".repeat(30)),
        list_id: Some("The weekly".to_owned()),
        ..letterhead()
    };
    let error = bad.check().unwrap_err();
    let others = error
        .others()
        .iter()
        .map(|error| error.message().to_owned());
    let messages: Vec<String> = std::iter::once(error.message().to_owned())
        .chain(others)
        .collect();
    assert_eq!(
        messages,
        [
            "`bbbbbbbbbbbbbbbbbbbbbbbbbbbbbb+{token}@example.com` cannot be the return path: \
             the part before the `@` has 69 octets, and 64 is the most",
            "`The weekly` is not the id of a list",
        ]
    );
    assert_eq!(error.kind(), Kind::Settings);
    for base_url in [
        "news.example.com",
        "ftp://example.com",
        "https://example.com/?a",
        "javascript:1",
    ] {
        let bad = Letterhead {
            base_url: Some(base_url.to_owned()),
            ..letterhead()
        };
        let error = bad.check().unwrap_err();
        assert_eq!(
            error.message(),
            format!("`{base_url}` cannot be the web address of a newsletter")
        );
        assert!(message(&bad, &merged(), &[], &recipient("ann@example.org")).is_err());
    }
}

#[test]
fn a_picture_cannot_bring_a_header() {
    let bad = InlineImage {
        media_type: "image/png\r\nBcc: x@example.org".to_owned(),
        ..picture()
    };
    assert!(
        message(
            &letterhead(),
            &merged(),
            &[bad],
            &recipient("ann@example.org")
        )
        .is_err()
    );
    let odd = InlineImage {
        file_name: "a\r\nBcc: x@example.org\".png".to_owned(),
        ..picture()
    };
    let message = text(mail(&letterhead(), &[odd]));
    assert!(
        message.contains("inline;\r\n filename*=utf-8''a%20Bcc%3A%20x%40example.org%22.png\r\n"),
        "{message}"
    );
}

proptest! {
    #[test]
    fn whatever_is_merged_the_headers_stay_the_same(
        subject in "([ -~]|[\r\n\0]|\\PC|Bcc: ){0,60}",
        prefix in prop::option::of("[a-zé\r\n ]{0,8}"),
        body in "([ -~]|[\r\n\t]|\\PC|--=_1_){0,200}",
    ) {
        let letterhead = Letterhead { subject_prefix: prefix, ..letterhead() };
        let merged = Merged { subject, html: body.clone(), text: body };
        let mail = message(&letterhead, &merged, &[], &recipient("ann@example.org")).unwrap();
        let message = text(mail);
        let fields = fields(&message);
        let names: Vec<&str> = fields.iter().filter_map(|field| field.split(':').next()).collect();
        prop_assert_eq!(names, [
            "Date", "From", "To", "Reply-To", "Subject", "Message-ID", "List-ID", "List-Unsubscribe",
            "List-Unsubscribe-Post", "Feedback-ID", "Precedence", "X-Auto-Response-Suppress",
            "MIME-Version", "Content-Type",
        ]);
        prop_assert!(message.is_ascii());
        prop_assert!(message.split("\r\n").all(|line| line.len() <= 78 && !line.contains(['\r', '\n', '\0'])));
        // Three lines of boundary, the one in the header aside.
        prop_assert_eq!(message.matches("\r\n--=_1_").count(), 3);
        prop_assert!(message.ends_with("--\r\n"));
    }
}
