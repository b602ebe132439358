//! What a column says of a subscriber.

use serde::{Deserialize, Serialize};

/// A field of a subscriber, as templates see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// The text of a cell.
    Text(String),
    /// The entries of a cell that holds several, such as topics.
    List(Vec<String>),
}
