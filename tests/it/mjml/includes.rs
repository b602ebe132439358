//! Files that include each other without end, and more often than anyone means to.

use std::time::{Duration, Instant};

use letterpress::{
    compose::{self, Validation},
    error::{Error, Kind, Result},
    place::Text,
};

/// Nothing takes as long as this, whatever the machine.
const TOO_LONG: Duration = Duration::from_secs(10);

/// Renders `a.mjml`, which includes what `file` makes of a path.
fn rendered(content: &str, file: &dyn Fn(&str) -> Option<String>) -> Result<String> {
    let start = Instant::now();
    let include = |path: &str| match file(path) {
        Some(content) => Ok(Text::new(path, content)),
        None => Err(Error::new(Kind::Io, format!("cannot read `{path}`"))),
    };
    let text = Text::new("a.mjml", content);
    let rendered = compose::render_mjml(&text, Validation::Soft, &include);
    let took = start.elapsed();
    assert!(took < TOO_LONG, "it takes {took:?}");
    rendered.map(|rendered| rendered.html)
}

/// All that the author is told.
fn told(rendered: Result<String>) -> String {
    let error = rendered.expect_err("no page");
    let errors = error.into_all().into_iter().inspect(|error| {
        assert_ne!(error.kind(), Kind::Bug, "{error}");
    });
    errors
        .map(|error| format!("{error}\n{}\n", error.hints().join("\n")))
        .collect()
}

fn page(path: &str) -> String {
    format!("<mjml>\n<mj-body>\n<mj-include path=\"{path}\" />\n</mj-body>\n</mjml>")
}

#[test]
fn a_file_that_includes_itself_is_refused_where_it_does() {
    let told = told(rendered(&page("a.mjml"), &|path| {
        (path == "a.mjml").then(|| page("a.mjml"))
    }));
    assert!(told.contains("a.mjml:3:"), "{told}");
    assert!(told.contains("`a.mjml` includes itself"), "{told}");
}

#[test]
fn each_file_of_a_circle_is_named() {
    let file = |path: &str| match path {
        "b.mjml" => Some(page("c.mjml")),
        "c.mjml" => Some(page("b.mjml")),
        _ => None,
    };
    let told = told(rendered(&page("b.mjml"), &file));
    for name in ["a.mjml", "b.mjml", "c.mjml"] {
        assert!(told.contains(name), "{told}");
    }
}

#[test]
fn a_chain_without_end_is_refused() {
    // Each file includes the next, and there is always one.
    let next = |path: &str| {
        let number: usize = path.trim_end_matches(".mjml").parse().ok()?;
        Some(page(&format!("{}.mjml", number + 1)))
    };
    let told = told(rendered(&page("0.mjml"), &next));
    assert!(told.contains(".mjml:3:"), "{told}");
}

#[test]
fn files_that_double_at_each_step_are_refused() {
    // Twenty-five steps would make thirty million sections.
    let double = |path: &str| {
        let number: usize = path.trim_end_matches(".mjml").parse().ok()?;
        let next = format!("<mj-include path=\"{}.mjml\" />\n", number + 1);
        Some(match number {
            25 => "<mj-section><mj-column><mj-text>x</mj-text></mj-column></mj-section>".to_owned(),
            _ => next.repeat(2),
        })
    };
    told(rendered(&page("0.mjml"), &double));
}

#[test]
fn a_large_file_may_not_be_included_without_end() {
    let text = "word ".repeat(200_000);
    let section =
        format!("<mj-section><mj-column><mj-text>{text}</mj-text></mj-column></mj-section>");
    let includes = "<mj-include path=\"large.mjml\" />".repeat(1_000);
    let file = format!("<mjml><mj-body>{includes}</mj-body></mjml>");
    told(rendered(&file, &|path| {
        (path == "large.mjml").then(|| section.clone())
    }));
}

#[test]
fn a_chain_of_styles_ends_where_it_begins() {
    let file = "<mjml><mj-head><mj-include path=\"a.css\" type=\"css\" /></mj-head><mj-body></mj-body></mjml>";
    let css = |path: &str| (path == "a.css").then(|| "@import url(a.css); a { b: c }".to_owned());
    assert!(
        rendered(file, &css)
            .expect("a page")
            .contains("@import url(a.css);")
    );
}
