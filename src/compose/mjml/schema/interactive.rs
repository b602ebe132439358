//! What is made of several parts: social links, navigation, accordion, carousel.

use super::{
    ElementSchema, Kind, PADDING, PADDING_SIDES, Realm,
    Type::{self, *},
};

pub(super) const SOCIAL: ElementSchema = ElementSchema {
    name: "mj-social",
    kind: Kind::Closed,
    realm: Realm::Body,
    parents: &["mj-column", "mj-hero"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["align"], Words(&["left", "right", "center"])),
        (&["border-radius", "icon-height", "icon-size"], Type::LENGTH),
        (&["color", "container-background-color"], Color),
        (
            &[
                "font-family",
                "font-style",
                "font-weight",
                "text-decoration",
            ],
            Text,
        ),
        (&["font-size"], Type::PIXELS),
        (
            &["icon-padding", "inner-padding", "text-padding"],
            Type::LENGTHS,
        ),
        (&["line-height"], Type::LINE_HEIGHT),
        (&["mode"], Words(&["horizontal", "vertical"])),
        (&["table-layout"], Words(&["auto", "fixed"])),
        (&["vertical-align"], Words(&["top", "bottom", "middle"])),
    ],
    required: &[],
};

pub(super) const SOCIAL_ELEMENT: ElementSchema = ElementSchema {
    name: "mj-social-element",
    kind: Kind::Ending,
    realm: Realm::Body,
    parents: &["mj-social"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["align"], Words(&["left", "center", "right"])),
        (&["icon-position"], Words(&["left", "right"])),
        (&["background-color", "color"], Color),
        (&["border-radius", "font-size"], Type::PIXELS),
        (
            &[
                "alt",
                "font-family",
                "font-style",
                "font-weight",
                "href",
                "name",
                "rel",
                "sizes",
                "src",
                "srcset",
                "target",
                "text-decoration",
                "title",
            ],
            Text,
        ),
        (&["icon-height", "icon-size"], Type::LENGTH),
        (&["icon-padding", "text-padding"], Type::LENGTHS),
        (&["line-height"], Type::LINE_HEIGHT),
        (&["vertical-align"], Words(&["top", "middle", "bottom"])),
    ],
    required: &[],
};

pub(super) const NAVBAR: ElementSchema = ElementSchema {
    name: "mj-navbar",
    kind: Kind::Closed,
    realm: Realm::Body,
    parents: &["mj-column", "mj-hero"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["align", "ico-align"], Words(&["left", "center", "right"])),
        (
            &[
                "base-url",
                "ico-close",
                "ico-font-family",
                "ico-open",
                "ico-text-decoration",
                "ico-text-transform",
            ],
            Text,
        ),
        (&["hamburger"], Words(&["hamburger"])),
        (&["ico-color"], Color),
        (
            &[
                "ico-font-size",
                "ico-padding-bottom",
                "ico-padding-left",
                "ico-padding-right",
                "ico-padding-top",
            ],
            Type::LENGTH,
        ),
        (&["ico-padding"], Type::LENGTHS),
        (&["ico-line-height"], Type::LINE_HEIGHT),
    ],
    required: &[],
};

pub(super) const NAVBAR_LINK: ElementSchema = ElementSchema {
    name: "mj-navbar-link",
    kind: Kind::Ending,
    realm: Realm::Body,
    parents: &["mj-navbar"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["color"], Color),
        (
            &[
                "font-family",
                "font-style",
                "font-weight",
                "href",
                "name",
                "rel",
                "target",
                "text-decoration",
                "text-transform",
            ],
            Text,
        ),
        (&["font-size"], Type::PIXELS),
        (&["letter-spacing"], Type::SPACING),
        (&["line-height"], Type::LINE_HEIGHT),
    ],
    required: &[],
};

pub(super) const ACCORDION: ElementSchema = ElementSchema {
    name: "mj-accordion",
    kind: Kind::Closed,
    realm: Realm::Body,
    parents: &["mj-column", "mj-hero"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["container-background-color"], Color),
        (
            &[
                "border",
                "font-family",
                "icon-unwrapped-alt",
                "icon-unwrapped-url",
                "icon-wrapped-alt",
                "icon-wrapped-url",
            ],
            Text,
        ),
        (&["icon-align"], Words(&["top", "middle", "bottom"])),
        (&["icon-height", "icon-width"], Type::LENGTH),
        (&["icon-position"], Words(&["left", "right"])),
    ],
    required: &[],
};

pub(super) const ACCORDION_ELEMENT: ElementSchema = ElementSchema {
    name: "mj-accordion-element",
    kind: Kind::Closed,
    realm: Realm::Body,
    parents: &["mj-accordion"],
    attributes: &[
        (&["background-color"], Color),
        (
            &[
                "border",
                "font-family",
                "icon-unwrapped-alt",
                "icon-unwrapped-url",
                "icon-wrapped-alt",
                "icon-wrapped-url",
            ],
            Text,
        ),
        (&["icon-align"], Words(&["top", "middle", "bottom"])),
        (&["icon-height", "icon-width"], Type::LENGTH),
        (&["icon-position"], Words(&["left", "right"])),
    ],
    required: &[],
};

pub(super) const ACCORDION_TITLE: ElementSchema = ElementSchema {
    name: "mj-accordion-title",
    kind: Kind::Ending,
    realm: Realm::Body,
    parents: &["mj-accordion-element"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["background-color", "color"], Color),
        (&["font-size"], Type::PIXELS),
        (&["font-family", "font-weight"], Text),
    ],
    required: &[],
};

pub(super) const ACCORDION_TEXT: ElementSchema = ElementSchema {
    name: "mj-accordion-text",
    kind: Kind::Ending,
    realm: Realm::Body,
    parents: &["mj-accordion-element"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["background-color", "color"], Color),
        (&["font-size"], Type::PIXELS),
        (&["font-family", "font-weight"], Text),
        (&["letter-spacing"], Type::SPACING),
        (&["line-height"], Type::LINE_HEIGHT),
    ],
    required: &[],
};

pub(super) const CAROUSEL: ElementSchema = ElementSchema {
    name: "mj-carousel",
    kind: Kind::Closed,
    realm: Realm::Body,
    parents: &["mj-column", "mj-hero"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["align"], Words(&["left", "center", "right"])),
        (&["border-radius"], Type::LENGTHS),
        (
            &[
                "container-background-color",
                "tb-hover-border-color",
                "tb-selected-border-color",
            ],
            Color,
        ),
        (
            &["icon-width", "tb-border-radius", "tb-width"],
            Type::LENGTH,
        ),
        (&["left-icon", "right-icon", "tb-border"], Text),
        (&["thumbnails"], Words(&["visible", "hidden", "supported"])),
    ],
    required: &[],
};

pub(super) const CAROUSEL_IMAGE: ElementSchema = ElementSchema {
    name: "mj-carousel-image",
    kind: Kind::Leaf,
    realm: Realm::Body,
    parents: &["mj-carousel"],
    attributes: &[
        (
            &[
                "alt",
                "href",
                "rel",
                "src",
                "target",
                "tb-border",
                "thumbnails-src",
                "title",
            ],
            Text,
        ),
        (&["border-radius", "tb-border-radius"], Type::LENGTHS),
    ],
    required: &["src"],
};
