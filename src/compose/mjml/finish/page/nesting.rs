//! Which elements of HTML end without an end tag.

/// Whether an open element ends where another one starts.
pub(super) fn is_ended_by(open: &str, name: &str) -> bool {
    let ended: &[&str] = match name {
        "tr" => &["tr", "th", "td"],
        "th" => &["th"],
        "td" => &["thead", "th", "td"],
        "body" => &["head", "link", "script"],
        "li" => &["li"],
        "option" => &["option"],
        "optgroup" => &["optgroup", "option"],
        "dd" | "dt" => &["dt", "dd"],
        "rt" | "rp" => &["rt", "rp"],
        "tbody" | "tfoot" => &["thead", "tbody"],
        "select" | "input" | "output" | "button" | "datalist" | "textarea" => &[
            "input", "option", "optgroup", "select", "button", "datalist", "textarea",
        ],
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "address" | "article" | "aside"
        | "blockquote" | "details" | "div" | "dl" | "fieldset" | "figcaption" | "figure"
        | "footer" | "form" | "header" | "hr" | "main" | "nav" | "ol" | "pre" | "section"
        | "table" | "ul" => &["p"],
        _ => &[],
    };
    ended.contains(&open)
}
