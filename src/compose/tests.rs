mod any;
mod doubts;
mod include;
mod layout;
mod reader_dependent;
mod refusals;

use super::testing::{Bench, paragraph};
use crate::{compose::Images, finding::Severity, issue::Figure};

const SECTION: &str = "<mj-section><mj-column><mj-text>";
const END: &str = "</mj-text></mj-column></mj-section>";

#[test]
fn an_issue_becomes_a_mail() {
    let bench = Bench::words("Hello {{ subscriber.first_name | default(value='reader') }}, {% for article in articles %}<h2>{{ article.title }}</h2>{% for block in article.body %}<p>{{ block.html }}</p>{% endfor %}{% endfor %}<a href=\"{{ unsubscribe_url }}\">off</a>")
        .issue("+++\nsubject = \"{{ subscriber.first_name or 'Hi' }}: {{ articles[0].title }}\"\n+++\n")
        .article("A & B", "tech", "One *two* <b>\n\n[three](https://x.example/?a=1&b=2)");
    let merged = bench
        .merge(&[("first_name", "Zoë <b>"), ("email", "z@x.example")])
        .unwrap();
    assert_eq!(merged.subject, "Zoë <b>: A & B");
    assert_eq!(
        bench.read(&[("first_name", "Zoë <b>")]),
        "Hello Zoë &lt;b&gt;, <h2>A &amp; B</h2><p>One <em>two</em></p><p><a href=\"https://x.example/?a=1&amp;b=2\" style=\"color:inherit;text-decoration:underline\">three</a></p><a href=\"https://news.example.com/u?t=1&amp;k=2\">off</a>"
    );
    assert!(bench.read(&[]).starts_with("Hello reader, "));
}

#[test]
fn readers_get_the_articles_of_their_topics() {
    let bench = Bench::page(&format!("{{% for article in articles %}}{{% if article.topic in subscriber.topics %}}{SECTION}{{{{ article.title }}}} for {{{{ article.topic }}}}{END}{{% endif %}}{{% endfor %}}"))
        .article("One", "tech", "x")
        .article("Two", "art \"\\'&<", "x")
        .article("Three", "tech", "x");
    assert_eq!(
        bench.seen(&[("topics", "tech")]),
        "One for tech Three for tech"
    );
    assert_eq!(
        bench.seen(&[("topics", "art \"\\'&<")]),
        "Two for art &quot;\\&#39;&amp;&lt;"
    );
    assert_eq!(bench.seen(&[("topics", "")]), "");
}

#[test]
fn the_letter_is_a_template_of_its_own() {
    let bench = Bench::page("<mj-section><mj-column>{% for block in letter %}<mj-text><p style='margin:0'>{{ block.html }}</p></mj-text>{% endfor %}</mj-column></mj-section>")
        .issue("+++\nsubject = \"S\"\n+++\nDear {{ subscriber.name or 'reader' }}, of *{{ newsletter.name }}*:\n\n{% if subscriber.plan == \"pro\" %}\n\nThanks!\n\n{% endif %}\n\nSee [you](https://x.example/{{ subscriber.id }}/x?y={{ subscriber.plan }}).");
    let pro = [("name", "*Al*"), ("plan", "pro"), ("id", "a/b c")];
    assert_eq!(bench.seen(&pro), "Dear *Al*, of Name : Thanks! See you .");
    assert_eq!(
        bench.seen(&[("id", "1"), ("plan", "y")]),
        "Dear reader, of Name : See you ."
    );
    let html = bench.merge(&pro).unwrap().html;
    assert!(
        html.contains("href=\"https://x.example/a%2Fb%20c/x?y=pro\""),
        "{html}"
    );
    assert!(!html.contains("<p style='margin:0'></p>"), "{html}");
}

#[test]
fn data_is_never_code() {
    let title = "{{ 7*7 }} {% include 'x' %} {# c #} \u{1}(1)\u{1} \u{1}[if]\u{1} \u{F0000}\u{F8000}\u{100000} @@0@@ </mj-text> <!--[if mso]> &#xF0000; %F3%B0%80%80 \u{7}";
    let kept = "{{ 7*7 }} {% include &#39;x&#39; %} {# c #} (1) [if] @@0@@ &lt;/mj-text&gt; &lt;!--[if mso]&gt; \u{fffd} %EF%BF%BD";
    let mut bench = Bench::words("{{ subscriber.a }}|{{ articles[0].title }}|{{ articles[0].body[0].html }}|{{ articles[0].topic | safe }}|<a title=\"{{ articles[0].title }}\">x</a>")
        .article(title, "&#xF0000;", "x");
    bench.articles[0].body = vec![paragraph(title)];
    let body = kept.replace("\u{fffd}", "&amp;#xF0000;");
    let cell = title.replace(char::is_control, "");
    let read = bench.read(&[("a", &cell)]);
    let parts: Vec<&str> = read.splitn(5, '|').collect();
    assert_eq!(
        parts[0].trim_end(),
        "{{ 7*7 }} {% include &#39;x&#39; %} {# c #} (1) [if] \u{F0000}\u{F8000}\u{100000} @@0@@ &lt;/mj-text&gt; &lt;!--[if mso]&gt; &amp;#xF0000; %F3%B0%80%80"
    );
    assert_eq!(parts[1].trim_end().replace("  ", " "), kept);
    assert_eq!(parts[2].trim_end().replace("  ", " "), body);
    assert_eq!(parts[3], "\u{fffd}");
    assert_eq!(
        parts[4].replace("  ", " ").replace(" \">", "\">"),
        format!("<a title=\"{kept}\">x</a>")
    );
}

#[test]
fn values_are_escaped_as_their_place_demands() {
    let bench = Bench::words(
        "<a href=\"{{ subscriber.url }}\" title='{{ subscriber.x | safe }}'>x</a> <a href=\"https://x.example/?q={{ subscriber.x }}\">y</a> <a href='{% if subscriber.vip %}https://v.example/{% else %}{{ subscriber.url }}{% endif %}'>z</a><td {% if subscriber.vip %}class=\"vip\"{% endif %}>",
    );
    let fields = [("url", " HTTPS://u.example/?a&b "), ("x", "a'\"<&b")];
    assert_eq!(
        bench.read(&fields),
        "<a href=\"HTTPS://u.example/?a&amp;b\" title='a&#39;&quot;&lt;&amp;b'>x</a> <a href=\"https://x.example/?q=a%27%22%3C%26b\">y</a> <a href='HTTPS://u.example/?a&amp;b'>z</a><td >"
    );
    let unsafe_url = [("url", "java\tscript:alert(1)"), ("x", "x")];
    assert_eq!(
        bench.unmerged(&unsafe_url),
        "templates/digest.mjml:3:42: `java\tscript:alert(1)` is no address that a mail may link to: it must begin with https:, http:, mailto: or tel:"
    );
}

#[test]
fn an_attribute_of_mjml_can_depend_on_the_reader() {
    let bench = Bench::page(
        "<mj-section><mj-column><mj-button href=\"{% if subscriber.vip %}https://v.example/?a=1&b={{ subscriber.id }}{% else %}https://f.example/{% endif %}\" color=\"{% if subscriber.vip %}#ff0000{% else %}#00ff00{% endif %}\">go</mj-button></mj-column></mj-section>",
    );
    let vip = bench.merge(&[("vip", "1"), ("id", "&")]).unwrap().html;
    assert!(
        vip.contains("href=\"https://v.example/?a=1&b=%26\""),
        "{vip}"
    );
    assert!(
        vip.contains("color:#ff0000") && !vip.contains("#00ff00"),
        "{vip}"
    );
    let other = bench.merge(&[]).unwrap().html;
    assert!(
        other.contains("href=\"https://f.example/\"") && !other.contains("#ff0000"),
        "{other}"
    );
}

#[test]
fn a_set_at_the_top_counts_for_the_whole_page() {
    let mut bench = Bench::words("{{ name }}");
    bench.page = format!(
        "{{% set name = subscriber.name or newsletter.name %}}\n{}",
        bench.page
    );
    assert_eq!(bench.read(&[("name", "Al")]), "Al");
    assert_eq!(bench.read(&[]), "Name");
    let bench = Bench::words(
        "{% set n = articles | length %}{% if subscriber.a %}{% set n = subscriber.a %}{% endif %}{{ n }}",
    );
    assert_eq!(bench.read(&[("a", "x")]), "x");
    assert_eq!(bench.read(&[]), "0");
}

#[test]
fn pictures_travel_once_or_are_called_from_the_web() {
    let content = "<mj-section background-url='img/bg é.png'><mj-column><mj-image src='img/a.png'/><mj-image src='https://x.example/b.png'/><mj-text><img src=\"img/a.png\" alt=\"\"/><img src='{% if subscriber.a %}img/a.png{% else %}img/c.png{% endif %}'/><img src='https://x.example/{{ subscriber.a }}.png'/></mj-text></mj-column></mj-section>";
    let mut bench = Bench::page(content);
    let composed = bench.compose().unwrap();
    let names: Vec<_> = composed
        .edition
        .images
        .iter()
        .map(|image| image.file_name.as_str())
        .collect();
    assert_eq!(names, ["bg é.png", "a.png", "c.png"]);
    let id = &composed.edition.images[1].content_id;
    assert_eq!(id.len(), 26 + "@news.example.com".len());
    let html = bench.merge(&[("a", "x")]).unwrap().html;
    assert_eq!(
        html.matches(&format!("src=\"cid:{id}\"")).count(),
        2,
        "{html}"
    );
    assert_eq!(
        html.matches(&format!("src='cid:{id}'")).count(),
        1,
        "{html}"
    );
    assert!(html.contains("src='https://x.example/x.png'"), "{html}");
    bench.images = Images::Hosted;
    let html = bench.merge(&[]).unwrap_err();
    assert_eq!(html.message(), "this reader has no `a`");
    let html = bench.merge(&[("a", "x")]).unwrap().html;
    assert!(
        html.contains("url('https://news.example.com/img/bg%20%C3%A9.png')"),
        "{html}"
    );
    assert!(
        html.contains("src=\"https://news.example.com/img/a.png\""),
        "{html}"
    );
    let refused = |src: &str| Bench::words(&format!("<img src=\"{src}\">")).refused();
    assert_eq!(
        refused("//x.example/a.png"),
        "templates/digest.mjml:3:43: the picture `//x.example/a.png` cannot be used in a mail | Write `https://` before the name of the host."
    );
    assert_eq!(
        refused("data:image/png;base64,AA"),
        "templates/digest.mjml:3:43: the picture `data:image/png;base64,AA` cannot be used in a mail | Mail programs do not show `data:` pictures; save it as a file in the newsletter's folder."
    );
    assert_eq!(
        refused("file:///etc/passwd"),
        "templates/digest.mjml:3:43: the picture `file:///etc/passwd` cannot be used in a mail | Use an `https://` address, or a path relative to the newsletter's folder."
    );
    assert_eq!(
        refused("missing.png"),
        "templates/digest.mjml:3:43: there is no picture `missing.png`"
    );
    assert_eq!(
        refused("img/{{ subscriber.a }}.png")
            .split(" | ")
            .next()
            .unwrap(),
        "templates/digest.mjml:3:43: a picture whose address depends on the reader must lie on the web, but this one begins with `img/`"
    );
}

#[test]
fn the_text_part_is_plain() {
    let bench = Bench::text("{{ newsletter.name }} {{ subscriber.name }}   \n\n\n\n\n{% if subscriber.vip %}\n<VIP> & more\n{% endif %}\n{% for article in articles %}\n* {{ article.title }}\n{{ article.text }}\n{% endfor %}\n{{ unsubscribe_url }}")
        .article("A & \u{1}(B)\u{1}", "t", "One & two");
    let text = |fields: &[(&str, &str)]| bench.merge(fields).unwrap().text;
    assert_eq!(
        text(&[("name", "<Al>"), ("vip", "1")]),
        "Name <Al>\n\n\n<VIP> & more\n\n* A & (B)\nOne & two\n\nhttps://news.example.com/u?t=1&k=2\n"
    );
    assert!(!text(&[("name", "x")]).contains("VIP"));
}

#[test]
fn the_subject_is_one_line() {
    let bench = Bench::words("x")
        .issue("+++\nsubject = \"A\u{a0}?  {{ subscriber.name }} {{ articles[0].title }}\"\n+++\n");
    let bench = bench.article("B\nC\u{1}", "t", "x");
    let name = [("name", "x\r\nBcc: y@x.example\u{2028}z\t")];
    assert_eq!(
        bench.merge(&name).unwrap().subject,
        "A\u{a0}? x  Bcc: y@x.example z  B C"
    );
}

#[test]
fn what_the_law_wants_is_found_missing() {
    let rules = |bench: &Bench| -> Vec<_> {
        let findings = bench.compose().unwrap().findings;
        assert!(
            findings
                .iter()
                .all(|finding| finding.severity == Severity::Error)
        );
        findings
            .iter()
            .map(|finding| format!("{}: {}", finding.rule, finding.message))
            .collect()
    };
    let mut bench = Bench::words("{{ unsubscribe_url }} {{ newsletter.postal_address }}");
    assert_eq!(
        rules(&bench),
        [
            "no-unsubscribe-link: the plain text has no link to unsubscribe",
            "no-postal-address: the plain text does not show the postal address"
        ]
    );
    bench.text = "{{ unsubscribe_url }}\n{{ newsletter.postal_address }}".to_owned();
    assert!(rules(&bench).is_empty());
    bench.page = bench.page.replace("{{ unsubscribe_url }}", "");
    assert_eq!(
        rules(&bench),
        ["no-unsubscribe-link: the page has no link to unsubscribe"]
    );
}

#[test]
fn fields_are_named_with_the_first_tag_that_asks() {
    let bench =
        Bench::words("{{ subscriber.b }}{% if subscriber['c d'] == subscriber.a %}{% endif %}")
            .issue("+++\nsubject = \"{{ subscriber.a }}\"\n+++\n");
    let fields: Vec<_> = bench
        .compose()
        .unwrap()
        .edition
        .fields
        .into_iter()
        .map(|field| {
            format!(
                "{} {}:{}:{}",
                field.name, field.origin.file, field.origin.line, field.origin.column
            )
        })
        .collect();
    assert_eq!(
        fields,
        [
            "a issues/i.md:2:12",
            "b templates/digest.mjml:3:33",
            "c d templates/digest.mjml:3:51"
        ]
    );
}

#[test]
fn components_blocks_and_trims_work_at_both_moments() {
    let bench = Bench::page("{% include 'card.mjml' %}{% for article in articles %}{{ <card title={article.title} /> }}{% endfor %}")
        .partial("card.mjml", "{% component card(title: string) %}<mj-section><mj-column><mj-text>{{ title }} {%- if subscriber.a -%} ({{- subscriber.a -}}) {%- endif %} !</mj-text></mj-column></mj-section>{% endcomponent card %}")
        .article("A & B", "t", "x");
    assert_eq!(bench.seen(&[("a", "<x>")]), "A &amp; B(&lt;x&gt;) !");
    assert_eq!(bench.seen(&[]), "A &amp; B !");

    let mut bench = Bench::page("").partial(
        "base.mjml",
        "<mjml><mj-body>{% block body %}{% endblock %}</mj-body></mjml>",
    );
    bench.page = "{% extends 'base.mjml' %}{% block body %}{% if subscriber.a %}<mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section>{% endif %}{% endblock %}".to_owned();
    assert_eq!(bench.seen(&[("a", "1")]), "x");
    assert_eq!(bench.seen(&[]), "");
}

#[test]
fn an_address_of_an_article_is_one_that_a_mail_may_link_to() {
    let mut bench = Bench::words("{{ articles[0].url or 'none' }}").article("A", "t", "x");
    for (url, shown) in [
        ("https://x.example/?a=1&b", "https://x.example/?a=1&amp;b"),
        ("javascript:alert(1)", "none"),
    ] {
        bench.articles[0].url = Some(url.to_owned());
        assert_eq!(bench.read(&[]), shown);
    }
}

#[test]
fn dates_are_written_as_asked() {
    let bench = Bench::words("{{ issue.date | date(format='%-d %B %Y') }}|{{ issue.date | date }}|{% if subscriber.a %}{{ subscriber.since | date(format='%Y') }}{% endif %}").issue("+++\nsubject = \"S\"\ndate = 2026-03-01\n+++\n");
    assert_eq!(
        bench.read(&[("a", "1"), ("since", "2019-05-06")]),
        "1 March 2026|2026-03-01|2019"
    );
    assert_eq!(
        bench.unmerged(&[("a", "1"), ("since", "May")]),
        "templates/digest.mjml:3:122: `May` is not a date such as 2026-11-23"
    );
    let bench = Bench::words("{{ issue.date or 'none' }}");
    assert_eq!(bench.read(&[]), "none");
}

#[test]
fn text_is_wrapped_as_asked() {
    let bench = Bench::text(
        "{{ articles[0].title | wrap(after='10. ', width=24) }}\n{{ issue.title | wrap(width=20) }}\n{{ subscriber.a | wrap(width=9) }}",
    )
    .article("From the type case to the web: 活版印刷の世界", "t", "x")
    .issue("+++\nsubject = \"For {{ subscriber.a }}, all the news\"\n+++\n");
    assert_eq!(
        bench.merge(&[("a", "Ada and Bo")]).unwrap().text,
        "\
10. From the type case
    to the web: 活版印刷
    の世界
For Ada and Bo, all
the news
Ada and
Bo
"
    );
}

#[test]
fn a_credit_says_once_what_it_is() {
    let content = "{% for article in articles %}{{ article.image.credit_line or 'none' }}: {{ article.image.text }}\n{% endfor %}";
    let mut bench = Bench::text(content);
    let credits = [
        Some("Ida Moreau"),
        Some("© 2026 Ida Moreau"),
        Some("Drawing: Ida Moreau"),
        None,
    ];
    for (at, credit) in credits.into_iter().enumerate() {
        bench = bench.article("A", "t", "x");
        bench.articles[at].image = Some(Figure {
            alt: "A press".to_owned(),
            credit: credit.map(str::to_owned),
            ..Figure::default()
        });
    }
    assert_eq!(
        bench.merge(&[]).unwrap().text,
        "\
Photo: Ida Moreau: [Picture: A press. Photo: Ida Moreau]
© 2026 Ida Moreau: [Picture: A press. © 2026 Ida Moreau]
Drawing: Ida Moreau: [Picture: A press. Drawing: Ida Moreau]
none: [Picture: A press]
"
    );
}

#[test]
fn pictures_in_a_text_are_no_wider_than_it() {
    let article = "![a](wide.png) b ![c](small.png) d ![e](https://x.example/f.png)";
    let bench = Bench::words(
        "{{ articles[0].body[0].html }}<img src='wide.png' height='9' style='height:auto' alt=''/><img src='wide.png' alt=''/>",
    )
    .article("A", "t", article);
    let html = bench.merge(&[]).unwrap().html;
    let tags: Vec<String> = html
        .split("<img src=")
        .skip(1)
        .map(|tag| {
            let tag = &tag[..tag.find('>').unwrap()];
            tag.split_whitespace().skip(1).collect::<Vec<_>>().join(" ")
        })
        .collect();
    let style = "style=\"max-width:100%;height:auto;border:0;vertical-align:middle\" /";
    assert_eq!(
        tags,
        [
            format!("width=\"500\" alt=\"a\" {style}"),
            format!("width=\"1\" alt=\"c\" {style}"),
            format!("alt=\"e\" {style}"),
            "height='9' style='height:auto' alt=''/".to_owned(),
            "alt=''/".to_owned(),
        ]
    );
}

#[test]
fn composing_twice_gives_the_same() {
    let bench = Bench::words("{{ subscriber.a }}<img src='a.png'>{{ articles[0].text }}")
        .article("A", "t", "x");
    assert_eq!(
        bench.compose().unwrap().edition,
        bench.compose().unwrap().edition
    );
}

#[test]
fn the_address_of_a_link_that_not_everyone_sees_stays_with_its_words() {
    let bench = Bench::text("{{ letter_text }}{% for block in letter %}|{{ block.text }}{% endfor %}").issue(
        "+++\nsubject = \"S\"\n+++\n{% if subscriber.pro %}[a](https://x.example/pro){% else %}[b](https://x.example/free){% endif %}{% for t in subscriber.topics %} [{{ t }}](https://x.example/{{ t }}){% endfor %} [c](https://x.example/all)\n",
    );
    let text = |fields: &[(&str, &str)]| {
        let text = bench.merge(fields).unwrap().text;
        text.split('|')
            .map(|part| part.replace('\n', " ").trim().to_owned())
            .collect::<Vec<_>>()
    };
    let pro = "a (https://x.example/pro) s (https://x.example/s) c [1]  [1] https://x.example/all";
    assert_eq!(text(&[("pro", "1"), ("topics", "s")]), [pro, pro]);
    let free = "b (https://x.example/free) c [1]  [1] https://x.example/all";
    assert_eq!(text(&[("topics", "")]), [free, free]);
}
