use super::*;
use crate::place::Text;

fn fetched(content: &str, purpose: Purpose, fonts: &[(&str, &str)], css: &str) -> Vec<String> {
    let head = Head {
        fonts: fonts
            .iter()
            .map(|(name, url)| ((*name).to_owned(), (*url).to_owned()))
            .collect(),
        inline_styles: vec![Inlined {
            css: css.to_owned(),
            place: Text::new("a.mjml", "x").line(1),
        }],
        ..Head::default()
    };
    let block = block(content, &head, purpose);
    let imports = block.split("@import url(").skip(1);
    imports
        .map(|import| import[..import.find(");").unwrap()].to_owned())
        .map(|url| url.replace("https://fonts.googleapis.com/css?family=", ""))
        .map(|url| url.replace(":300,400,500,700", ""))
        .collect()
}

#[test]
fn a_font_is_fetched_where_quotes_surround_its_name() {
    let fetched = |content| fetched(content, Purpose::Template, &[], "").join(" ");
    for (content, expected) in [
        ("<td style=\"font-family:Ubuntu, Arial;\">", "Ubuntu"),
        ("<td style=\"color:red;FONT-FAMILY: 'roboto'\">", "Roboto"),
        ("<td style='font-family:Ubuntu'>", ""),
        (
            "<i title=\"\"><p style='font-family:Lato'><i title=\"\">",
            "Lato",
        ),
        ("<i title=\"Lato font-family:Arial\">", ""),
        ("<i title=\"font-family: Latonia\">", "Lato"),
        ("\"font-family:Lato", ""),
        ("font-family:Lato\"", ""),
        (
            "\"font-family:Ubuntu,Open Sans\" \"font-family:Lato\"",
            "Open+Sans Lato Ubuntu",
        ),
        ("\"é:font-familie:Lato\"", ""),
        ("", ""),
    ] {
        assert_eq!(fetched(content), expected, "{content}");
    }
}

#[test]
fn fonts_of_the_document_follow_those_that_mjml_knows_or_replace_them() {
    let content = "\"font-family:C++ (x), Lato, Ubuntu, Arial\"";
    let own = [
        ("C++ (x)", "c"),
        ("Lato", "own?a=1&amp;b;c,d"),
        ("Unused", "u"),
        ("C++ (x)", "d"),
    ];
    assert_eq!(
        fetched(content, Purpose::Template, &own, ""),
        ["own?a=1&amp;b;c,d", "Ubuntu", "d"]
    );
    assert_eq!(
        fetched(content, Purpose::Newsletter, &own, ""),
        ["d", "own?a=1&amp;b;c,d"]
    );
    assert!(fetched(content, Purpose::Newsletter, &[], "").is_empty());
}

#[test]
fn styles_that_are_inlined_are_looked_at_before_they_are() {
    let css =
        ".a { font-family: Arial; } .b { color: Lato; font-family:Helvetica, LATO } .c { Roboto }";
    assert_eq!(fetched("", Purpose::Template, &[], css), ["Lato"]);
}

#[test]
fn the_block_is_written_as_mjml_writes_it() {
    assert_eq!(
        written(&["a&b;c,d", "e"]),
        "<!--[if !mso]><!--><link href=\"a&b;c,d\" rel=\"stylesheet\" type=\"text/css\"><link href=\"e\" rel=\"stylesheet\" type=\"text/css\"><style type=\"text/css\">@import url(a&b;c,d);@import url(e);</style><!--<![endif]-->\n"
    );
    assert_eq!(written(&[]), "");
}
