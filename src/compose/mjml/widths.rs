//! How wide MJML makes what stands within a component.
//!
//! The engine counts the same way but for fractions, and cannot be told otherwise where a width comes
//! from above; what it wrote is mended with these.

use super::{
    document::Attributes,
    lengths::{self, Share, Side, Unit},
};

/// The room that a component gets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Room {
    /// In pixels.
    pub(super) width: f64,
    /// Whether the engine may count otherwise.
    pub(super) is_odd: bool,
    /// How many components share what is around them.
    pub(super) siblings: usize,
}

impl Room {
    /// The room of `mj-body` itself.
    pub(super) const fn page() -> Self {
        Self {
            width: 600.0,
            is_odd: false,
            siblings: 1,
        }
    }

    /// The room within a component that has this one; `children` share it.
    pub(super) fn within(self, name: &str, attributes: &Attributes, children: usize) -> Self {
        let (width, is_odd) = match name {
            "mj-body" => {
                let width = attributes.get("width").unwrap_or("600px");
                let number = lengths::number(width).unwrap_or(f64::NAN);
                (number, width != pixels(number) || number.fract() != 0.0)
            }
            "mj-section" | "mj-wrapper" => {
                let width = self.width.trunc() - padding(name, attributes) - border(attributes);
                (width, self.is_odd)
            }
            "mj-column" => {
                let inner = lengths::ends(|side| lengths::border(attributes, "inner-border", side));
                let taken = padding(name, attributes) + border(attributes) + inner;
                self.share(attributes, taken)
            }
            "mj-group" => self.share(attributes, padding(name, attributes)),
            // The engine forgets the padding here.
            "mj-hero" => {
                let padding = padding(name, attributes);
                (self.width.trunc() - padding, self.is_odd || padding != 0.0)
            }
            _ => (self.width, self.is_odd),
        };
        Self {
            width,
            is_odd,
            siblings: children,
        }
    }

    /// What a column or a group leaves of its room.
    fn share(self, attributes: &Attributes, taken: f64) -> (f64, bool) {
        let (width, is_fraction) = match own_width(attributes) {
            Some((share, Unit::Percent)) => {
                let width = self.width * share / 100.0;
                (width, width.fract() != 0.0)
            }
            Some((width, _)) => (width, false),
            None => {
                let width = self.width / siblings(self);
                (width.trunc(), width.fract() != 0.0)
            }
        };
        (width - taken, self.is_odd || is_fraction)
    }

    /// How wide a column or a group with this room is for Outlook.
    pub(super) fn outlook_width(self, attributes: &Attributes) -> f64 {
        match own_width(attributes) {
            Some((width, Unit::Pixel | Unit::Other)) => width,
            Some((share, Unit::Percent)) => self.width * share / 100.0,
            None => self.width * (100.0 / siblings(self)) / 100.0,
        }
    }

    /// What is left between the paddings and the borders of a component with this room.
    pub(super) fn inside(self, name: &str, attributes: &Attributes) -> f64 {
        self.width.trunc() - padding(name, attributes) - border(attributes)
    }
}

/// What a component's padding is when nobody says so.
pub(super) fn default_padding(name: &str) -> &'static str {
    match name {
        "mj-section" | "mj-wrapper" => "20px 0",
        "mj-text" | "mj-button" | "mj-image" | "mj-divider" | "mj-table" | "mj-social"
        | "mj-accordion" => "10px 25px",
        "mj-hero" => "0px",
        _ => "",
    }
}

/// What the paddings take from a width.
pub(super) fn padding(name: &str, attributes: &Attributes) -> f64 {
    let default = default_padding(name);
    lengths::ends(|side: Side| lengths::side(attributes, "padding", default, side))
}

/// What the borders take from a width.
pub(super) fn border(attributes: &Attributes) -> f64 {
    lengths::ends(|side| lengths::border(attributes, "border", side))
}

/// The width that a column or a group is given.
pub(super) fn own_width(attributes: &Attributes) -> Option<(f64, Unit)> {
    let width = attributes.get("width").filter(|width| !width.is_empty())?;
    lengths::width(width, Share::Exact)
}

/// A number of pixels.
pub(super) fn pixels(number: f64) -> String {
    format!("{}px", written(number))
}

/// A number, as JavaScript writes it.
pub(super) fn written(number: f64) -> String {
    format!("{}", number + 0.0)
}

#[expect(clippy::cast_precision_loss, reason = "there are few siblings")]
fn siblings(room: Room) -> f64 {
    room.siblings.max(1) as f64
}
