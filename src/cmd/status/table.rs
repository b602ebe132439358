//! A group of recipients as a CSV file that is itself a list: the columns that were frozen, and how
//! each row stands.
//!
//! Cells are data: what begins with `=`, `+`, `-` or `@` is written as it is, so that the list can be
//! loaded again unchanged. Only the relay's words, which no list of ours has said, are kept from being
//! read as a formula by a spreadsheet: an apostrophe goes before them.

use std::collections::BTreeSet;

use crate::{
    audience::{Recipient, Value},
    delivery::ledger::Row,
    error::{Error, Result},
};

/// What is added to the columns of the list.
const ADDED: [&str; 4] = ["state", "code", "reply", "at"];

/// The columns of a table: `email`, the other fields by name, and what is added.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns {
    fields: Vec<String>,
    added: Vec<String>,
}

impl Columns {
    /// The columns for fields of these names. Where the list has a column `state` of its own, ours is
    /// `delivery_state`.
    pub(super) fn new(fields: BTreeSet<String>) -> Self {
        let added = ADDED.map(|name| {
            let mut name = name.to_owned();
            while fields.contains(&name) {
                name.insert_str(0, "delivery_");
            }
            name
        });
        Self {
            fields: fields.into_iter().filter(|name| name != "email").collect(),
            added: added.into(),
        }
    }

    /// The fields of a person that say something.
    pub(super) fn said(person: &Recipient) -> impl Iterator<Item = &String> {
        let said = |value: &Value| match value {
            Value::Text(_) => true,
            Value::List(entries) => !entries.is_empty(),
        };
        let fields = person.fields.iter().filter(move |(_, value)| said(value));
        fields.map(|(name, _)| name)
    }

    fn titles(&self) -> impl Iterator<Item = &str> {
        let own = self.fields.iter().chain(&self.added);
        std::iter::once("email").chain(own.map(String::as_str))
    }
}

/// A table that is being written.
pub(super) struct Table {
    columns: Columns,
    writer: csv::Writer<Vec<u8>>,
}

impl Table {
    pub(super) fn new(columns: Columns) -> Result<Self> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(columns.titles()).map_err(broken)?;
        Ok(Self { columns, writer })
    }

    /// Adds a row.
    pub(super) fn add(&mut self, person: &Recipient, row: &Row) -> Result<()> {
        let cell = |name: &String| match person.fields.get(name) {
            Some(Value::Text(text)) => text.clone(),
            Some(Value::List(entries)) => entries.join(";"),
            None => String::new(),
        };
        let mut cells = vec![person.address.to_string()];
        cells.extend(self.columns.fields.iter().map(cell));
        cells.extend([
            row.state.word().to_owned(),
            row.code.map(|code| code.to_string()).unwrap_or_default(),
            words(row.reply.as_deref().unwrap_or_default()),
            row.at.map(|at| at.to_string()).unwrap_or_default(),
        ]);
        self.writer.write_record(&cells).map_err(broken)
    }

    /// All of it.
    pub(super) fn finish(self) -> Result<Vec<u8>> {
        self.writer
            .into_inner()
            .map_err(|cause| Error::bug("cannot write a table").because(&cause))
    }
}

/// The relay's words in one line, and never a formula.
fn words(reply: &str) -> String {
    let line: String = reply
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match line.trim() {
        line if line.starts_with(['=', '+', '-', '@']) => format!("'{line}"),
        line => line.to_owned(),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn broken(cause: csv::Error) -> Error {
    Error::bug("cannot write a table").because(&cause)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        audience::{List, ListOptions},
        delivery::ledger::State,
    };

    fn row(reply: &str) -> Row {
        Row {
            seq: 0,
            state: State::Failed,
            attempts: 1,
            code: Some(550),
            reply: Some(reply.to_owned()),
            at: Some(jiff::Timestamp::UNIX_EPOCH),
            next_at: None,
            message_id: None,
        }
    }

    /// Those on a list, and how many rows are left out.
    fn load(csv: &[u8]) -> (Vec<Recipient>, usize) {
        let mut list = List::open(csv, "list.csv", &ListOptions::default()).unwrap();
        let (mut people, mut left_out) = (Vec::new(), 0);
        while let Some(judged) = list.next_row().unwrap() {
            match judged.person {
                Ok(person) => people.push(person),
                Err(_) => left_out += 1,
            }
        }
        (people, left_out)
    }

    fn written(people: &[Recipient], reply: &str) -> String {
        let fields = people.iter().flat_map(Columns::said).cloned();
        let mut table = Table::new(Columns::new(fields.collect())).unwrap();
        for person in people {
            table.add(person, &row(reply)).unwrap();
        }
        String::from_utf8(table.finish().unwrap()).unwrap()
    }

    #[test]
    fn a_table_is_a_list() {
        let (list, _) = load(
            "Email,Name,State,topics\nada@example.com,\"=Ada, \"\"A\"\"\",NY,a;b\nben@example.org,,,\n".as_bytes(),
        );
        let csv = written(&list, "=5.1.1 <ada@example.com>\nno,such \"user\"");
        assert_eq!(
            csv,
            "email,name,state,topics,delivery_state,code,reply,at\n\
             ada@example.com,\"=Ada, \"\"A\"\"\",NY,a;b,failed,550,\"'=5.1.1 <ada@example.com> no,such \"\"user\"\"\",1970-01-01T00:00:00Z\n\
             ben@example.org,,,,failed,550,\"'=5.1.1 <ada@example.com> no,such \"\"user\"\"\",1970-01-01T00:00:00Z\n"
        );
        let (again, left_out) = load(csv.as_bytes());
        assert_eq!((again.len(), left_out), (list.len(), 0));
        for (one, other) in list.iter().zip(&again) {
            let fields = other
                .fields
                .iter()
                .filter(|(name, _)| one.fields.contains_key(*name));
            assert!(fields.eq(&one.fields));
        }
    }

    proptest! {
        #[test]
        fn whatever_a_list_and_a_relay_say_it_loads_again(
            name in "[^\\p{C}]{0,12}",
            reply in any::<String>(),
        ) {
            let mut source = csv::Writer::from_writer(Vec::new());
            source.write_record(["email", "name"]).unwrap();
            source.write_record(["ada@example.com", &name]).unwrap();
            let (list, _) = load(&source.into_inner().unwrap());
            prop_assume!(list.len() == 1);
            let (again, _) = load(written(&list, &reply).as_bytes());
            prop_assert_eq!(again.len(), 1);
            prop_assert_eq!(again[0].fields.get("name"), list[0].fields.get("name"));
        }
    }
}
