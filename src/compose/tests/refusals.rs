//! What is refused, where, and with which advice.

use super::{END, SECTION};
use crate::compose::{Validation, testing::Bench};

#[test]
fn a_value_where_none_is_safe_is_refused() {
    let hint = " | Use it in text or in a quoted attribute; `{% if subscriber.… %}` around fixed texts works in styles, too.";
    for (content, message) in [
        (
            "<p style=\"color:{{ subscriber.c }}\">x</p>",
            "a value of the reader's cannot be made safe within `style=\"\"`, or in an attribute of MJML that becomes a style",
        ),
        (
            "<p {{ subscriber.c }}=\"x\">x</p>",
            "a value of the reader's cannot be made safe within a tag, outside of a value",
        ),
        (
            "<p class={{ subscriber.c }}>x</p>",
            "a value of the reader's cannot be made safe in a value without quotes",
        ),
        (
            "<!-- {{ subscriber.c }} -->",
            "a value of the reader's cannot be made safe within a comment",
        ),
        (
            "<h{% if subscriber.c %}1{% endif %}>x",
            "a value of the reader's cannot be made safe in the name of a tag or an attribute",
        ),
        (
            "<a onclick='{{ subscriber.c }}'>x</a>",
            "a value of the reader's cannot be made safe within a script",
        ),
    ] {
        let column = "<mj-section><mj-column><mj-text>".len() + content.find('{').unwrap() + 1;
        assert_eq!(
            Bench::words(content).refused().lines().next().unwrap(),
            format!("templates/digest.mjml:3:{column}: {message}{hint}")
        );
    }
    let mut bench = Bench::words("x");
    bench.page = bench.page.replace(
        "<mj-body>",
        "<mj-head><mj-style>.a { color: {{ subscriber.c }} }</mj-style></mj-head><mj-body>",
    );
    assert_eq!(
        bench.refused(),
        format!(
            "templates/digest.mjml:2:32: a value of the reader's cannot be made safe within `<style>`{hint}"
        )
    );
}

#[test]
fn errors_of_tera_are_shown_where_the_author_wrote_them() {
    let partial = |content: &str| {
        Bench::words("{{ subscriber.a }}{% include 'partials/p.mjml' %}")
            .partial("partials/p.mjml", content)
            .refused()
    };
    assert_eq!(
        partial("\n{{ subscriber.first_name }} é {{ newsletter.nam }}"),
        "templates/partials/p.mjml:2:45: `nam` is not defined | Did you mean `name`?"
    );
    assert_eq!(
        partial("\n {{ artikles }}"),
        "templates/partials/p.mjml:2:5: `artikles` is not defined | Did you mean `articles`?"
    );
    assert_eq!(
        partial("{{ subscribers.plan }}"),
        "templates/partials/p.mjml:1:4: `subscribers` is not defined | Did you mean `subscriber`?"
    );
    assert_eq!(
        partial("{{ subscriber.a }}{{ issue.slug | uper }}{% if x | nix %}{% endif %}"),
        "templates/partials/p.mjml:1:35: there is no filter `uper` | Did you mean `upper`?\ntemplates/partials/p.mjml:1:52: there is no filter `nix`"
    );
    assert_eq!(
        partial("{{ subscriber.a | uper }}"),
        "templates/partials/p.mjml:1:1: there is no filter `uper` | Did you mean `upper`?"
    );
    assert_eq!(
        partial("\n{{ a b }}"),
        "templates/partials/p.mjml:2:6: found identifier but expected `}}` | Write `}}` where the tag ends."
    );
    assert_eq!(
        partial("{% include 'q' %}"),
        "templates/partials/p.mjml:1:12: there is no template `q`"
    );
    assert_eq!(
        partial("{% include 'partials/q.mjml' %}"),
        "templates/partials/p.mjml:1:12: there is no template `partials/q.mjml` | Did you mean `partials/p.mjml`?"
    );
    assert_eq!(
        partial(
            "{% for a in articles %}\n{% if subscriber.a %}{% endif %}{% if a.url %}x{% endfor %}"
        ),
        "templates/partials/p.mjml:2:51: `{% endfor %}` closes nothing here: `if` is still open | Write `{% endif %}` before it."
    );
    assert_eq!(
        partial("x\n{% for a in articles %}\n{{ a.title }}"),
        "templates/partials/p.mjml:2:1: `for` is never closed | Write `{% endfor %}` where it ends."
    );
    assert_eq!(
        partial("x\n{% fro a in articles %}{% endfor %}"),
        "templates/partials/p.mjml:2:4: there is no tag `fro` | Did you mean `for`?"
    );
    assert_eq!(
        partial("x {{ issue.slug"),
        "templates/partials/p.mjml:1:3: `{{` is never closed | Write `}}` where it ends."
    );
    assert_eq!(
        partial("{% for a in article %}{% endfor %}"),
        "templates/partials/p.mjml:1:13: `article` is not defined | Did you mean `articles`?"
    );
    assert_eq!(
        partial("{{ issue.date | default('x') }}"),
        "templates/partials/p.mjml:1:25: found string but expected identifier | Name each argument, as in `default(value=\"…\")`."
    );
    let field = |name: &str| {
        Bench::words(&format!("{{{{ articles[0].{name} }}}}"))
            .article("A", "t", "x")
            .refused()
    };
    assert_eq!(
        field("titel"),
        "templates/digest.mjml:3:48: `titel` is not defined | Did you mean `title`?"
    );
    assert_eq!(
        field("byline"),
        "templates/digest.mjml:3:48: `byline` is not defined | It is not always there: write `{% if … %}` around it, or add `| default(value=\"…\")`."
    );
    assert_eq!(
        Bench::words("x")
            .issue("+++\nsubject = \"Hi {{ nope }}\"\n+++\nLetter {{ subscriber.a }} {{ also }}")
            .refused(),
        "issues/i.md:2:18: `nope` is not defined | Known here: `articles`, `issue`, `letter`, `letter_text`, `newsletter`, `subscriber`, `unsubscribe_url`, `preferences_url`, `view_url`."
    );
}

#[test]
fn errors_of_mjml_are_shown_where_the_author_wrote_them() {
    let bench = Bench::page(
        "<mj-section>\n{% for a in articles %}{% include 'p.mjml' %}{% endfor %}</mj-section>",
    )
    .partial(
        "p.mjml",
        "<mj-column>\n  <mj-text>{{ a.title }}</mj-text>\n</mj-colum>",
    )
    .article("A", "t", "x");
    assert_eq!(
        bench.refused(),
        "templates/p.mjml:3:1: `</mj-colum>` closes nothing here: `<mj-column>` of line 1 is still open | Write `</mj-column>`."
    );
    let bench = Bench::page("<mj-section>{% include 'p.mjml' %}</mj-section>").partial(
        "p.mjml",
        "<mj-column>\n  <mj-txt>{{ newsletter.name }}</mj-txt>\n</mj-column>",
    );
    assert_eq!(
        bench.refused(),
        "templates/p.mjml:2:3: MJML has no element `<mj-txt>` | Did you mean `<mj-text>`?\ntemplates/p.mjml:2:3: the text `Name` stands between elements in `<mj-txt>`"
            .split('\n').next().unwrap()
    );
}

#[test]
fn blocks_where_mjml_has_no_room_are_refused() {
    assert_eq!(
        Bench::page("<mj-section><mj-column><mj-social>\n{% if subscriber.a %}<mj-social-element name='x' href='https://x.example'/>{% endif %}</mj-social></mj-column></mj-section>").refused().lines().next().unwrap(),
        "templates/digest.mjml:4:1: a tag that depends on the reader cannot stand directly in `<mj-social>` | Put the block around the whole `<mj-social>`."
    );
    assert_eq!(
        Bench::page("<mj-section><mj-column>{{ subscriber.a }}</mj-column></mj-section>").refused(),
        "templates/digest.mjml:3:24: this tag prints text between the elements of MJML | Put it into `<mj-text>`."
    );
    assert_eq!(
        Bench::page("<mj-section><mj-column><mj-text nonsense='{{ subscriber.a }}'>x</mj-text></mj-column></mj-section>").refused(),
        "templates/digest.mjml:3:43: this tag has no effect here: MJML does not use what it stands in | Put it where it is shown: into text, or into `href`, `src` or `alt`."
    );
    assert_eq!(
        Bench::words("<a title=\"{% if subscriber.a %}\">x</a>{% endif %}")
            .refused()
            .lines()
            .next()
            .unwrap(),
        "templates/digest.mjml:3:71: this block began in line 3, in another tag, value or text | A block that begins in the value of an attribute must end in it."
    );
}

#[test]
fn a_block_that_holds_half_an_element_is_refused() {
    for (page, line) in [
        (
            "<mj-section><mj-column><mj-text>{% if subscriber.a %}x</mj-text><mj-text>y{% endif %}</mj-text></mj-column></mj-section>",
            "templates/digest.mjml:3:33",
        ),
        (
            "<mj-section><mj-column><mj-text>{% for t in subscriber.topics %}x</mj-text></mj-column></mj-section><mj-section><mj-column>{% endfor %}<mj-text>y</mj-text></mj-column></mj-section>",
            "templates/digest.mjml:3:33",
        ),
        (
            "{% if subscriber.a %}<mj-section><mj-column><mj-text>x{% else %}</mj-text></mj-column></mj-section>{% endif %}",
            "templates/digest.mjml:3:1",
        ),
    ] {
        assert_eq!(
            Bench::page(page).refused().lines().next().unwrap(),
            format!(
                "{line}: this block begins and ends in different elements | Put whole elements into a block, or the whole block into one element."
            ),
            "{page}"
        );
    }
}

#[test]
fn a_tag_that_a_filter_has_cut_is_noticed() {
    let bench = Bench::words("{{ issue.subject | truncate(length=2) }}")
        .issue("+++\nsubject = \"{% if issue.slug == subscriber.a %}x{% endif %}\"\n+++\n");
    assert_eq!(
        bench.refused(),
        "issues/i.md:2:12: the values that this tag needs were cut on the way | A filter such as `truncate` must not be applied to text that holds tags of `subscriber`."
    );
    let bench = Bench::words("{% if issue.subject == subscriber.b %}{% endif %}")
        .issue("+++\nsubject = \"{{ subscriber.a }}\"\n+++\n");
    assert_eq!(
        bench.refused(),
        "templates/digest.mjml:3:39: this text holds a tag of `subscriber` itself and cannot be used in another one"
    );
}

#[test]
fn what_the_engine_refuses_is_shown_at_the_author() {
    let bench =
        Bench::page("<mj-section><mj-column>{% include 'p.mjml' %}</mj-column></mj-section>")
            .partial("p.mjml", "\n<mj-social>\n <mj-text>x</mj-text></mj-social>");
    assert_eq!(
        bench.refused().lines().next().unwrap(),
        "templates/p.mjml:3:2: `<mj-text>` cannot stand in `<mj-social>` | Put it into `<mj-column>` or `<mj-hero>`; it is left out otherwise."
    );
}

#[test]
fn templates_are_chosen_by_name() {
    let bench = Bench::words("x").issue("+++\nsubject = \"S\"\ntemplate = \"digset\"\n+++\n");
    assert_eq!(
        bench.refused(),
        "issues/i.md:3:13: there is no template `digset` | Did you mean `digest`?"
    );
    let bench = Bench::words("x")
        .partial("other.mjml", "<mjml><mj-body/></mjml>")
        .issue("+++\nsubject = \"S\"\ntemplate = \"other\"\n+++\n");
    assert!(
        bench
            .compose()
            .unwrap()
            .mjml
            .starts_with("<mjml><mj-body/>")
    );
}

#[test]
fn an_attribute_that_mjml_does_not_know_is_noted_once() {
    let bench = Bench::page(
        "<mj-section>{% for i in [1, 2] %}<mj-column colour=\"red\" data-x=\"1\"><mj-text font-size=\"16px\">x</mj-text></mj-column>{% endfor %}</mj-section>",
    );
    let findings = bench.compose().unwrap().findings;
    let notes: Vec<String> = findings
        .iter()
        .filter(|finding| finding.rule == "mjml-unknown-attribute")
        .map(|note| format!("{}: {:?}", note.message, note.hint))
        .collect();
    assert_eq!(
        notes,
        [
            "`<mj-column>` has no attribute `colour`: Some(\"Did you mean `color`? Only other elements have it.\")"
        ]
    );
}

#[test]
fn an_element_in_the_wrong_place_is_noted() {
    let bench = Bench::page("<mj-section><mj-text>x</mj-text></mj-section>");
    let findings = bench.compose().unwrap().findings;
    let note = findings
        .iter()
        .find(|note| note.rule == "mjml-parent")
        .unwrap();
    assert_eq!(note.message, "`<mj-text>` stands in `<mj-section>`");
    assert_eq!(
        note.hint.as_deref(),
        Some("Put it into `<mj-column>` or `<mj-hero>`.")
    );
}

#[test]
fn an_error_is_told_once_however_often_it_is_met() {
    let bench =
        Bench::words("{% for a in [1, 2, 3] %}<p style=\"top: {{ subscriber.x }}\">{% endfor %}");
    let told = bench.refused();
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn a_block_within_a_component_of_parts_goes_around_all_of_it() {
    for (outer, inner) in [
        ("mj-navbar", "<mj-navbar-link href=\"#\">x</mj-navbar-link>"),
        (
            "mj-social",
            "<mj-social-element href=\"#\">x</mj-social-element>",
        ),
        ("mj-carousel", "<mj-carousel-image src=\"a.png\"/>"),
        (
            "mj-accordion",
            "<mj-accordion-element></mj-accordion-element>",
        ),
    ] {
        let bench = Bench::page(&format!(
            "<mj-section><mj-column><{outer}>{{% if subscriber.a %}}{inner}{{% endif %}}</{outer}></mj-column></mj-section>"
        ));
        let told = bench.refused();
        let first = told.lines().next().unwrap();
        assert!(
            first.ends_with(&format!(" | Put the block around the whole `<{outer}>`.")),
            "{told}"
        );
    }
}

#[test]
fn an_element_that_is_left_out_takes_no_half_of_a_block_with_it() {
    let section = |words: &str| format!("{SECTION}{words}{END}");
    let [a, b] = ["a", "b"].map(section);
    let open = "{% if subscriber.a %}";
    for halves in [
        format!("{open}{a}<mj-x>{{% endif %}}</mj-x>{b}"),
        format!("<mj-x>{open}</mj-x>{a}{{% endif %}}{b}"),
        format!("{open}{a}<mj-x><p>{{% else %}}</p></mj-x>{b}{{% endif %}}"),
        format!("{open}{a}<mj-x y=\"{{% else %}}\"/>{b}{{% endif %}}"),
    ] {
        let mut bench = Bench::page(&halves);
        bench.validation = Validation::Soft;
        assert!(
            bench
                .refused()
                .contains("left out, and this tag with it | "),
            "{halves}: {}",
            bench.refused()
        );
    }
    let whole = format!(
        "<mj-x y=\"{open}x{{% endif %}}\">{open}<p>{{% else %}}</p>{{% endif %}}</mj-x>{a}"
    );
    let mut bench = Bench::page(&whole);
    bench.validation = Validation::Soft;
    assert_eq!(bench.seen(&[]), "a");
}
