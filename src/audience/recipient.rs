//! A person on the list, and the part of the list that an issue goes to.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{Address, Value};
use crate::error::{Error, Kind};

/// A person on the list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The line of the list where the row starts, from 1.
    pub line: usize,
    /// Where the mail goes.
    pub address: Address,
    /// What the columns say, by field name. `email` is among them; a blank cell is not there, but a
    /// field that holds several entries always is.
    pub fields: BTreeMap<String, Value>,
}

/// Which part of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Segment {
    /// Everyone.
    #[default]
    All,
}

impl Segment {
    /// Whether a person is in it.
    #[must_use]
    pub fn contains(&self, _person: &Recipient) -> bool {
        match self {
            Self::All => true,
        }
    }
}

impl FromStr for Segment {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name.trim() {
            "all" => Ok(Self::All),
            other => Err(
                Error::new(Kind::Data, format!("there is no segment `{other}`"))
                    .hint("Write `all`, or leave the segment out."),
            ),
        }
    }
}

impl fmt::Display for Segment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_is_called_by_its_name() {
        assert_eq!("all".parse::<Segment>().unwrap(), Segment::All);
        assert_eq!(Segment::All.to_string(), "all");
        let error = "pro".parse::<Segment>().unwrap_err();
        assert_eq!(error.message(), "there is no segment `pro`");
    }

    #[test]
    fn a_recipient_survives_being_written_down() {
        let person = Recipient {
            line: 2,
            address: Address::parse("ann@example.org").unwrap(),
            fields: BTreeMap::from([
                (
                    "email".to_owned(),
                    Value::Text("ann@example.org".to_owned()),
                ),
                ("topics".to_owned(), Value::List(vec!["rust".to_owned()])),
            ]),
        };
        let json = serde_json::to_string(&person).unwrap();
        assert_eq!(
            json,
            r#"{"line":2,"address":"ann@example.org","fields":{"email":"ann@example.org","topics":["rust"]}}"#
        );
        assert_eq!(serde_json::from_str::<Recipient>(&json).unwrap(), person);
    }
}
