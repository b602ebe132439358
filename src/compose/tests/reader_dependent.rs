//! What depends on the reader where a page is laid out before there is one.

use crate::compose::testing::Bench;

const SECTION: &str = "<mj-section><mj-column>";
const END: &str = "</mj-column></mj-section>";

#[test]
fn what_is_counted_with_cannot_depend_on_the_reader() {
    let value = "{% if subscriber.a %}10px{% else %}20px{% endif %}";
    for (name, attribute, content) in [
        ("mj-section", "padding", "<mj-section @/>".to_owned()),
        ("mj-wrapper", "border-left", "<mj-wrapper @/>".to_owned()),
        (
            "mj-column",
            "width",
            "<mj-section><mj-column @/></mj-section>".to_owned(),
        ),
        ("mj-hero", "padding-top", "<mj-hero @/>".to_owned()),
        (
            "mj-image",
            "padding-left",
            format!("{SECTION}<mj-image src='a.png' @/>{END}"),
        ),
        (
            "mj-button",
            "width",
            format!("{SECTION}<mj-button @>x</mj-button>{END}"),
        ),
        (
            "mj-divider",
            "align",
            format!("{SECTION}<mj-divider @/>{END}"),
        ),
    ] {
        let column = content.find('@').unwrap() + attribute.len() + 3;
        let content = content.replace('@', &format!("{attribute}=\"{value}\""));
        assert_eq!(
            Bench::page(&content).refused(),
            format!(
                "templates/digest.mjml:3:{column}: `{attribute}` of `<{name}>` cannot depend on the reader | Page and widths are laid out with it before there is a reader: write the element once for each value, and put the block around them."
            )
        );
    }
    let looks = format!(
        "{SECTION}<mj-button padding=\"{value}\" align=\"{{% if subscriber.a %}}left{{% else %}}right{{% endif %}}\">x</mj-button>{END}"
    );
    let html = Bench::page(&looks).merge(&[("a", "1")]).unwrap().html;
    assert!(html.contains("<td align=\"left\""), "{html}");
    assert!(html.contains("padding:10px;"), "{html}");
}

#[test]
fn what_chooses_names_cannot_depend_on_the_reader() {
    let page = format!("{SECTION}<mj-text mj-class='{{{{ subscriber.a }}}}'>x</mj-text>{END}");
    assert_eq!(
        Bench::page(&page).refused(),
        "templates/digest.mjml:3:43: `mj-class` cannot depend on the reader | Put the block into the values, or use `css-class` and `<mj-style>`."
    );
    let mut bench = Bench::words("x");
    bench.page = bench.page.replace(
        "<mj-body>",
        "<mj-head><mj-html-attributes><mj-selector path='a'><mj-html-attribute name='{{ subscriber.a }}'>x</mj-html-attribute></mj-selector></mj-html-attributes></mj-head><mj-body>",
    );
    let refused = bench.refused();
    assert!(
        refused.ends_with(
            "the name of an attribute cannot depend on the reader | Put the tag into its value."
        ),
        "{refused}"
    );
}

#[test]
fn what_is_handed_down_may_depend_on_the_reader_where_one_uses_it() {
    let color = "{% if subscriber.a %}red{% else %}blue{% endif %}";
    let social = format!(
        "{SECTION}<mj-social color=\"{color}\"><mj-social-element name='x' href='https://x.example'>y</mj-social-element></mj-social>{END}"
    );
    let html = Bench::page(&social).merge(&[("a", "1")]).unwrap().html;
    assert!(html.contains("color:red;"), "{html}");
    let mut bench = Bench::words("x");
    bench.page = bench.page.replace(
        "<mj-body>",
        &format!(
            "<mj-head><mj-attributes><mj-all color=\"{color}\"/></mj-attributes></mj-head><mj-body>"
        ),
    );
    let html = bench.merge(&[]).unwrap().html;
    assert!(html.contains("color:blue;"), "{html}");
    // What nobody uses is told of once, however many there are.
    bench.page = bench.page.replace("color=", "nonsense=");
    assert_eq!(bench.refused().matches("no effect").count(), 3);
}

#[test]
fn half_a_block_does_not_go_with_a_comment() {
    let section = format!("{SECTION}<mj-text>x</mj-text>{END}");
    let hint = "Take it out of the comment, or put the whole block into it.";
    let message = "comments are left out, and this tag with it";
    let page = format!("<!-- {{% if subscriber.a %}} -->\n{section}\n<!-- {{% endif %}} -->");
    assert_eq!(
        Bench::page(&page).refused(),
        format!(
            "templates/digest.mjml:3:6: {message} | {hint}\ntemplates/digest.mjml:5:6: {message} | {hint}"
        )
    );
    let whole = format!("<!-- {{% if subscriber.a %}} y {{% else %}} z {{% endif %}} -->{section}");
    assert_eq!(Bench::page(&whole).seen(&[]), "x");
}
