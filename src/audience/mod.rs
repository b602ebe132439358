//! Who reads the newsletter: the list, the people on it, and those who must not be written to.
//!
//! `list.csv ─load─▶ List ─ segment, suppressions ─▶ Recipient*`. Texts come in, values go out; an
//! issue is never seen here, and no file is opened.

mod address;
mod value;

pub use address::{Address, AddressError};
pub use value::Value;
