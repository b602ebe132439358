//! The head of a page: what the engine leaves out of it, and where it is cut.

use crate::compose::mjml::{
    document::Document,
    markup::{Markup, Piece},
};

/// The media of the styles by which Thunderbird widens columns.
const THUNDERBIRD: &str = "screen and (min-width:";

/// Mends the page as the engine wrote it, the slots still open.
pub(super) fn mend(markup: &mut Markup<'_>, document: &Document) {
    if document.attributes.get("owa") == Some("desktop") {
        widen_for_outlook_on_the_web(markup);
    }
    drop_dead_attributes(markup);
}

/// The engine gives cells a property of CSS as an attribute, which no client knows.
fn drop_dead_attributes(markup: &mut Markup<'_>) {
    const DEAD: &str = " vertical-align=\"";
    for at in 0..markup.tokens().len() {
        if let Some(tag) = markup.tag_mut(at)
            && tag.name == "td"
            && tag.source().contains(DEAD)
        {
            tag.remove("vertical-align");
        }
    }
}

/// A page, cut where something goes in.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cuts<'a> {
    /// What each head begins with; the fonts follow.
    pub(super) start: &'a str,
    /// The rest of the head.
    pub(super) head: &'a str,
    /// The start tag of the body, and the preview.
    pub(super) opening: &'a str,
    /// The rest of the page.
    pub(super) content: &'a str,
}

/// Cuts up a page whose slots are still open.
pub(super) fn cut(html: &str) -> Cuts<'_> {
    let (top, body) = html.split_at(html.find("<body").unwrap_or(html.len()));
    let fix = top.find(".mj-outlook-group-fix {").unwrap_or(top.len());
    let (start, head) = top.split_at(behind(top, fix, ENDIF));
    let first = behind(body, 0, ">");
    let end = match body[first..].starts_with(PREVIEW) {
        true => behind(body, first, "</div>"),
        false => first,
    };
    let (opening, content) = body.split_at(end);
    Cuts {
        start,
        head,
        opening,
        content,
    }
}

/// Behind the next `end`, or behind everything.
fn behind(html: &str, from: usize, end: &str) -> usize {
    let at = html[from..].find(end);
    at.map_or(html.len(), |at| from + at + end.len())
}

const ENDIF: &str = "<![endif]-->";
const PREVIEW: &str = "<div style=\"display:none;";

/// Outlook on the web obeys no media query, so `owa="desktop"` asks for wide columns without one.
fn widen_for_outlook_on_the_web(markup: &mut Markup<'_>) {
    let of_thunderbird = |at: &usize| {
        markup.tag(*at).is_some_and(|tag| {
            let media = tag.get("media");
            tag.name == "style" && media.is_some_and(|media| media.starts_with(THUNDERBIRD))
        })
    };
    let Some(at) = (0..markup.tokens().len()).find(of_thunderbird) else {
        return;
    };
    let Some(Piece::Text(rules)) = markup.tokens().get(at + 1).map(|token| &token.piece) else {
        return;
    };
    let rules = rules.replace(".moz-text-html ", "[owa] ");
    let behind = markup.element(at).end;
    markup.insert(behind, &format!("<style type=\"text/css\">{rules}</style>"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_wide_in_outlook_on_the_web_where_a_document_asks() {
        let html = "<style type=\"text/css\">@media x { .a { width:1% } }</style><style media=\"screen and (min-width:480px)\">.moz-text-html .a { width:1% } .moz-text-html .b { width:2% } </style><style type=\"text/css\">.c {}</style>";
        let mended = |owa: &str| {
            let mut markup = Markup::read(html);
            let document = Document {
                attributes: [("owa", owa)].into(),
                ..Document::default()
            };
            mend(&mut markup, &document);
            let mut out = String::new();
            markup.write(&mut out);
            out
        };
        assert_eq!(mended("mobile"), html);
        assert_eq!(
            mended("desktop"),
            html.replace(
                "<style type=\"text/css\">.c",
                "<style type=\"text/css\">[owa] .a { width:1% } [owa] .b { width:2% } </style><style type=\"text/css\">.c"
            )
        );
    }

    #[test]
    fn a_page_is_cut_where_something_goes_in() {
        let page = "a<style>.mj-outlook-group-fix { }</style><![endif]-->|<style></style></head>|<body style=\"x\"><div style=\"display:none;y\">@@1@@</div>|<div>@@2@@</div></body>";
        let parts: Vec<&str> = page.split('|').collect();
        let page = page.replace('|', "");
        let Cuts {
            start,
            head,
            opening,
            content,
        } = cut(&page);
        assert_eq!([start, head, opening, content], parts[..]);
        let bare = cut("<body><div>x</div>");
        assert_eq!((bare.opening, bare.content), ("<body>", "<div>x</div>"));
        assert_eq!(cut("").content, "");
    }
}
