//! Those who must not be written to, whatever the list says.
//!
//! Nothing here is left out in silence: a row that cannot be read is an error, because somebody
//! might otherwise get mail who asked for none.

use std::{collections::HashMap, io::Read};

use super::{
    Address,
    columns::{email_column, field_name, no_email},
    rows::{Row, Rows},
};
use crate::error::{Error, Result};

/// The people who must not be written to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suppressions {
    people: HashMap<String, Suppression>,
}

/// Why somebody must not be written to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suppression {
    /// The reason, where one is given, such as `unsubscribed`.
    pub reason: Option<String>,
}

impl Suppressions {
    /// Nobody.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Reads the file that the user knows as `name`: a CSV with a column `email` and perhaps one
    /// called `reason`, or without a header an address a line. An empty file is fine.
    ///
    /// # Errors
    ///
    /// All rows that cannot be read, each with its place.
    pub fn load(csv: impl Read, name: &str) -> Result<Self> {
        let mut rows = Rows::new(csv, name);
        let mut people = HashMap::new();
        let mut errors = Vec::new();
        let mut columns = None;
        while let Some(row) = rows.next()? {
            let columns = match columns {
                Some(columns) => columns,
                None => {
                    let (read, is_header) = Columns::read(&row)?;
                    columns = Some(read);
                    if is_header {
                        continue;
                    }
                    read
                }
            };
            match columns.suppression(&row) {
                Ok((key, suppression)) => {
                    people.entry(key).or_insert(suppression);
                }
                Err(error) => errors.push(error),
            }
        }
        match Error::all(errors) {
            Some(error) => Err(error),
            None => Ok(Self { people }),
        }
    }

    /// Why an address must not be written to, if it must not.
    #[must_use]
    pub fn get(&self, address: &Address) -> Option<&Suppression> {
        if self.people.is_empty() {
            return None;
        }
        self.people.get(&address.key())
    }

    /// Adds the people of another list; those who are in both keep their reason.
    pub fn add(&mut self, others: Self) {
        for (key, suppression) in others.people {
            self.people.entry(key).or_insert(suppression);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.people.len()
    }

    /// Whether there is nobody.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }
}

/// Where in a row the address and the reason are.
#[derive(Clone, Copy)]
struct Columns {
    email: usize,
    reason: Option<usize>,
}

impl Columns {
    /// Judges the first row: a header, or the first person of a file without one.
    fn read(first: &Row<'_>) -> Result<(Self, bool)> {
        if let Some(email) = email_column(first) {
            let mut cells = first.cells.iter();
            let reason = cells.position(|cell| field_name(cell.trim(), 0) == "reason");
            return Ok((Self { email, reason }, true));
        }
        if first.cell(0).is_some_and(|cell| cell.contains('@')) {
            let reason = Some(1);
            return Ok((Self { email: 0, reason }, false));
        }
        Err(no_email(first))
    }

    fn suppression(self, row: &Row<'_>) -> Result<(String, Suppression)> {
        if row.swallows_others() {
            return Err(Error::data(
                "one of the cells goes over several lines and seems to hold other rows",
            )
            .at(row.place(""))
            .hint("A quote that is not closed where it should be swallows the rows after it."));
        }
        let email = row.cell(self.email).unwrap_or_default();
        let address = Address::parse(email).map_err(|cause| {
            Error::data(format!("`{email}` cannot be suppressed: {}", cause.reason))
                .at(row.place(email))
                .hint(cause.hint)
        })?;
        let reason = self.reason.and_then(|reason| row.cell(reason));
        Ok((
            address.key(),
            Suppression {
                reason: reason.map(|reason| reason.replace(char::is_control, " ")),
            },
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(csv: &str) -> Result<Suppressions> {
        Suppressions::load(csv.as_bytes(), "suppressions.csv")
    }

    fn reason(suppressions: &Suppressions, address: &str) -> Option<Option<String>> {
        let found = suppressions.get(&Address::parse(address).unwrap());
        found.map(|suppression| suppression.reason.clone())
    }

    #[test]
    fn a_table_and_a_bare_list_are_both_read() {
        let table =
            load("date,E-Mail,Reason\n2026-11-01,Ann@example.org,bounced\n,bob@example.org,\n");
        let table = table.unwrap();
        assert_eq!(table.len(), 2);
        assert_eq!(
            reason(&table, "ann@example.org"),
            Some(Some("bounced".to_owned()))
        );
        assert_eq!(reason(&table, "BOB@example.org"), Some(None));
        assert_eq!(reason(&table, "cy@example.org"), None);

        let bare = load("ann@example.org\n\n  <bob@bücher.de>,complained\r\n").unwrap();
        assert_eq!(reason(&bare, "ann@example.org"), Some(None));
        assert_eq!(
            reason(&bare, "bob@xn--bcher-kva.de"),
            Some(Some("complained".to_owned()))
        );
    }

    #[test]
    fn nothing_suppresses_nobody() {
        assert!(load("").unwrap().is_empty());
        assert!(load("email,reason\n").unwrap().is_empty());
        assert_eq!(load("").unwrap(), Suppressions::empty());
    }

    #[test]
    fn a_row_that_cannot_be_read_is_an_error_and_all_are_told() {
        let error =
            load("email,reason\nann.example.org,x\nbob@example.org,\n,bounced\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "suppressions.csv:2:1: `ann.example.org` cannot be suppressed: it has no `@`"
        );
        assert_eq!(
            error.others()[0].to_string(),
            "suppressions.csv:4:1: `` cannot be suppressed: there is no address"
        );
        assert_eq!(error.others().len(), 1);
    }

    #[test]
    fn a_swallowed_row_and_other_separators_are_errors() {
        let error = load("email,reason\nann@example.org,\"x\nbob@example.org,\"y\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "suppressions.csv:2:1: one of the cells goes over several lines and seems to hold other rows"
        );
        let error = load("email;reason\n").unwrap_err();
        assert_eq!(error.message(), "the columns are separated by semicolons");
        assert!(load("who,why\n").is_err());
    }
}
