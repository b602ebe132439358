//! `mj-include` in the templates of a newsletter.

use super::{Bench, END, SECTION};
use crate::compose::testing::first_text;

const INCLUDE: &str = "<mj-include path=\"partials/part.mjml\"/>";

#[test]
fn an_included_file_is_a_template() {
    let bench = Bench::page(&format!("<!-- x -->\n{INCLUDE}{{% if subscriber.plan == 'free' %}}{INCLUDE}{{% endif %}}"))
        .partial(
            "partials/part.mjml",
            &format!("{SECTION}{{{{ newsletter.name }}}} and {{{{ subscriber.first_name }}}}{END}{{% if subscriber.plan == 'pro' %}}{SECTION}Thanks!{END}{{% endif %}}<mj-include path='../raw.html' type='html'/>"),
        )
        .partial("raw.html", "<p title='{{ issue.subject }}'>{% for article in articles %}{{ article.title }} for {{ subscriber.first_name }}{% endfor %}</p>")
        .article("A & B", "t", "x");
    assert_eq!(
        bench.seen(&[("first_name", "Al"), ("plan", "pro")]),
        "Name and Al Thanks! A &amp; B for Al"
    );
    assert_eq!(
        bench.seen(&[("first_name", "<Al>"), ("plan", "free")]),
        "Name and &lt;Al&gt; A &amp; B for &lt;Al&gt; Name and &lt;Al&gt; A &amp; B for &lt;Al&gt;"
    );
}

#[test]
fn css_is_no_template() {
    let css = ".a { b: '{{ c }}' }\n{# d #}\u{F0000}%F3%B0%80%80";
    let bench = Bench::page("<mj-include type='css' path='styles/a.css'/>")
        .file("templates/styles/a.css", css);
    let html = bench.merge(&[]).unwrap().html;
    assert!(
        html.contains("<style type=\"text/css\">.a { b: '{{ c }}' }\n{# d #}%EF%BF%BD</style>"),
        "{html}"
    );
    let told = |css: &str| {
        let bench = Bench::page("<mj-include type='css' path='styles/a.css'/><mj-include type='css' path='styles/a.css'/>")
            .file("templates/styles/a.css", css);
        let findings = bench.compose().unwrap().findings.into_iter();
        let told = findings.filter(|it| it.rule == "mjml-include");
        let told = told.map(|it| {
            format!(
                "{}: {} | {}",
                it.place.unwrap(),
                it.message,
                it.hint.unwrap()
            )
        });
        told.collect::<Vec<_>>()
    };
    for css in [
        ".a {}\n.b { top: {{ c }} }",
        ".a {}\n.b { top: {% if d %} }",
    ] {
        assert_eq!(
            told(css),
            [
                "templates/styles/a.css:2:11: there is a tag in a style that is not a template, and it stays there as it is | Put what depends on it into an `<mj-style>` of the template. The file is included by `templates/digest.mjml:3:1`."
            ]
        );
    }
    assert_eq!(told("@media print {.a{b:c}}"), [""; 0]);
}

#[test]
fn a_partial_of_the_theme_can_be_included_and_replaced() {
    let bench = Bench::page("<mj-include path='partials/footer.mjml'/>").article("A", "t", "x");
    let seen = bench.seen(&[("email", "a@x.example")]);
    assert!(seen.contains("1 Type Street"), "{seen}");
    let bench = bench.partial("partials/footer.mjml", &format!("{SECTION}mine{END}"));
    assert_eq!(bench.seen(&[]), "mine");
}

#[test]
fn a_path_leads_from_the_partial_that_it_stands_in() {
    let bench = Bench::page("{% include 'partials/one.mjml' %}")
        .partial(
            "partials/one.mjml",
            "\n<mj-include path='part.mjml'/><mj-include path='../../shared/x.mjml'/>",
        )
        .partial("partials/part.mjml", &format!("{SECTION}here{END}"))
        .file("shared/x.mjml", &format!("{SECTION}there{END}"));
    assert_eq!(bench.seen(&[]), "here there");
}

#[test]
fn what_is_wrong_in_an_included_file_is_told_there() {
    let refused = |part: &str| {
        let bench = Bench::page(&format!(
            "{{% for article in articles %}}\n{INCLUDE}{{% endfor %}}"
        ));
        let bench = bench.article("A", "t", "x").article("B", "t", "x");
        bench.partial("partials/part.mjml", part).refused()
    };
    assert_eq!(
        refused("\n<mj-raw>{{ article.title }}</mj-raw>"),
        "templates/partials/part.mjml:2:12: `article` is not defined: included by `templates/digest.mjml:4:1` | Did you mean `articles`? | A file that comes by `<mj-include>` does not know the loops and variables around it; write `{% include \"partials/part.mjml\" %}` instead where it needs them."
    );
    assert_eq!(
        refused("<mj-section>\n{{ subscriber.x }}</mj-column></mj-section>"),
        "templates/partials/part.mjml:2:1: this tag prints text between the elements of MJML | Put it into `<mj-text>`. The file is included by `templates/digest.mjml:4:1`.\ntemplates/partials/part.mjml:2:19: `</mj-column>` closes nothing here: `<mj-section>` of line 1 is still open | Take it out, or write the `<mj-column>` that it closes. The file is included by `templates/digest.mjml:4:1`."
    );
    assert_eq!(
        refused("<mj-include path='../digest.mjml'/>"),
        "templates/partials/part.mjml:1:1: `templates/digest.mjml` includes `templates/partials/part.mjml`, which includes `templates/digest.mjml`: included by `templates/digest.mjml:4:1` | Take one of these includes out."
    );
    assert_eq!(
        refused("<mj-include path='{{ subscriber.plan }}.mjml'/>"),
        "templates/partials/part.mjml:1:1: which file is included cannot depend on the reader: included by `templates/digest.mjml:4:1` | Put `{% if subscriber.… %}` around the `<mj-include>`, or into the file."
    );
    assert_eq!(
        refused("<mj-include path='x.mjml'/>"),
        "templates/partials/part.mjml:1:1: there is no file `templates/partials/x.mjml` | The file is included by `templates/digest.mjml:4:1`."
    );
    let bench = Bench::page("<mj-include path='../x.html' type='html'/>");
    assert_eq!(
        bench
            .file("x.html", "<p>\n{{ newsletter.name }}</p>")
            .refused(),
        "x.html:2:1: there is a tag in a file that is not a template: included by `templates/digest.mjml:3:1` | Templates are files in `templates/` that end in `.mjml` or `.html`; move it there."
    );
}

#[test]
fn a_block_cannot_begin_in_one_file_and_end_in_another() {
    let bench = Bench::page(&format!("{INCLUDE}{{% endif %}}"))
        .partial("partials/part.mjml", "{% if subscriber.plan %}");
    assert_eq!(
        bench.refused(),
        "templates/partials/part.mjml:1:1: `if` is never closed | Write `{% endif %}` where it ends.\ntemplates/digest.mjml:3:43: `{% endif %}` closes nothing here | Take it out, or write the `{% if … %}` that it closes."
    );
}

#[test]
fn files_that_are_no_templates_hold_no_tags_of_ours() {
    let bench = Bench::page(&format!(
        "{SECTION}{{{{ subscriber.name }}}}{END}<mj-include path='../x.mjml'/>"
    ))
    .file(
        "x.mjml",
        "<mj-raw>\u{F0000}&#xF0000;<p>\u{100000}y</p></mj-raw>",
    );
    let html = bench.merge(&[("name", "Al")]).unwrap().html;
    assert_eq!(first_text(&html), "Al");
    assert!(html.contains("\u{fffd}<p>y</p>"), "{html}");
}
