//! Who reads the newsletter: the list, the people on it, and those who must not be written to.
//!
//! `list.csv ─load─▶ List ─ segment, suppressions ─▶ Recipient*`, row by row. Texts come in, values go
//! out; an issue is never seen here, and no file is opened.

mod address;
mod columns;
mod list;
mod people;
mod recipient;
mod rows;
mod stand_ins;
mod suppressions;
mod value;

pub use address::{Address, AddressError};
pub use list::{Detail, Judged, LeftOut, List, ListOptions};
pub use people::People;
pub use recipient::{Recipient, Segment};
pub use stand_ins::stand_ins;
pub use suppressions::{Suppression, Suppressions};
pub use value::Value;

/// What templates call a column: `First Name` is `first_name`.
#[must_use]
pub fn field_of(title: &str) -> String {
    columns::field_name(title, 0)
}
