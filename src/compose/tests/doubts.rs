//! Selectors that look at what depends on the reader.

use crate::compose::testing::Bench;

fn bench(head: &str, content: &str) -> Bench {
    let mut bench = Bench::words("x");
    bench.page = format!(
        "<mjml><mj-head>{head}</mj-head><mj-body>\n<mj-section><mj-column><mj-text>{content}</mj-text></mj-column></mj-section></mj-body></mjml>"
    );
    bench
}

/// What is said of styles and attributes, each at its place.
fn said(bench: &Bench) -> Vec<String> {
    let findings = bench.compose().unwrap().findings;
    let ours = findings
        .into_iter()
        .filter(|it| it.rule.starts_with("mjml-"));
    ours.map(|it| format!("{}: {}", it.place.unwrap(), it.message))
        .collect()
}

fn styled(selector: &str, content: &str) -> Vec<String> {
    let style = format!("<mj-style inline='inline'>{selector} {{ color: red }}</mj-style>");
    let attributes = format!(
        "<mj-html-attributes><mj-selector path='{selector}'><mj-html-attribute name='a'>b</mj-html-attribute></mj-selector></mj-html-attributes>"
    );
    let [style, attributes] = [style, attributes].map(|head| {
        let said = said(&bench(&head, content)).into_iter();
        let said = said.map(|it| it.split_once(": ").unwrap().1.to_owned());
        said.collect::<Vec<_>>()
    });
    assert_eq!(style, attributes, "{selector} {content}");
    style
}

const IF: &str = "{% if subscriber.a %}";
const FOR: &str = "{% for t in subscriber.topics %}";

#[test]
fn a_selector_that_looks_past_a_block_is_told_at_its_author() {
    let head = "<mj-style inline='inline'>h1 + p { color: red }</mj-style>";
    let content = format!("<h1>a</h1>{IF}<p>b</p>{{% endif %}}<p>c</p>");
    let told = bench(head, &content).compose().unwrap().findings;
    let told = told
        .iter()
        .find(|it| it.rule == "mjml-inline-style")
        .unwrap();
    assert_eq!(
        told.place.as_ref().unwrap().to_string(),
        "templates/digest.mjml:1:42"
    );
    assert_eq!(
        told.message,
        "`h1 + p` is matched as if every reader got the block at templates/digest.mjml:2:43"
    );
    assert_eq!(
        told.hint.as_deref(),
        Some("Use a class that stands there for everyone, or an `<mj-style>` without `inline`.")
    );
    assert_eq!(said(&bench("", &content)), Vec::<String>::new());
}

#[test]
fn neighbors_that_depend_on_the_reader_are_doubted() {
    for (selector, content) in [
        ("h1 ~ p", format!("{IF}<h1>a</h1>{{% endif %}}<p>b</p>")),
        (
            "p:first-child",
            format!("{IF}<h1>a</h1>{{% endif %}}<p>b</p>"),
        ),
        (
            "p:nth-child(2)",
            format!("{IF}<h1>a</h1>{{% endif %}}<p>b</p>"),
        ),
        (
            "p:nth-of-type(2n)",
            format!("{IF}<p>a</p>{{% endif %}}<p>b</p>"),
        ),
        (
            "p:last-child",
            format!("<p>a</p>{IF}<h1>b</h1>{{% endif %}}"),
        ),
        (
            "p:not(h1 + p)",
            format!("{IF}<h1>a</h1>{{% endif %}}<p>b</p>"),
        ),
        (
            "h1 + div i",
            format!("{IF}<h1>a</h1>{{% endif %}}<div><b><i>b</i></b></div>"),
        ),
        (
            ".s + .s",
            format!("{FOR}<p class=\"s\">a</p>{{% endfor %}}"),
        ),
        (
            "h1 + p",
            format!("<h1>a</h1>{IF}<b></b>{{% else %}}<p>b</p>{{% endif %}}"),
        ),
    ] {
        assert_eq!(styled(selector, &content).len(), 1, "{selector} {content}");
    }
}

#[test]
fn what_is_the_same_for_everyone_is_not_doubted() {
    for (selector, content) in [
        // Whoever gets the block gets what is before it.
        ("h1 + p", format!("<h1>a</h1>{IF}<p>b</p>{{% endif %}}")),
        ("h1 + p", format!("{IF}<h1>a</h1><p>b</p>{{% endif %}}")),
        ("p:first-child", format!("{IF}<p>b</p>{{% endif %}}")),
        // A block of text moves no element.
        (
            "h1 + p",
            format!("<h1>a</h1>{IF}b{{% else %}}c{{% endif %}}<p>d</p>"),
        ),
        ("h1 + p", "<h1>a</h1>{{ subscriber.a }}<p>d</p>".to_owned()),
        (
            "div p",
            format!("<p>a</p>{IF}<p>b</p>{{% endif %}}<p>c</p>"),
        ),
        (
            "i + i",
            format!("<b>{IF}<p>b</p>{{% endif %}}</b><p><i></i><i></i></p>"),
        ),
        (".k", "<p class=\"k {{ subscriber.a }}\">b</p>".to_owned()),
        (".k", "<p class=\"a-{{ subscriber.a }}\">b</p>".to_owned()),
        ("a[href]", "<a href=\"{{ subscriber.a }}\">b</a>".to_owned()),
        (
            "a[href^=tel]",
            "<a href=\"https://x.y/{{ subscriber.a }}\">b</a>".to_owned(),
        ),
        (".k", "<a href=\"{{ subscriber.a }}\">b</a>".to_owned()),
    ] {
        assert_eq!(styled(selector, &content), [""; 0], "{selector} {content}");
    }
}

#[test]
fn values_of_the_reader_are_doubted() {
    for (selector, content) in [
        (".gold", "<p class=\"{{ subscriber.a }}\">b</p>".to_owned()),
        (
            ".gold",
            "<p class=\"k go{{ subscriber.a }}\">b</p>".to_owned(),
        ),
        (
            ".gold i",
            "<p class=\"{{ subscriber.a }}\"><i>b</i></p>".to_owned(),
        ),
        (
            ".gold",
            format!("<p class=\"k{IF} gold{{% endif %}}\">b</p>"),
        ),
        (".k", format!("<p class=\"k{IF} gold{{% endif %}}\">b</p>")),
        (".k", format!("<p {IF}class=\"k\"{{% endif %}}>b</p>")),
        (
            ".k",
            format!("<p {IF}id=\"x\" class=\"k\"{{% endif %}}>b</p>"),
        ),
        ("#gold", "<p id=\"{{ subscriber.a }}\">b</p>".to_owned()),
        (
            "[title=a]",
            "<p title=\"{{ subscriber.a }}\">b</p>".to_owned(),
        ),
        (
            "p:not(.gold)",
            "<p class=\"{{ subscriber.a }}\">b</p>".to_owned(),
        ),
    ] {
        let column = content.find(['{']).unwrap() + 33;
        assert_eq!(
            styled(selector, &content),
            [format!(
                "`{selector}` is matched before there is a reader, and asks for a value that depends on one at templates/digest.mjml:2:{column}"
            )],
            "{selector} {content}"
        );
    }
}

#[test]
fn a_style_in_a_block_cannot_be_added_to() {
    let head = "<mj-style inline='inline'>p { color: red }</mj-style>";
    for content in [
        "<p {% if subscriber.a %}style=\"top:0\"{% endif %}>b</p>",
        "<p {% if subscriber.a %}id=\"b\" style=\"top:0\"{% endif %}>b</p>",
    ] {
        assert_eq!(
            bench(head, content).refused(),
            "templates/digest.mjml:2:36: `style` is set for this element, and a block decides whether it has one | Put the block into the value: `style=\"{% if … %}…\"`.",
            "{content}"
        );
        assert_eq!(said(&bench("", content)), [""; 0]);
    }
    let head = "<mj-html-attributes><mj-selector path='p'><mj-html-attribute name='id'>b</mj-html-attribute></mj-selector></mj-html-attributes>";
    assert_eq!(
        bench(head, &format!("<p {IF}id=\"a\"{{% endif %}}>b</p>")).refused(),
        "templates/digest.mjml:2:36: `id` is set for this element, and a block decides whether it has one | Put the block into the value: `id=\"{% if … %}…\"`."
    );
    let whole = "<p style=\"{% if subscriber.a %}top:0{% endif %}\">b</p>";
    assert_eq!(
        said(&bench(
            "<mj-style inline='inline'>p { color: red }</mj-style>",
            whole
        )),
        [""; 0]
    );
}
