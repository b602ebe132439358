//! The frame of a document, and what stands in its head.

use super::{
    ElementSchema, Kind, Realm,
    Type::{self, *},
};

pub(super) const MJML: ElementSchema = ElementSchema {
    name: "mjml",
    kind: Kind::Closed,
    realm: Realm::Frame,
    parents: &[],
    attributes: &[
        (&["lang", "version", "xmlns"], Text),
        (&["dir"], Words(&["auto", "ltr", "rtl"])),
        (&["owa"], Words(&["desktop", "mobile"])),
    ],
    required: &[],
};

pub(super) const HEAD: ElementSchema = ElementSchema {
    name: "mj-head",
    kind: Kind::Closed,
    realm: Realm::Frame,
    parents: &["mjml"],
    attributes: &[],
    required: &[],
};

pub(super) const ATTRIBUTES: ElementSchema = ElementSchema {
    name: "mj-attributes",
    kind: Kind::Closed,
    realm: Realm::Head,
    parents: &["mj-head"],
    attributes: &[],
    required: &[],
};

pub(super) const ALL: ElementSchema = ElementSchema {
    name: "mj-all",
    kind: Kind::Leaf,
    realm: Realm::Head,
    parents: &["mj-attributes"],
    attributes: &[],
    required: &[],
};

pub(super) const CLASS: ElementSchema = ElementSchema {
    name: "mj-class",
    kind: Kind::Closed,
    realm: Realm::Head,
    parents: &["mj-attributes"],
    attributes: &[(&["name"], Text)],
    required: &["name"],
};

pub(super) const BREAKPOINT: ElementSchema = ElementSchema {
    name: "mj-breakpoint",
    kind: Kind::Leaf,
    realm: Realm::Head,
    parents: &["mj-head"],
    attributes: &[(&["width"], Type::PIXELS)],
    required: &["width"],
};

pub(super) const FONT: ElementSchema = ElementSchema {
    name: "mj-font",
    kind: Kind::Leaf,
    realm: Realm::Head,
    parents: &["mj-head"],
    attributes: &[(&["name", "href"], Text)],
    required: &["name", "href"],
};

pub(super) const HTML_ATTRIBUTES: ElementSchema = ElementSchema {
    name: "mj-html-attributes",
    kind: Kind::Closed,
    realm: Realm::Head,
    parents: &["mj-head"],
    attributes: &[],
    required: &[],
};

pub(super) const SELECTOR: ElementSchema = ElementSchema {
    name: "mj-selector",
    kind: Kind::Closed,
    realm: Realm::Head,
    parents: &["mj-html-attributes"],
    attributes: &[(&["path"], Text)],
    required: &["path"],
};

pub(super) const HTML_ATTRIBUTE: ElementSchema = ElementSchema {
    name: "mj-html-attribute",
    kind: Kind::Ending,
    realm: Realm::Head,
    parents: &["mj-selector"],
    attributes: &[(&["name"], Text)],
    required: &["name"],
};

pub(super) const INCLUDE: ElementSchema = ElementSchema {
    name: "mj-include",
    kind: Kind::Leaf,
    realm: Realm::Frame,
    parents: &[],
    attributes: &[
        (&["path"], Text),
        (&["type"], Words(&["css", "html", "mjml"])),
        (&["css-inline"], Words(&["inline"])),
    ],
    required: &["path"],
};

pub(super) const PREVIEW: ElementSchema = ElementSchema {
    name: "mj-preview",
    kind: Kind::Ending,
    realm: Realm::Head,
    parents: &["mj-head"],
    attributes: &[],
    required: &[],
};

pub(super) const STYLE: ElementSchema = ElementSchema {
    name: "mj-style",
    kind: Kind::Ending,
    realm: Realm::Head,
    parents: &["mj-head"],
    attributes: &[(&["inline"], Words(&["inline"]))],
    required: &[],
};

pub(super) const TITLE: ElementSchema = ElementSchema {
    name: "mj-title",
    kind: Kind::Ending,
    realm: Realm::Head,
    parents: &["mj-head"],
    attributes: &[],
    required: &[],
};
