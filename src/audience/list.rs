//! The list: a CSV file with one person a row, read as a stream, so that a million are never held.
//!
//! Every row is judged. One that cannot be written to is left out with its line and the reason; the
//! others go on. Only what makes the whole file doubtful (its header, its encoding) is an error.

use std::{borrow::Cow, collections::BTreeMap, io::Read};

use super::{
    Address, People, Recipient, Suppression, Value,
    columns::Columns,
    rows::{Row, Rows, place},
};
use crate::{
    error::{Error, Result},
    finding::Finding,
};

/// How a list is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListOptions {
    /// The columns, by field name, whose cells hold several entries with `;`, `,` or `|` between
    /// them.
    pub list_fields: Vec<String>,
}

impl Default for ListOptions {
    fn default() -> Self {
        Self {
            list_fields: vec!["topics".to_owned(), "tags".to_owned()],
        }
    }
}

/// The people on the list, in the order of the file, each address once.
pub struct List<R> {
    rows: Rows<R>,
    columns: Columns,
    /// For each column, whether its cells hold several entries.
    holds_several: Vec<bool>,
    /// Everyone so far, with their line.
    people: People,
    detail: Detail,
}

/// How much is told of the people on a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// All that their rows say.
    #[default]
    Fields,
    /// Their addresses, and none of their fields.
    Addresses,
}

/// A row, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Who can be written to, or why the row cannot.
    pub person: Result<Recipient, LeftOut>,
    /// What is odd in a row that is on the list all the same.
    pub warnings: Vec<Finding>,
}

/// A row that nothing is sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// The line of the list where the row starts, from 1.
    pub line: usize,
    /// What the row says: the address, or what stands in its place.
    pub value: String,
    /// Why: a lower-case fragment.
    pub reason: String,
    /// The stable id of the reason: `bad-address`, `duplicate-address`, `suppressed`, `long-row`,
    /// `open-quote`.
    pub rule: &'static str,
    /// What would be right: a sentence.
    pub hint: Option<&'static str>,
    /// The row as it stands in the file, where it is at hand.
    pub source: Option<String>,
}

fn header(rows: &mut Rows<impl Read>, name: &str) -> Result<Columns> {
    match rows.next()? {
        Some(header) => Columns::read(&header),
        None => Err(Error::data(format!("there is nothing in `{name}`"))
            .hint("Its first row names the columns, such as `email,first_name`.")),
    }
}

impl List<std::io::Empty> {
    /// The field names of the columns alone, out of the first row.
    ///
    /// # Errors
    ///
    /// As [`Self::open`] does.
    pub fn columns_of(csv: impl Read, name: &str) -> Result<Vec<String>> {
        Ok(header(&mut Rows::new(csv, name), name)?.names)
    }
}

impl<R: Read> List<R> {
    /// Begins to read the list that the user knows as `name`.
    ///
    /// # Errors
    ///
    /// When the file is empty, or has a header that does not do.
    pub fn open(csv: R, name: &str, options: &ListOptions) -> Result<Self> {
        let mut rows = Rows::new(csv, name);
        let columns = header(&mut rows, name)?;
        Ok(Self {
            rows,
            holds_several: columns
                .names
                .iter()
                .map(|name| options.list_fields.contains(name))
                .collect(),
            columns,
            people: People::default(),
            detail: Detail::default(),
        })
    }

    /// The field names of the columns, from left to right; `email` is one of them.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns.names
    }

    /// The next row, judged; the header and blank rows aside.
    ///
    /// # Errors
    ///
    /// When the file cannot be read on, is not UTF-8, or opens a quote that it does not close.
    pub fn next_row(&mut self) -> Result<Option<Judged>> {
        let Self {
            rows,
            columns,
            holds_several,
            people,
            detail,
        } = self;
        let Some(row) = rows.next()? else {
            return Ok(None);
        };
        let mut judge = Judge {
            columns,
            holds_several,
            people,
            detail: *detail,
            warnings: Vec::new(),
        };
        Ok(Some(Judged {
            person: judge.recipient(&row),
            warnings: judge.warnings,
        }))
    }

    /// Says of a person of the list that they are not wanted.
    pub fn leave_out(&mut self, address: &Address) {
        self.people.take(&address.key());
    }

    /// Says how much is to be told of the people in the rows that follow.
    pub fn tell(&mut self, detail: Detail) {
        self.detail = detail;
    }

    /// Everyone whose row was read, by fingerprint, and what they were read from.
    #[must_use]
    pub fn into_parts(self) -> (People, R) {
        (self.people, self.rows.into_inner())
    }
}

impl LeftOut {
    /// A person who must not be written to.
    #[must_use]
    pub fn suppressed(person: &Recipient, suppression: &Suppression) -> Self {
        Self {
            line: person.line,
            value: person.address.to_string(),
            reason: match &suppression.reason {
                Some(reason) => format!("suppressed: {reason}"),
                None => "suppressed".to_owned(),
            },
            rule: "suppressed",
            hint: None,
            source: None,
        }
    }

    /// Whether the row itself is at fault, and not only superfluous or unwanted.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        !matches!(self.rule, "suppressed" | "duplicate-address")
    }

    /// The same as a finding about the list that the user knows as `file`.
    #[must_use]
    pub fn finding(&self, file: &str) -> Finding {
        let source = self.source.as_deref().unwrap_or(&self.value);
        Finding {
            hint: self.hint.map(str::to_owned),
            ..Finding::warning(
                self.rule,
                format!("`{}` is left out: {}", self.value, self.reason),
            )
            .at(place(file, self.line, source, &self.value))
        }
    }
}

/// Judges one row.
struct Judge<'a> {
    columns: &'a Columns,
    holds_several: &'a [bool],
    people: &'a mut People,
    detail: Detail,
    warnings: Vec<Finding>,
}

impl Judge<'_> {
    fn recipient(&mut self, row: &Row<'_>) -> Result<Recipient, LeftOut> {
        let email = row.cell(self.columns.email).unwrap_or_default();
        let left_out = |rule, reason: String, hint| LeftOut {
            line: row.line,
            value: one_line(email).into_owned(),
            reason,
            rule,
            hint,
            source: Some(row.text().into_owned()),
        };
        let expected = self.columns.names.len();
        if row.swallows_others() {
            return Err(left_out(
                "open-quote",
                "one of its cells goes over several lines and seems to hold other rows".to_owned(),
                Some("A quote that is not closed where it should be swallows the rows after it."),
            ));
        }
        if row
            .cells
            .iter()
            .skip(expected)
            .any(|cell| !cell.trim().is_empty())
        {
            return Err(left_out(
                "long-row",
                format!(
                    "it has {} cells, and there are {expected} columns",
                    row.cells.len()
                ),
                Some("Put a cell that has a comma in it into quotes."),
            ));
        }
        let address = Address::parse(email)
            .map_err(|cause| left_out("bad-address", cause.reason, Some(cause.hint)))?;
        if let Some(first) = self.people.add(&address, row.line) {
            return Err(left_out(
                "duplicate-address",
                format!("line {first} has this address already"),
                None,
            ));
        }
        self.warn(row, &address, expected);
        Ok(Recipient {
            line: row.line,
            fields: match self.detail {
                Detail::Fields => self.fields(row, &address),
                Detail::Addresses => BTreeMap::new(),
            },
            address,
        })
    }

    fn warn(&mut self, row: &Row<'_>, address: &Address, expected: usize) {
        if row.cells.len() < expected {
            let message = format!("a row of {} cells for {expected} columns", row.cells.len());
            self.warnings.push(
                Finding::warning("short-row", message)
                    .at(row.place(""))
                    .hint("The columns at the end count as blank for this person."),
            );
        }
        if address.needs_smtputf8() {
            self.warnings.push(
                Finding::warning(
                    "needs-smtputf8",
                    format!("`{address}` is not ASCII before the `@`"),
                )
                .at(row.place(address.local()))
                .hint("Only a relay that offers SMTPUTF8 can take it."),
            );
        }
        for cell in row.cells {
            if let Some(odd) = cell.trim().chars().find(|c| breaks_a_line(*c)) {
                let message = format!(
                    "a control character (U+{:04X}) in a cell; it becomes a space",
                    u32::from(odd)
                );
                self.warnings.push(
                    Finding::warning("control-character", message)
                        .at(row.place(cell.trim()))
                        .hint("Write the cell on one line, without tabs."),
                );
            }
        }
    }

    fn fields(&self, row: &Row<'_>, address: &Address) -> BTreeMap<String, Value> {
        let mut fields = BTreeMap::new();
        let columns = self.columns.names.iter().zip(self.holds_several);
        for (column, (name, several)) in columns.enumerate() {
            let cell = row.cell(column);
            let value = match (cell, several) {
                _ if column == self.columns.email => Some(Value::Text(address.to_string())),
                (cell, true) => Some(Value::List(entries(cell.unwrap_or_default()))),
                (cell, false) => cell.map(|cell| Value::Text(one_line(cell).into_owned())),
            };
            if let Some(value) = value {
                fields.insert(name.clone(), value);
            }
        }
        fields
    }
}

/// The entries of a cell that holds several, each once, without blanks and the quotes that some
/// programs put around each.
fn entries(cell: &str) -> Vec<String> {
    let mut entries: Vec<String> = Vec::new();
    for entry in cell.split([';', ',', '|']) {
        let entry = one_line(entry.trim().trim_matches('"')).trim().to_owned();
        if !entry.is_empty() && !entries.contains(&entry) {
            entries.push(entry);
        }
    }
    entries
}

/// A cell with a space for each control character.
fn one_line(cell: &str) -> Cow<'_, str> {
    if cell.chars().any(breaks_a_line) {
        Cow::Owned(cell.replace(breaks_a_line, " "))
    } else {
        Cow::Borrowed(cell)
    }
}

/// Controls, and the two characters of Unicode that end lines and paragraphs.
fn breaks_a_line(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')
}

#[cfg(test)]
mod tests;
