//! What is read: text, buttons, pictures and the like.

use super::{
    ElementSchema, Kind, PADDING, PADDING_SIDES, Realm,
    Type::{self, *},
};

pub(super) const TEXT: ElementSchema = ElementSchema {
    name: "mj-text",
    kind: Kind::Ending,
    realm: Realm::Body,
    parents: &["mj-column", "mj-hero"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["align"], Words(&["left", "right", "center", "justify"])),
        (
            &["background-color", "color", "container-background-color"],
            Color,
        ),
        (
            &[
                "font-family",
                "font-style",
                "font-weight",
                "text-decoration",
                "text-transform",
            ],
            Text,
        ),
        (&["font-size"], Type::PIXELS),
        (&["height"], Type::LENGTH),
        (&["letter-spacing"], Type::SPACING),
        (&["line-height"], Type::LINE_HEIGHT),
        (&["vertical-align"], Words(&["top", "bottom", "middle"])),
    ],
    required: &[],
};

pub(super) const BUTTON: ElementSchema = ElementSchema {
    name: "mj-button",
    kind: Kind::Ending,
    realm: Realm::Body,
    parents: &["mj-column", "mj-hero"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["align"], Words(&["left", "center", "right"])),
        (
            &["background-color", "color", "container-background-color"],
            Color,
        ),
        (
            &[
                "border",
                "border-bottom",
                "border-left",
                "border-radius",
                "border-right",
                "border-top",
                "font-family",
                "font-style",
                "font-weight",
                "href",
                "name",
                "rel",
                "target",
                "text-decoration",
                "text-transform",
                "title",
            ],
            Text,
        ),
        (&["font-size"], Type::PIXELS),
        (&["height", "width"], Type::LENGTH),
        (&["inner-padding"], Type::LENGTHS),
        (&["letter-spacing"], Type::SPACING),
        (&["line-height"], Type::LINE_HEIGHT),
        (&["vertical-align"], Words(&["top", "bottom", "middle"])),
        (&["text-align"], Words(&["left", "right", "center"])),
    ],
    required: &[],
};

pub(super) const IMAGE: ElementSchema = ElementSchema {
    name: "mj-image",
    kind: Kind::Leaf,
    realm: Realm::Body,
    parents: &["mj-column", "mj-hero"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (
            &[
                "alt",
                "border",
                "border-bottom",
                "border-left",
                "border-right",
                "border-top",
                "href",
                "name",
                "rel",
                "sizes",
                "src",
                "srcset",
                "target",
                "title",
                "usemap",
            ],
            Text,
        ),
        (&["align"], Words(&["left", "center", "right"])),
        (&["border-radius"], Type::LENGTHS),
        (&["container-background-color"], Color),
        (&["fluid-on-mobile"], Boolean),
        (&["font-size", "width"], Type::PIXELS),
        (&["height"], Type::PIXELS_OR_AUTO),
        (&["max-height"], Type::LENGTH),
    ],
    required: &["src"],
};

pub(super) const DIVIDER: ElementSchema = ElementSchema {
    name: "mj-divider",
    kind: Kind::Leaf,
    realm: Realm::Body,
    parents: &["mj-column", "mj-hero"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["border-color", "container-background-color"], Color),
        (&["border-style"], Text),
        (&["border-width"], Type::PIXELS),
        (&["width"], Type::LENGTH),
        (&["align"], Words(&["left", "center", "right"])),
    ],
    required: &[],
};

pub(super) const SPACER: ElementSchema = ElementSchema {
    name: "mj-spacer",
    kind: Kind::Leaf,
    realm: Realm::Body,
    parents: &["mj-column", "mj-hero"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (
            &[
                "border",
                "border-bottom",
                "border-left",
                "border-right",
                "border-top",
            ],
            Text,
        ),
        (&["container-background-color"], Color),
        (&["height"], Type::LENGTH),
    ],
    required: &[],
};

pub(super) const TABLE: ElementSchema = ElementSchema {
    name: "mj-table",
    kind: Kind::Ending,
    realm: Realm::Body,
    parents: &["mj-column", "mj-hero"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["align"], Words(&["left", "right", "center"])),
        (&["border", "font-family", "font-weight"], Text),
        (&["cellpadding", "cellspacing"], Integer),
        (&["color", "container-background-color"], Color),
        (&["font-size"], Type::PIXELS),
        (&["line-height"], Type::LINE_HEIGHT),
        (&["role"], Words(&["none", "presentation"])),
        (
            &["table-layout"],
            Words(&["auto", "fixed", "initial", "inherit"]),
        ),
        (&["vertical-align"], Words(&["top", "bottom", "middle"])),
        (&["width"], Type::LENGTH_OR_AUTO),
    ],
    required: &[],
};

pub(super) const RAW: ElementSchema = ElementSchema {
    name: "mj-raw",
    kind: Kind::Ending,
    realm: Realm::Body,
    parents: &[
        "mjml",
        "mj-accordion",
        "mj-accordion-element",
        "mj-body",
        "mj-column",
        "mj-group",
        "mj-head",
        "mj-hero",
        "mj-navbar",
        "mj-section",
        "mj-social",
        "mj-wrapper",
    ],
    attributes: &[(&["position"], Words(&["file-start"]))],
    required: &[],
};
