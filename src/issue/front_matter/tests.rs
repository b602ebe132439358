use proptest::prelude::*;

use super::*;

fn text(content: &str) -> Text {
    Text::new("issues/a.md", content)
}

/// The errors of a front matter, a line each: place, message, first cause, first hint.
fn errors(result: Result<()>) -> String {
    let error = result.unwrap_err();
    let line = |error: &Error| {
        let cause = error.causes().first().map_or("", String::as_str);
        let hint = error.hints().first().map_or("", String::as_str);
        let place = error.place().map(ToString::to_string).unwrap_or_default();
        format!("{place} {} | {cause} | {hint}\n", error.message())
    };
    std::iter::once(&error)
        .chain(error.others())
        .map(line)
        .collect()
}

fn issue_errors(content: &str) -> String {
    errors(issue(&text(content)).map(|_| ()))
}

fn article_errors(content: &str) -> String {
    errors(article(&text(content)).map(|_| ()))
}

const TOML: &str = r#"+++
subject = "News for {{ subscriber.first_name }}"
preheader = 'Three stories'
title = "The News"
date = 2026-11-23
send_at = 2026-11-23T08:00:00+01:00
segment = "all"
template = "digest"
articles = ["articles/one.md", 'articles/two.txt']
+++
Dear reader
"#;

const YAML: &str = r#"---
subject: "News for {{ subscriber.first_name }}"
preheader: Three stories   # a comment
title: 'The News'
date: 2026-11-23
send_at: 2026-11-23T08:00:00+01:00
segment: all
template: digest
articles:
  - articles/one.md
  - "articles/two.txt"
---
Dear reader
"#;

#[test]
fn both_kinds_say_the_same() {
    for content in [
        TOML,
        YAML,
        &TOML.replace('\n', "\r\n"),
        &YAML.replace('\n', "\r\n"),
    ] {
        let text = text(content);
        let (front, start) = issue(&text).unwrap();
        assert_eq!(text.content()[start..].trim_end(), "Dear reader");
        let located = |located: &Located<String>, value: &str| {
            assert_eq!(located.value, value);
            assert_eq!(&text.content()[located.place.range()], value);
        };
        located(&front.subject, "News for {{ subscriber.first_name }}");
        located(front.preheader.as_ref().unwrap(), "Three stories");
        located(front.segment.as_ref().unwrap(), "all");
        located(front.template.as_ref().unwrap(), "digest");
        located(&front.articles[0], "articles/one.md");
        located(&front.articles[1], "articles/two.txt");
        assert_eq!(front.articles.len(), 2);
        assert_eq!(front.title.as_deref(), Some("The News"));
        assert_eq!(front.date.unwrap().to_string(), "2026-11-23");
        assert_eq!(front.send_at.unwrap().to_string(), "2026-11-23T07:00:00Z");
    }
}

#[test]
fn a_value_with_escapes_is_placed_as_a_whole() {
    for (content, value, written) in [
        (r#"subject = "a \"b\" c""#, "a \"b\" c", r#""a \"b\" c""#),
        (r#"subject = '"a"'"#, "\"a\"", "\"a\""),
        (r#"subject = "'a' and 'b'""#, "'a' and 'b'", "'a' and 'b'"),
        ("subject = '''\nlong'''", "long", "long"),
        (r#"subject = "  a  ""#, "a", "a"),
        (r#"subject = "été""#, "été", "été"),
    ] {
        let text = text(&format!("+++\n{content}\n+++\n"));
        let (front, _) = issue(&text).unwrap();
        assert_eq!(front.subject.value, value);
        assert_eq!(&text.content()[front.subject.place.range()], written);
    }
    for (content, value, written) in [
        ("subject: 'it''s'", "it's", "'it''s'"),
        ("subject: \"a\\tb\"", "a\tb", "\"a\\tb\""),
        ("subject: |\n  été: a\n", "été: a", "été: a"),
        ("subject: >\n  one\n  two\n", "one two", "one\n  two"),
        ("é: ~\nsubject: x y  # no", "x y", "x y"),
    ] {
        let text = text(&format!("---\n{content}\n---\n"));
        let entries = find(&text).unwrap().unwrap().entries(&text).unwrap();
        let mut fields = Fields::new(&text, entries);
        let subject = fields.text("subject").unwrap();
        assert_eq!(subject.value, value);
        assert_eq!(&text.content()[subject.place.range()], written, "{content}");
    }
}

#[test]
fn the_least_an_issue_needs_is_a_subject() {
    let text = text("\n\n+++\nsubject = \"a\"\n+++");
    let (front, start) = issue(&text).unwrap();
    assert_eq!(
        (front.subject.value.as_str(), start),
        ("a", text.content().len())
    );
    assert!(front.preheader.is_none() && front.articles.is_empty() && front.send_at.is_none());
}

#[test]
fn what_is_blank_is_absent() {
    let (front, _) = issue(&text(
        "---\nsubject: a\npreheader:\ntitle: ''\ndate: ~\n---\n",
    ))
    .unwrap();
    assert!(front.preheader.is_none() && front.title.is_none() && front.date.is_none());
    let (front, _) = article(&text("---\n---\nText")).unwrap();
    assert_eq!(front, ArticleFront::default());
    let (front, _) = article(&text("+++\ntitle = ' '\n+++\nText")).unwrap();
    assert_eq!(front, ArticleFront::default());
}

#[test]
fn all_faults_are_told_at_once_and_in_place() {
    assert_eq!(
        issue_errors(
            "+++\nsubjcet = 'a'\ntitle = 3\ndate = 'soon'\nsend_at = 2026-11-23T08:00:00\n\
             articles = ['a.md', 7]\nwhatever = 1\npreheader = [1]\n+++\n"
        ),
        "issues/a.md:1:1 the issue has no `subject` |  | Add the key `subject`.\n\
         issues/a.md:2:1 unknown key `subjcet` |  | Did you mean `subject`?\n\
         issues/a.md:3:9 `title` is a number, not text |  | Put it in quotes.\n\
         issues/a.md:4:8 `date` is not a date |  | Write year, month and day: `2026-11-23`.\n\
         issues/a.md:5:11 `send_at` does not say its offset from UTC |  | Add a time with its offset, as in `2026-11-23T08:00:00+01:00`, or `Z` for UTC.\n\
         issues/a.md:6:21 `articles` is a number, not text |  | Put it in quotes.\n\
         issues/a.md:7:1 unknown key `whatever` |  | The keys are `subject`, `preheader`, `title`, `date`, `send_at`, `every`, `starts`, `until`, `max_delay`, `deliver_by`, `segment`, `template` and `articles`.\n\
         issues/a.md:8:13 `preheader` is a list, not text |  | \n"
    );
}

#[test]
fn an_issue_recurs() {
    let text = text(
        "---\nsubject: a\nevery: Mon, Thu 8:00 Europe/Berlin\nstarts: 2026-11-23\nuntil: 2027-01-31\n\
         max_delay: 90m\ndeliver_by: 6h\n---\n",
    );
    let (front, _) = issue(&text).unwrap();
    let every = front.every.unwrap();
    assert_eq!(
        every.to_string(),
        "Mon, Thu 8:00 Europe/Berlin from 2026-11-23 until 2027-01-31"
    );
    assert_eq!(front.max_delay, Some(Duration::from_secs(90 * 60)));
    assert_eq!(front.deliver_by, Some(Duration::from_secs(6 * 60 * 60)));
    assert_eq!(timing(&text).unwrap().every, Some(every));
}

#[test]
fn faults_in_when_it_recurs_are_told_in_place() {
    assert_eq!(
        issue_errors(
            "+++\nsubject = 'a'\nevery = 'Mon 08:00 Europe/Berln'\nstarts = 2026-11-23\nuntil = 2026-11-22\n\
             send_at = 2026-11-23T08:00:00Z\nmax_delay = 12\ndeliver_by = 'soon'\ncron = 1\n+++\n"
        ),
        "issues/a.md:3:1 `every` and `send_at` exclude each other |  | Keep `every` for an issue that goes out again and again, `send_at` for one that goes out once.\n\
         issues/a.md:3:20 there is no time zone `Europe/Berln` |  | Did you mean `Europe/Berlin`?\n\
         issues/a.md:5:1 `until` is before `starts`, which is 2026-11-23 |  | Both days count; let `until` be the later.\n\
         issues/a.md:7:13 `max_delay` is no span of time |  | Write it like `\"90m\"` or `\"12h\"`.\n\
         issues/a.md:8:14 `deliver_by` is no span of time |  | Write it like `\"90m\"` or `\"12h\"`.\n\
         issues/a.md:9:1 unknown key `cron` |  | Did you mean `every`?\n"
    );
    assert_eq!(
        issue_errors("---\nsubject: a\nstarts: 2026-11-23\n---\n"),
        "issues/a.md:3:1 there is no `every` that this could bound |  | Add `every`, as in `every = \"Mon 08:00 Europe/Berlin\"`.\n"
    );
}

#[test]
fn when_an_issue_is_due_can_be_read_of_a_draft() {
    let errors = |content: &str| errors(timing(&text(content)).map(|_| ()));
    // What has no say in it may be wrong as yet.
    let draft = "+++\nsend_at = 2026-11-23T08:00:00Z\ntitle = 3\nwhatever = 1\n+++\n";
    let found = timing(&text(draft)).unwrap();
    assert_eq!(found.send_at, Some("2026-11-23T08:00:00Z".parse().unwrap()));
    assert_eq!(timing(&text("Notes\n")).unwrap(), Timing::default());
    // What may have a say is told.
    assert_eq!(
        errors("+++\nsend_att = 2026-11-23T08:00:00Z\n+++\n"),
        "issues/a.md:2:1 unknown key `send_att` |  | Did you mean `send_at`?\n"
    );
    assert_eq!(errors("+++\nsend_at = \n+++\n").lines().count(), 1);
}

#[test]
fn yaml_has_the_same_faults() {
    assert_eq!(
        issue_errors(
            "---\nsubject:\npreview: x\ntitle: true\ndate: 2026-13-01\nsend_at: 2026-11-23\n\
             articles:\n  - a.md\n  - 7\n---\n"
        ),
        "issues/a.md:2:1 `subject` is blank |  | \n\
         issues/a.md:3:1 unknown key `preview` |  | Did you mean `preheader`?\n\
         issues/a.md:4:8 `title` is true or false, not text |  | Put it in quotes.\n\
         issues/a.md:5:7 `date` is not a date |  | Write year, month and day: `2026-11-23`.\n\
         issues/a.md:6:10 `send_at` does not say its offset from UTC |  | Add a time with its offset, as in `2026-11-23T08:00:00+01:00`, or `Z` for UTC.\n\
         issues/a.md:9:5 `articles` is a number, not text |  | Put it in quotes.\n"
    );
}

#[test]
fn a_block_that_cannot_be_read_says_where() {
    assert_eq!(
        issue_errors("Dear reader\n"),
        "issues/a.md:1:1 `issues/a.md` has no front matter |  | Begin it with `+++`, a line `subject = \"…\"`, and `+++`.\n"
    );
    assert_eq!(
        issue_errors("+++\nsubject = 'a'\n---\n"),
        "issues/a.md:1:1 the front matter is not closed |  | End it with a line `+++`.\n"
    );
    assert_eq!(
        issue_errors("+++\nsubject = 'a\ntitle = \n+++\n"),
        "issues/a.md:2:13 the front matter is not valid TOML | invalid literal string, expected `'` | \n\
         issues/a.md:3:9 the front matter is not valid TOML | string values must be quoted, expected literal string | \n"
    );
    assert_eq!(
        issue_errors("+++\nsubject = 'a'\nsubject = 'b'\n+++\n"),
        "issues/a.md:3:1 the front matter is not valid TOML | duplicate key | \n"
    );
    assert_eq!(issue_errors("---\nsubject: [a\n---\n").lines().count(), 1);
    assert_eq!(
        issue_errors("---\nsubject: a\nsubject: b\n---\n"),
        "issues/a.md:3:1 `subject` is said twice |  | \n"
    );
    assert_eq!(
        issue_errors("---\njust words\n---\n"),
        "issues/a.md:2:1 the front matter is text, not a table of keys and values |  | Write `key: value`, a line each.\n"
    );
}

#[test]
fn yaml_that_is_longer_than_it_looks_is_refused() {
    for (content, what) in [
        ("subject: &a x", "an anchor"),
        ("subject: *a", ""),
        ("subject: !!str x", "a tag"),
        ("? [a, b]\n: x", "a key that is not a word"),
        ("subject: a\n...\nb: c", ""),
        ("a: [[[[[[[[[[[[]]]]]]]]]]]]", "nested too deeply"),
    ] {
        let errors = issue_errors(&format!("---\n{content}\n---\n"));
        assert!(
            errors.contains(what) && errors.lines().count() == 1,
            "{errors}"
        );
    }
}

#[test]
fn a_header_has_one_line() {
    assert_eq!(
        issue_errors("---\nsubject: |\n  one\n  two\ntitle: |\n  one\n  two\n---\n"),
        "issues/a.md:3:3 `subject` has more than one line |  | \n"
    );
    let (front, _) = issue(&text(
        "+++\nsubject = 'a'\ntitle = \"\"\"\none\n two\"\"\"\n+++\n",
    ))
    .unwrap();
    assert_eq!(front.title.as_deref(), Some("one two"));
}

#[test]
fn yaml_that_is_a_template_needs_quotes() {
    let quotes = "in quotes.";
    for content in [
        "subject: {{ a }}, news",
        "subject: {{ a }}",
        "subject: News: more",
        "subject: 'a",
    ] {
        let errors = issue_errors(&format!("---\n{content}\n---\n"));
        assert!(errors.trim_end().ends_with(quotes), "{errors}");
        assert!(
            errors.starts_with("issues/a.md:2:") || errors.starts_with("issues/a.md:3:"),
            "{errors}"
        );
    }
}

#[test]
fn an_article_says_what_it_is() {
    let toml = "+++\ntitle = 'A'\nstandfirst = 'B'\nbyline = 'C'\ndate = 2026-11-23T10:00:00Z\n\
                url = 'https://a.example/'\ntopics = ['press', 'type']\n[image]\nsrc = 'a.jpg'\n\
                alt = 'D'\ncaption = 'E'\ncredit = 'F'\n+++\nText";
    let yaml = "---\ntitle: A\nstandfirst: B\nbyline: C\ndate: 2026-11-23T10:00:00Z\n\
                url: https://a.example/\ntopics: [press, type]\nimage: {src: a.jpg, alt: D, \
                caption: E, credit: F}\n---\nText";
    for content in [toml, yaml] {
        let text = text(content);
        let (front, start) = article(&text).unwrap();
        assert_eq!(&content[start..], "Text");
        let located = |value: &str| {
            let at = content.find(value).unwrap();
            Located {
                value: value.to_owned(),
                place: text.place(at..at + value.len()),
            }
        };
        assert_eq!(
            front,
            ArticleFront {
                title: Some("A".to_owned()),
                standfirst: Some("B".to_owned()),
                byline: Some("C".to_owned()),
                date: Some(jiff::civil::date(2026, 11, 23)),
                url: Some(located("https://a.example/")),
                image: Some(ImageFront {
                    src: located("a.jpg"),
                    alt: Some("D".to_owned()),
                    caption: Some("E".to_owned()),
                    credit: Some("F".to_owned()),
                }),
                topics: vec!["press".to_owned(), "type".to_owned()],
            }
        );
    }
}

#[test]
fn an_article_may_be_brief() {
    let (front, _) = article(&text("---\nimage: a.png\ntopics: press\n---\n")).unwrap();
    assert_eq!(front.image.unwrap().src.value, "a.png");
    assert_eq!(front.topics, ["press"]);
    assert_eq!(
        article(&text("# Title\n")).unwrap(),
        (ArticleFront::default(), 0)
    );
    assert_eq!(article(&text("")).unwrap(), (ArticleFront::default(), 0));
}

#[test]
fn the_faults_of_an_image_are_found_too() {
    assert_eq!(
        article_errors("+++\nauthor = 'x'\nimage = {path = 'a.jpg', alt = 1}\n+++\n"),
        "issues/a.md:2:1 unknown key `author` |  | Did you mean `byline`?\n\
         issues/a.md:3:9 the image has no `src` |  | Add the key `src`.\n\
         issues/a.md:3:10 unknown key `path` |  | Did you mean `src`?\n\
         issues/a.md:3:32 `alt` is a number, not text |  | Put it in quotes.\n"
    );
    assert_eq!(
        article_errors("+++\nimage = 1\n+++\n"),
        "issues/a.md:2:9 `image` is a number, not a path or a table |  | \n"
    );
}

proptest! {
    #[test]
    fn what_was_written_reads_back(subject in "\\PC{0,30}[a-z]", path in "[a-z\"'\\\\ #:{}]{0,8}a", days in 0..40000_i64) {
        let date = jiff::civil::date(1970, 1, 1).saturating_add(jiff::Span::new().days(days));
        let toml = format!(
            "+++\nsubject = {}\narticles = [{}]\ndate = {date}\n+++\n",
            toml::Value::from(subject.as_str()),
            toml::Value::from(path.as_str()),
        );
        // JSON's strings are YAML's double-quoted ones.
        let yaml = format!(
            "---\nsubject: {}\narticles: [{}]\ndate: {date}\n---\n",
            serde_json::Value::from(subject.as_str()),
            serde_json::Value::from(path.as_str()),
        );
        for content in [toml, yaml] {
            let text = text(&content);
            let (front, start) = issue(&text).unwrap();
            prop_assert_eq!(&front.subject.value, subject.trim());
            prop_assert_eq!(&front.articles[0].value, path.trim());
            prop_assert_eq!(front.date, Some(date));
            prop_assert_eq!(start, content.len());
            // Its place is the value itself, or all that was written for it.
            let written = &content[front.subject.place.range()];
            prop_assert!(written == front.subject.value || written.starts_with(['"', '\'']));
        }
    }

    #[test]
    fn nothing_makes_it_panic(content in "(\\+\\+\\+\n|---\n|[a-z\u{e9}]|[\":=\\[\\]{}#&*!|>',?-]|\n| ){0,40}") {
        for fence in ["+++", "---"] {
            let text = text(&format!("{fence}\n{content}\n{fence}\n"));
            let _ = (issue(&text), article(&text));
        }
    }
}
