//! What lays out: the body, its sections, columns and heroes.

use super::{
    ElementSchema, Kind, PADDING, PADDING_SIDES, Realm,
    Type::{self, *},
};

pub(super) const BODY: ElementSchema = ElementSchema {
    name: "mj-body",
    kind: Kind::Container,
    realm: Realm::Frame,
    parents: &["mjml"],
    attributes: &[(&["width"], Type::PIXELS), (&["background-color"], Color)],
    required: &[],
};

pub(super) const WRAPPER: ElementSchema = ElementSchema {
    name: "mj-wrapper",
    kind: Kind::Container,
    realm: Realm::Body,
    parents: &["mj-body"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["background-color"], Color),
        (
            &[
                "background-position",
                "background-position-x",
                "background-position-y",
                "background-size",
                "background-url",
                "border",
                "border-bottom",
                "border-left",
                "border-radius",
                "border-right",
                "border-top",
            ],
            Text,
        ),
        (&["background-repeat"], Words(&["repeat", "no-repeat"])),
        (&["direction"], Words(&["ltr", "rtl"])),
        (&["full-width"], Words(&["full-width", "false", ""])),
        (&["text-align"], Words(&["left", "center", "right"])),
        (&["text-padding"], Type::LENGTHS),
        (&["gap"], Type::PIXELS),
    ],
    required: &[],
};

pub(super) const SECTION: ElementSchema = ElementSchema {
    name: "mj-section",
    kind: Kind::Container,
    realm: Realm::Body,
    parents: &["mj-body", "mj-wrapper"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["background-color"], Color),
        (
            &[
                "background-position",
                "background-position-x",
                "background-position-y",
                "background-size",
                "background-url",
                "border",
                "border-bottom",
                "border-left",
                "border-radius",
                "border-right",
                "border-top",
            ],
            Text,
        ),
        (&["background-repeat"], Words(&["repeat", "no-repeat"])),
        (&["direction"], Words(&["ltr", "rtl"])),
        (&["full-width"], Words(&["full-width", "false", ""])),
        (&["text-align"], Words(&["left", "center", "right"])),
        (&["text-padding"], Type::LENGTHS),
    ],
    required: &[],
};

pub(super) const GROUP: ElementSchema = ElementSchema {
    name: "mj-group",
    kind: Kind::Container,
    realm: Realm::Body,
    parents: &["mj-section"],
    attributes: &[
        (&["background-color"], Color),
        (&["direction"], Words(&["ltr", "rtl"])),
        (&["vertical-align"], Words(&["top", "bottom", "middle"])),
        (&["width"], Type::LENGTH),
    ],
    required: &[],
};

pub(super) const COLUMN: ElementSchema = ElementSchema {
    name: "mj-column",
    kind: Kind::Container,
    realm: Realm::Body,
    parents: &["mj-group", "mj-section"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["background-color", "inner-background-color"], Color),
        (
            &[
                "border",
                "border-bottom",
                "border-left",
                "border-right",
                "border-top",
                "inner-border",
                "inner-border-bottom",
                "inner-border-left",
                "inner-border-right",
                "inner-border-top",
            ],
            Text,
        ),
        (&["border-radius", "inner-border-radius"], Type::LENGTHS),
        (&["direction"], Words(&["ltr", "rtl"])),
        (&["vertical-align"], Words(&["top", "bottom", "middle"])),
        (&["width"], Type::LENGTH),
    ],
    required: &[],
};

pub(super) const HERO: ElementSchema = ElementSchema {
    name: "mj-hero",
    kind: Kind::Container,
    realm: Realm::Body,
    parents: &["mj-body", "mj-wrapper"],
    attributes: &[
        PADDING,
        PADDING_SIDES,
        (&["mode"], Words(&["fixed-height", "fluid-height"])),
        (
            &[
                "background-height",
                "background-width",
                "height",
                "inner-padding-bottom",
                "inner-padding-left",
                "inner-padding-right",
                "inner-padding-top",
            ],
            Type::LENGTH,
        ),
        (
            &["background-position", "background-url", "border-radius"],
            Text,
        ),
        (
            &[
                "background-color",
                "container-background-color",
                "inner-background-color",
            ],
            Color,
        ),
        (&["inner-padding"], Type::LENGTHS),
        (&["vertical-align"], Words(&["top", "bottom", "middle"])),
    ],
    required: &[],
};
