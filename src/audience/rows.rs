//! A CSV file (RFC 4180) row by row, each row with its line and its own text, so that whoever finds
//! fault with it can show it. Knows nothing of what the columns mean.

use std::{
    borrow::Cow,
    io::{self, Read},
    ops::Range,
};

use csv::StringRecord;

use super::Address;
use crate::{
    error::{Error, Kind, Result},
    place::Place,
};

/// A row longer than this is no row: somewhere a quote was opened that nobody closes.
const LONGEST_ROW: usize = 1 << 20;

/// The rows of a file, one after the other; blank ones are left out.
pub(super) struct Rows<R> {
    name: String,
    csv: csv::Reader<Tape<R>>,
    record: StringRecord,
    /// How many lines end before the next byte.
    lines: usize,
    /// Whether the last byte was a CR; an LF that follows belongs to the same line end.
    after_cr: bool,
}

/// A row.
pub(super) struct Row<'a> {
    /// The name of the file.
    pub(super) file: &'a str,
    /// The line where it starts, from 1.
    pub(super) line: usize,
    /// Its cells, without the quotes of CSV.
    pub(super) cells: &'a StringRecord,
    /// As it stands in the file, without its line end.
    raw: &'a [u8],
}

impl<R: Read> Rows<R> {
    /// Reads the CSV that the user knows as `name`.
    pub(super) fn new(csv: R, name: &str) -> Self {
        let tape = Tape {
            inner: csv,
            kept: Vec::new(),
            taken: 0,
            position: 0,
        };
        Self {
            name: name.to_owned(),
            csv: csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .buffer_capacity(1 << 16)
                .from_reader(tape),
            record: StringRecord::new(),
            lines: 0,
            after_cr: false,
        }
    }

    /// What is read from.
    pub(super) fn into_inner(self) -> R {
        self.csv.into_inner().inner
    }

    /// The next row that has something in it.
    ///
    /// # Errors
    ///
    /// When the file cannot be read on, is not UTF-8, or opens a quote that it does not close.
    pub(super) fn next(&mut self) -> Result<Option<Row<'_>>> {
        let (line, range) = loop {
            let read = self.csv.read_record(&mut self.record);
            let end = self.csv.position().byte();
            let taken = self.csv.get_mut().take_until(end);
            let (line, range) = self.without_line_ends(taken);
            match read {
                Err(cause) => return Err(self.unreadable(&cause, line, range)),
                Ok(false) => return Ok(None),
                Ok(true) if self.record.iter().all(|cell| cell.trim().is_empty()) => {}
                Ok(true) => break (line, range),
            }
        };
        let raw = self.csv.get_ref().bytes(range);
        let row = Row {
            file: &self.name,
            line,
            cells: &self.record,
            raw,
        };
        if raw.contains(&b'"') && ends_in_quotes(raw) {
            return Err(unclosed(row.place("\"")));
        }
        Ok(Some(row))
    }

    /// Counts the lines of what was read for a row (the csv crate's own count is off after CRLF and
    /// after blank lines), and takes line ends off both sides of it.
    fn without_line_ends(&mut self, range: Range<usize>) -> (usize, Range<usize>) {
        let bytes = self.csv.get_ref().bytes(range.clone());
        let is_end = |byte: &u8| matches!(byte, b'\r' | b'\n');
        let before = bytes.iter().take_while(|byte| is_end(byte)).count();
        let rest = bytes.get(before..).unwrap_or_default();
        let after = rest.iter().rev().take_while(|byte| is_end(byte)).count();

        let mut after_cr = self.after_cr;
        let mut count = |bytes: &[u8]| {
            let mut lines = 0;
            for byte in bytes {
                lines += usize::from(*byte == b'\r' || (*byte == b'\n' && !after_cr));
                after_cr = *byte == b'\r';
            }
            lines
        };
        let line = self.lines + count(bytes.get(..before).unwrap_or_default()) + 1;
        let lines = line - 1 + count(rest);
        self.lines = lines;
        self.after_cr = after_cr;
        (line, range.start + before..range.end - after)
    }

    fn unreadable(&self, cause: &csv::Error, line: usize, range: Range<usize>) -> Error {
        match cause.kind() {
            csv::ErrorKind::Io(cause) if cause.kind() == io::ErrorKind::FileTooLarge => {
                Error::data(format!(
                    "the row that starts in line {line} of `{}` does not end",
                    self.name
                ))
                .hint("Look for a cell that opens a quote (`\"`) and does not close it.")
            }
            csv::ErrorKind::Io(cause) => {
                Error::new(Kind::Io, format!("cannot read `{}`", self.name)).because(cause)
            }
            _ => {
                let bytes = self.csv.get_ref().bytes(range);
                let good = match std::str::from_utf8(bytes) {
                    Ok(text) => text.len(),
                    Err(cause) => cause.valid_up_to(),
                };
                let before = String::from_utf8_lossy(bytes.get(..good).unwrap_or_default());
                let line = line + before.matches('\n').count();
                let shown = String::from_utf8_lossy(bytes);
                let shown = shown.lines().nth(before.matches('\n').count());
                let column = before.rsplit('\n').next().map_or(0, str::len);
                let end = column + '\u{fffd}'.len_utf8();
                let utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
                let what = if utf16 {
                    "the file is UTF-16"
                } else {
                    "a byte belongs to no character"
                };
                Error::data(format!("not UTF-8 text: {what}"))
                    .at(Place::in_line(
                        self.name.as_str(),
                        line,
                        shown.unwrap_or_default(),
                        column..end,
                    ))
                    .hint("Save the file as `CSV UTF-8` and run the command again.")
            }
        }
    }
}

impl Row<'_> {
    /// The row as it stands in the file.
    pub(super) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(self.raw)
    }

    /// The place of a value in the row: all of the row when it is not written there as it is.
    pub(super) fn place(&self, value: &str) -> Place {
        place(self.file, self.line, &self.text(), value)
    }

    /// The place of a cell, found by counting on from the cells before it.
    pub(super) fn place_of_cell(&self, column: usize) -> Place {
        let text = self.text();
        let before = self.cells.iter().take(column).fold(0, |from, cell| {
            let found = text.get(from..).and_then(|rest| rest.find(cell));
            found.map_or(from, |at| from + at + cell.len())
        });
        let cell = self.cells.get(column).unwrap_or_default().trim();
        match text.get(before..).and_then(|rest| rest.find(cell)) {
            Some(at) => Place::in_line(
                self.file,
                self.line,
                &*text,
                before + at..before + at + cell.len(),
            ),
            None => self.place(""),
        }
    }

    /// A cell without white space around it; nothing when it is blank or not there.
    pub(super) fn cell(&self, column: usize) -> Option<&str> {
        self.cells
            .get(column)
            .map(str::trim)
            .filter(|cell| !cell.is_empty())
    }

    /// Whether a quote that was opened by mistake seems to have swallowed the rows after it: a cell
    /// goes over several lines, and one after the first has an address between commas.
    pub(super) fn swallows_others(&self) -> bool {
        let is_address = |part: &str| Address::parse(part.trim().trim_matches('"')).is_ok();
        let is_row = |line: &str| line.contains('@') && line.split(',').any(is_address);
        let is_text = |cell: &str| cell.trim().contains('\n');
        let mut cells = self.cells.iter();
        cells.any(|cell| is_text(cell) && cell.trim().lines().skip(1).any(is_row))
    }
}

/// The place of `value` in `text`, which starts in `line` of `file`; of all of it when it is not there.
pub(super) fn place(file: &str, line: usize, text: &str, value: &str) -> Place {
    let range = match text.find(value) {
        Some(at) if !value.is_empty() => at..at + value.len(),
        _ => 0..text.lines().next().map_or(0, str::len),
    };
    Place::in_line(file, line, text, range)
}

fn unclosed(place: Place) -> Error {
    Error::data("a quote is opened and never closed")
        .at(place)
        .hint("Close it, or write each quote within a quoted cell twice (`\"\"`).")
}

/// Whether a row ends before the quote of its last cell does. Quotes count only where a cell starts
/// with one.
fn ends_in_quotes(raw: &[u8]) -> bool {
    let mut quoted = false;
    let mut cell_starts = true;
    let mut bytes = raw.iter().peekable();
    while let Some(byte) = bytes.next() {
        match (byte, quoted) {
            (b'"', true) if bytes.peek() == Some(&&b'"') => {
                bytes.next();
            }
            (b'"', true) => quoted = false,
            (b'"', false) if cell_starts => quoted = true,
            _ => {}
        }
        cell_starts = !quoted && *byte == b',';
    }
    quoted
}

/// Hands bytes on and keeps them until the row they belong to is done with.
struct Tape<R> {
    inner: R,
    kept: Vec<u8>,
    /// How much of `kept` is done with.
    taken: usize,
    /// Where in the file `taken` is.
    position: u64,
}

impl<R> Tape<R> {
    /// The bytes up to a position in the file, as a range for [`Self::bytes`] until the next read.
    fn take_until(&mut self, position: u64) -> Range<usize> {
        let length = usize::try_from(position.saturating_sub(self.position)).unwrap_or(usize::MAX);
        let end = self.taken.saturating_add(length).min(self.kept.len());
        let range = self.taken..end;
        self.taken = end;
        self.position = position;
        range
    }

    fn bytes(&self, range: Range<usize>) -> &[u8] {
        self.kept.get(range).unwrap_or_default()
    }
}

impl<R: Read> Read for Tape<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.kept.drain(..self.taken);
        self.taken = 0;
        if self.kept.len() > LONGEST_ROW {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let count = self.inner.read(buffer)?;
        self.kept
            .extend_from_slice(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(csv: &[u8]) -> Result<Vec<(usize, Vec<String>, String)>> {
        let mut rows = Rows::new(csv, "list.csv");
        let mut seen = Vec::new();
        while let Some(row) = rows.next()? {
            let cells = row.cells.iter().map(str::to_owned).collect();
            seen.push((row.line, cells, row.text().into_owned()));
        }
        Ok(seen)
    }

    fn row(line: usize, cells: &[&str], text: &str) -> (usize, Vec<String>, String) {
        let cells = cells.iter().map(|cell| (*cell).to_owned()).collect();
        (line, cells, text.to_owned())
    }

    #[test]
    fn a_row_knows_its_line_and_its_text() {
        let expected = [
            row(1, &["email", "name"], "email,name"),
            row(3, &["a", "x\ny"], "a,\"x\ny\""),
            row(5, &["b"], "b"),
        ];
        assert_eq!(
            rows(b"\xef\xbb\xbfemail,name\n\na,\"x\ny\"\nb\n,\n").unwrap()[1..],
            expected[1..]
        );
        assert_eq!(
            rows(b"email,name\r\n\r\na,\"x\ny\"\r\nb\r\n \r\n").unwrap(),
            expected
        );
        assert_eq!(rows(b"email,name\r\ra,\"x\ny\"\rb").unwrap(), expected);
    }

    #[test]
    fn a_byte_order_mark_is_no_part_of_a_cell() {
        let rows = rows(b"\xef\xbb\xbfemail,name\n").unwrap();
        assert_eq!(rows[0].1, ["email", "name"]);
    }

    #[test]
    fn bytes_of_no_character_are_placed() {
        let error = rows(b"email\nann@example.org\nzo\xeb@example.org\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "list.csv:3:3: not UTF-8 text: a byte belongs to no character"
        );
        let error = rows(b"\xff\xfee\0m\0").unwrap_err();
        assert_eq!(error.message(), "not UTF-8 text: the file is UTF-16");
    }

    #[test]
    fn a_quote_that_is_never_closed_is_an_error() {
        let error = rows(b"email,name\na,\"x\nb,y\n").unwrap_err();
        assert_eq!(
            error.to_string(),
            "list.csv:2:3: a quote is opened and never closed"
        );
        let endless = format!("email\n\"{}", "x\n".repeat(LONGEST_ROW));
        let error = rows(endless.as_bytes()).unwrap_err();
        assert_eq!(
            error.message(),
            "the row that starts in line 2 of `list.csv` does not end"
        );
        assert_eq!(
            rows(b"5\" disk,\"a\"\"b\"").unwrap()[0].1,
            ["5\" disk", "a\"b"]
        );
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_text(lines in prop::collection::vec("[a-z]{0,3}", 0..20), end in "\r\n|\n|\r") {
            let csv = lines.join(&end);
            let expected: Vec<usize> = (1..).zip(&lines).filter(|(_, line)| !line.is_empty()).map(|(at, _)| at).collect();
            let seen: Vec<usize> = rows(csv.as_bytes()).unwrap().iter().map(|row| row.0).collect();
            prop_assert_eq!(seen, expected);
        }

        #[test]
        fn no_bytes_make_it_panic(csv in prop::collection::vec(prop::sample::select(b"a,\"\r\n\xc3\xa9@".to_vec()), 0..60)) {
            let _ = rows(&csv);
        }
    }
}
