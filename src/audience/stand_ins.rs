//! A list of people who do not exist, made after one of people who do: for rehearsals.

use std::io::Read;

use csv::{StringRecord, Writer};

use super::{
    Address,
    columns::Columns,
    rows::{Row, Rows},
};
use crate::error::{Error, Result};

/// So many rows are taken as models; more make no mail that was not there before.
const MODELS: usize = 10_000;

/// A list of `count` stand-ins, as CSV: the columns of the list that the user knows as `name`, and the
/// cells of its rows, one after the other, so that their mails are as different as the real ones; but
/// the addresses are `reader-1@example.com` and so on.
///
/// # Errors
/// For a list without a header that names the column of addresses, and for one without anybody.
pub fn stand_ins(csv: impl Read, name: &str, count: u32) -> Result<Vec<u8>> {
    let nobody = || Error::data(format!("`{name}` has nobody to take after"));
    let mut rows = Rows::new(csv, name);
    let header: Row<'_> = rows.next()?.ok_or_else(nobody)?;
    let email = Columns::read(&header)?.email;
    let titles = header.cells.clone();
    let mut models: Vec<StringRecord> = Vec::new();
    while models.len() < MODELS
        && let Some(row) = rows.next()?
    {
        let address = row.cells.get(email).map(str::trim);
        if row.cells.len() <= titles.len() && address.is_some_and(|it| Address::parse(it).is_ok()) {
            models.push(row.cells.clone());
        }
    }
    if models.is_empty() {
        return Err(nobody());
    }
    let mut list = Writer::from_writer(Vec::new());
    let unwritable = |cause| Error::bug("cannot write a list").because(&cause);
    list.write_record(&titles).map_err(unwritable)?;
    for (number, model) in (1..=count).zip(models.iter().cycle()) {
        let address = format!("reader-{number}@example.com");
        let cells = (0..titles.len()).map(|at| match at == email {
            true => address.as_str(),
            false => model.get(at).unwrap_or_default(),
        });
        list.write_record(cells).map_err(unwritable)?;
    }
    list.into_inner()
        .map_err(|cause| Error::bug("cannot write a list").because(cause.error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(list: &str, count: u32) -> Result<String> {
        let made = stand_ins(list.as_bytes(), "list.csv", count)?;
        Ok(String::from_utf8(made).unwrap())
    }

    #[test]
    fn they_have_the_cells_of_the_people_and_addresses_of_their_own() {
        let list = "First Name,E-Mail,Topics\nAda,ada@example.com,\"a,b\"\nno,address,x\nben,ben@example.org\n";
        assert_eq!(
            made(list, 3).unwrap(),
            "First Name,E-Mail,Topics\n\
             Ada,reader-1@example.com,\"a,b\"\n\
             ben,reader-2@example.com,\n\
             Ada,reader-3@example.com,\"a,b\"\n"
        );
    }

    #[test]
    fn there_must_be_somebody_to_take_after() {
        for list in ["", "email,name\n", "email\nnobody\n"] {
            let error = made(list, 3).unwrap_err();
            assert_eq!(error.message(), "`list.csv` has nobody to take after");
        }
        assert!(made("name\nada@example.com\n", 3).is_err());
    }
}
