use std::cell::Cell;

use super::{files::beside, *};
use crate::{
    compose::{
        mjml::{self, Options, Purpose, Validation},
        staging::Tags,
    },
    error::Kind,
    place::Text,
};

/// Files by name, as a folder would give them.
struct Folder<'a>(&'a [(&'a str, &'a str)]);

impl Folder<'_> {
    fn open(&self, path: &str) -> Result<Included> {
        if path.starts_with("..") {
            return Err(Error::data(format!("`{path}` lies outside")));
        }
        let file = self.0.iter().find(|(name, _)| *name == path);
        let missing = || Error::new(Kind::NoInput, format!("there is no file `{path}`"));
        let (name, content) = file.ok_or_else(missing)?;
        Ok(Included::verbatim(Text::new(*name, *content)))
    }

    /// The document `a.mjml`, with all that it includes.
    fn expand(&self, document: &str) -> Result<(Element, Expanded)> {
        let text = Text::new("a.mjml", document);
        let origin = Origin::File(&text);
        let mut top = reader::read(document, origin)?;
        let open = |path: &str| self.open(path);
        let mut expanded = expand(&mut top, document.len(), origin, &open)?;
        let errors = mem::take(&mut expanded.errors);
        Error::all(errors).map_or(Ok((top, expanded)), Err)
    }

    /// The document as MJML, without white space between its elements.
    fn expanded(&self, document: &str) -> String {
        let (top, expanded) = self.expand(document).unwrap();
        assert_eq!(expanded.findings, []);
        shown(&top)
    }

    /// All that is wrong with it.
    fn refused(&self, document: &str) -> Vec<String> {
        let Err(error) = self.expand(document) else {
            return vec!["expanded".to_owned()];
        };
        let all = std::iter::once(&error).chain(error.others());
        all.map(|error| format!("{error} | {}", error.hints().join(" ")))
            .collect()
    }

    fn render(&self, document: &str, validation: Validation) -> Result<(String, Vec<Finding>)> {
        let text = Text::new("a.mjml", document);
        let options = Options {
            validation,
            purpose: Purpose::Template,
            language: None,
            include: &|path| self.open(path),
        };
        mjml::render(document, Origin::File(&text), options)
    }
}

/// What an element holds, as MJML.
fn shown(element: &Element) -> String {
    let nodes = element.children.iter().map(|node| match node {
        Node::Text(text, _) => text.trim().to_owned(),
        Node::Comment(comment) => comment.clone(),
        Node::Element(element) => {
            let attributes = element.attributes.iter();
            let attributes = attributes
                .map(|attribute| format!(" {}=\"{}\"", attribute.name, attribute.value))
                .collect::<String>();
            let Element { name, content, .. } = element;
            format!("<{name}{attributes}>{content}{}</{name}>", shown(element))
        }
    });
    nodes.collect()
}

/// Each document, and what it is with all that it includes: in pages, the order and the places of
/// npm's `mjml`.
#[test]
fn files_go_where_mjml_puts_them() {
    let folder = Folder(&[
        ("text.mjml", "<!-- c --><mj-text>t</mj-text>\n<mj-spacer/>"),
        ("head.mjml", "<mj-title>h</mj-title><mj-style>h</mj-style>"),
        ("in-head.mjml", "<mj-head><mj-style>i</mj-style></mj-head>"),
        (
            "in-body.mjml",
            "<mj-body width='1px'><mj-raw>i</mj-raw></mj-body>",
        ),
        (
            "whole.mjml",
            "<?xml version='1.0'?><!-- lost -->\n<mjml lang='fr'><mj-head><mj-style>w</mj-style></mj-head><mj-body><mj-raw>w</mj-raw></mj-body></mjml>",
        ),
        (
            "dos.mjml",
            "\u{feff}<mjml>\r\n<mj-body><mj-raw>a\r\nb</mj-raw>\r\n</mj-body></mjml>",
        ),
        ("all.mjml", "<mj-all color='red'/>"),
        ("a.css", "\u{feff}\r\na > b { c: d }\r\ne {}\r\n"),
        ("a.html", "\n<p>one<br>\r\n<mj-text>two\n"),
        (
            "styled.mjml",
            "<mj-include path='a.css' type='css'/><mj-raw>s</mj-raw>",
        ),
        ("100%.mjml", "<mj-raw>%</mj-raw>"),
        ("é ü.mjml", "<mj-raw>é</mj-raw>"),
    ]);
    let style = "<mj-style>a > b { c: d }\ne {}</mj-style>";
    let cases: &[(&str, &str)] = &[
        (
            "<mjml><mj-body><mj-raw>1</mj-raw><mj-include path='text.mjml'/><mj-raw>2</mj-raw></mj-body></mjml>",
            "<mjml><mj-body><mj-raw>1</mj-raw><!-- c --><mj-text>t</mj-text><mj-spacer></mj-spacer><mj-raw>2</mj-raw></mj-body></mjml>",
        ),
        (
            "<mjml><mj-body><mj-section><mj-column><MJ-INCLUDE path='./text.mjml'></MJ-INCLUDE></mj-column></mj-section></mj-body></mjml>",
            "<mjml><mj-body><mj-section><mj-column><!-- c --><mj-text>t</mj-text><mj-spacer></mj-spacer></mj-column></mj-section></mj-body></mjml>",
        ),
        // In the head, where it stands.
        (
            "<mjml><mj-head><mj-style>1</mj-style><mj-include path='head.mjml'/><mj-style>2</mj-style></mj-head></mjml>",
            "<mjml><mj-head><mj-style>1</mj-style><mj-title>h</mj-title><mj-style>h</mj-style><mj-style>2</mj-style></mj-head></mjml>",
        ),
        (
            "<mjml><mj-head><mj-include path='in-head.mjml'/><mj-style>2</mj-style></mj-head></mjml>",
            "<mjml><mj-head><mj-style>i</mj-style><mj-style>2</mj-style></mj-head></mjml>",
        ),
        (
            "<mjml><mj-head><mj-attributes><mj-include path='all.mjml'/><mj-text color='blue'/></mj-attributes></mj-head></mjml>",
            "<mjml><mj-head><mj-attributes><mj-all color=\"red\"></mj-all><mj-text color=\"blue\"></mj-text></mj-attributes></mj-head></mjml>",
        ),
        // The head of a document that is included in the body joins the end of the head.
        (
            "<mjml><mj-head><mj-style>1</mj-style></mj-head><mj-body><mj-include path='whole.mjml'/><mj-raw>2</mj-raw></mj-body></mjml>",
            "<mjml><mj-head><mj-style>1</mj-style><mj-style>w</mj-style></mj-head><mj-body><mj-raw>w</mj-raw><mj-raw>2</mj-raw></mj-body></mjml>",
        ),
        (
            "<mjml><mj-body><mj-include path='whole.mjml'/></mj-body></mjml>",
            "<mjml><mj-body><mj-raw>w</mj-raw></mj-body><mj-head><mj-style>w</mj-style></mj-head></mjml>",
        ),
        (
            "<mjml><mj-body><mj-include path='in-body.mjml'/><mj-include path='in-head.mjml'/></mj-body><mj-head><mj-style>1</mj-style></mj-head></mjml>",
            "<mjml><mj-body><mj-raw>i</mj-raw></mj-body><mj-head><mj-style>1</mj-style><mj-style>i</mj-style></mj-head></mjml>",
        ),
        // Straight in `mjml`, a part of a document says what it is.
        (
            "<mjml><mj-include path='in-head.mjml'/><mj-include path='in-body.mjml'/></mjml>",
            "<mjml><mj-head><mj-style>i</mj-style></mj-head><mj-body width=\"1px\"><mj-raw>i</mj-raw></mj-body></mjml>",
        ),
        (
            "<mjml><mj-body><mj-include path='dos.mjml'/></mj-body></mjml>",
            "<mjml><mj-body><mj-raw>a\nb</mj-raw></mj-body></mjml>",
        ),
        // CSS stands behind all else in the head, wherever it is included.
        (
            "<mjml><mj-head><mj-include path='a.css' type='css'/><mj-style>1</mj-style></mj-head><mj-body><mj-include path='in-head.mjml'/></mj-body></mjml>",
            &format!(
                "<mjml><mj-head><mj-style>1</mj-style><mj-style>i</mj-style>{style}</mj-head><mj-body></mj-body></mjml>"
            ),
        ),
        (
            "<mjml><mj-head><mj-style>1</mj-style></mj-head><mj-body><mj-column><mj-include css-inline='inline' path='a.css' type='css'/></mj-column></mj-body></mjml>",
            &format!(
                "<mjml><mj-head><mj-style>1</mj-style>{}</mj-head><mj-body><mj-column></mj-column></mj-body></mjml>",
                style.replacen('>', " inline=\"inline\">", 1)
            ),
        ),
        (
            "<mjml><mj-head><mj-include path='a.css' type='css'/></mj-head><mj-body><mj-include path='styled.mjml'/></mj-body></mjml>",
            &format!(
                "<mjml><mj-head>{style}{style}</mj-head><mj-body><mj-raw>s</mj-raw></mj-body></mjml>"
            ),
        ),
        (
            "<mjml><mj-head><mj-include path='a.html' type='html'/></mj-head><mj-body><mj-include path='a.html' type='html'/></mj-body></mjml>",
            "<mjml><mj-head><mj-raw><p>one<br>\n<mj-text>two</mj-raw></mj-head><mj-body><mj-raw><p>one<br>\n<mj-text>two</mj-raw></mj-body></mjml>",
        ),
        // What `mj-include` holds comes after the file, and in text it is text.
        (
            "<mjml><mj-body><mj-include path='in-body.mjml'>x<mj-raw>1</mj-raw></mj-include><mj-raw><mj-include path='no.mjml'/></mj-raw></mj-body></mjml>",
            "<mjml><mj-body><mj-raw>i</mj-raw>x<mj-raw>1</mj-raw><mj-raw><mj-include path='no.mjml'/></mj-raw></mj-body></mjml>",
        ),
        (
            "<mjml><mj-body><mj-include path='100%.mjml'/><mj-include path='%C3%A9%20ü.mjml'/></mj-body></mjml>",
            "<mjml><mj-body><mj-raw>%</mj-raw><mj-raw>é</mj-raw></mj-body></mjml>",
        ),
    ];
    for (document, expected) in cases {
        assert_eq!(folder.expanded(document), *expected, "{document}");
    }
}

#[test]
fn paths_lead_from_the_file_that_includes() {
    let folder = Folder(&[
        ("p/one.mjml", "<mj-include path='q/two.mjml'/>1"),
        (
            "p/q/two.mjml",
            "<mj-include path='../three.mjml'/><mj-include path='../../x.css' type='css'/>2",
        ),
        (
            "p/three.mjml",
            "<mjml><mj-head><mj-style>3</mj-style></mj-head><mj-body>3</mj-body></mjml>",
        ),
        ("x.css", "x"),
    ]);
    assert_eq!(
        folder.expanded("<mjml><mj-body><mj-include path='p\\one.mjml'/></mj-body></mjml>"),
        "<mjml><mj-body>321</mj-body><mj-head><mj-style>3</mj-style><mj-style>x</mj-style></mj-head></mjml>"
    );
    for (file, path, expected) in [
        ("a.mjml", "b.mjml", "b.mjml"),
        ("p/a.mjml", "./b//c.mjml", "p/b/c.mjml"),
        ("p/q/a.mjml", "../../../b.mjml", "../b.mjml"),
        ("../p/a.mjml", "../../b.mjml", "../../b.mjml"),
        ("p/a.mjml", "/etc/b.mjml", "/etc/b.mjml"),
        ("/p/a.mjml", "b.mjml", "/p/b.mjml"),
        (
            "built-in partials/a.mjml",
            "b.mjml",
            "templates/partials/b.mjml",
        ),
    ] {
        assert_eq!(beside(file, path), expected, "{path} from {file}");
    }
}

#[test]
fn a_file_that_leads_back_to_itself_is_refused() {
    let folder = Folder(&[
        (
            "p/b.mjml",
            "<mjml><mj-body>\n <mj-include path='c.mjml'/></mj-body></mjml>",
        ),
        (
            "p/c.mjml",
            "<mj-include path='d.mjml'/>\n<mj-include path='../a.mjml'/>",
        ),
        ("p/d.mjml", "<mj-include path='./../p/b.mjml'/>"),
        ("e.mjml", "<mj-include path='e.mjml'/>"),
        ("a.mjml", ""),
    ]);
    assert_eq!(
        folder.refused("<mjml><mj-body><mj-include path='p/b.mjml'/>\n<mj-include path='e.mjml'/><mj-include path='a.mjml'/></mj-body></mjml>"),
        [
            "p/d.mjml:1:1: `p/b.mjml` includes `p/c.mjml`, which includes `p/d.mjml`, which includes `p/b.mjml`: included by `p/c.mjml:1:1`, which is included by `p/b.mjml:2:2`, which is included by `a.mjml:1:16` | Take one of these includes out.",
            "p/c.mjml:2:1: `a.mjml` includes `p/b.mjml`, which includes `p/c.mjml`, which includes `a.mjml`: included by `p/b.mjml:2:2`, which is included by `a.mjml:1:16` | Take one of these includes out.",
            "e.mjml:1:1: `e.mjml` includes itself: included by `a.mjml:2:1` | Take one of these includes out.",
            "a.mjml:2:28: `a.mjml` includes itself | Take one of these includes out.",
        ]
    );
}

#[test]
fn what_must_not_be_read_is_refused() {
    let folder = Folder(&[
        (
            "b.mjml",
            "<mj-include path='../b.mjml' type='html'/>\n<mj-include path='c.mjml'/>",
        ),
        ("c.mjml", "<mj-text>x"),
    ]);
    let document = "<mjml><mj-body><mj-include path='../x.mjml'/><mj-include path='b.mjml'/><mj-include path='b.mjml'/></mj-body></mjml>";
    assert_eq!(
        folder.refused(document),
        [
            "a.mjml:1:16: `../x.mjml` lies outside | ",
            "b.mjml:1:1: `../b.mjml` lies outside: included by `a.mjml:1:46` | ",
            "c.mjml:1:1: `<mj-text>` is never closed: included by `b.mjml:2:1`, which is included by `a.mjml:1:46` | Write `</mj-text>` where it ends.",
        ]
    );
    assert!(folder.render(document, Validation::Soft).is_err());
}

#[test]
fn the_page_can_do_without_a_file_that_is_not_there() {
    let folder = Folder(&[("p/b.mjml", "<mj-include path='x.mjml'/>")]);
    let document = "<mjml><mj-head><mj-include path='x.css' type='css'/></mj-head><mj-body><mj-include path='p/b.mjml'/><mj-include path='p/b.mjml'/>\n<mj-include/><mj-include path='https://x.example/a%20--&gt;b.mjml' type='html'/></mj-body></mjml>";
    let (page, findings) = folder.render(document, Validation::Soft).unwrap();
    let comments: Vec<_> = page
        .match_indices("<!-- mj-include")
        .map(|(at, _)| &page[at..at + page[at..].find("-->").unwrap() + 3])
        .collect();
    assert_eq!(
        comments,
        [
            "<!-- mj-include fails to read file : x.css at x.css -->",
            "<!-- mj-include fails to read file : x.mjml at p/x.mjml -->",
            "<!-- mj-include fails to read file : x.mjml at p/x.mjml -->",
            "<!-- mj-include fails to read file :  at  -->",
            "<!-- mj-include fails to read file : https://x.example/a --&gt;b.mjml at https://x.example/a --&gt;b.mjml -->",
        ]
    );
    let said: Vec<_> = findings
        .iter()
        .map(|finding| {
            let place = finding.place.as_ref().unwrap();
            let hint = finding.hint.as_deref().unwrap_or_default();
            format!("{place}: {} | {hint}", finding.message)
        })
        .collect();
    assert_eq!(
        said,
        [
            "a.mjml:1:16: there is no file `x.css` | ",
            "p/b.mjml:1:1: there is no file `p/x.mjml` | The file is included by `a.mjml:1:72`.",
            "a.mjml:2:1: `<mj-include>` names no file | Write `path=\"…\"`, relative to the file that it stands in.",
            "a.mjml:2:14: `https://x.example/a --&gt;b.mjml` is an address, where the path of a file is needed | Save a copy beside your own files, and write its path.",
        ]
    );
    let error = folder.render(document, Validation::Standard).unwrap_err();
    assert_eq!(error.to_string(), "a.mjml:1:16: there is no file `x.css`");
    assert_eq!(error.others().len(), 3);
}

#[test]
fn what_a_document_has_outside_its_body_is_not_lost_in_silence() {
    let folder = Folder(&[(
        "b.mjml",
        "<mj-raw>1</mj-raw><mjml><mj-section></mj-section><mj-body>2</mj-body><mj-body>3</mj-body></mjml>",
    )]);
    let document = "<mjml><mj-body><mj-include path='b.mjml'/></mj-body></mjml>";
    let (top, expanded) = folder.expand(document).unwrap();
    assert_eq!(shown(&top), "<mjml><mj-body>2</mj-body></mjml>");
    let said: Vec<_> = expanded
        .findings
        .iter()
        .map(|finding| format!("{}: {}", finding.place.as_ref().unwrap(), finding.message))
        .collect();
    assert_eq!(
        said,
        [
            "b.mjml:1:1: `<mj-raw>` has no place here, in a document that is included",
            "b.mjml:1:25: `<mj-section>` has no place here, in a document that is included",
            "b.mjml:1:70: `<mj-body>` has no place here, in a document that is included",
        ]
    );
}

#[test]
fn faults_in_an_included_file_are_told_once_with_the_way_to_it() {
    let folder = Folder(&[
        ("b.mjml", "<mj-include path='c.mjml'/>"),
        ("c.mjml", "\n<mj-colum></mj-colum>"),
    ]);
    let document =
        "<mjml><mj-body><mj-include path='b.mjml'/><mj-include path='c.mjml'/></mj-body></mjml>";
    let text = Text::new("c.mjml", "\n<mj-colum></mj-colum>");
    let (_, expanded) = folder.expand(document).unwrap();
    let fault = Finding::error("r", "m").at(text.place(1..10)).hint("H.");
    let elsewhere = Finding::error("r", "m").at(Text::new("a.mjml", "x").place(0..1));
    let told = expanded
        .trail
        .tell_of(vec![fault.clone(), elsewhere.clone(), fault.clone()]);
    let way = "H. The file is included by `b.mjml:1:1`, which is included by `a.mjml:1:16`.";
    assert_eq!(
        told,
        [
            Finding {
                hint: Some(way.to_owned()),
                ..fault
            },
            elsewhere
        ]
    );
}

#[test]
fn a_file_is_opened_once() {
    let opened = Cell::new(0);
    let open = |path: &str| {
        opened.set(opened.get() + 1);
        Ok(Included::verbatim(Text::new(path, "<mj-raw>x</mj-raw>")))
    };
    let document = format!(
        "<mjml><mj-body>{}</mj-body></mjml>",
        "<mj-include path='b.mjml'/>".repeat(1000)
    );
    let text = Text::new("a.mjml", document.as_str());
    let mut top = reader::read(&document, Origin::File(&text)).unwrap();
    expand(&mut top, document.len(), Origin::File(&text), &open).unwrap();
    assert_eq!(shown(&top).matches("<mj-raw>x</mj-raw>").count(), 1000);
    assert_eq!(opened.get(), 1);
}

#[test]
fn tags_are_not_shown_to_readers() {
    let tags = Tags::default();
    let template = Text::new(
        "templates/digest.mjml",
        "<mjml><mj-body><mj-include path='../b.html' type='html'/><mj-include path='../b.css' type='css'/></mj-body></mjml>",
    );
    let origin = Origin::Composed {
        tags: &tags,
        template: &template,
    };
    let open = |path: &str| Ok(Included::verbatim(Text::new(path, "a\n{% if x %}{{ y }}")));
    let mut top = reader::read(template.content(), origin).unwrap();
    let errors = expand(&mut top, 0, origin, &open).unwrap().errors;
    let error = Error::all(errors).unwrap();
    assert_eq!(
        error.to_string(),
        "b.html:2:1: there is a tag in a file that is not a template: included by `templates/digest.mjml:1:1`"
    );
    assert_eq!(error.others().len(), 0);
}

mod limits;
mod told;
