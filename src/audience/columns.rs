//! The header of a list: which column holds the address, and what templates call the others.

use super::{Address, rows::Row};
use crate::error::{Error, Result, nearest};

/// The columns of a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Columns {
    /// What templates call each column, from left to right.
    pub(super) names: Vec<String>,
    /// Which of them holds the address; its name is `email`.
    pub(super) email: usize,
}

impl Columns {
    /// Reads a header row.
    ///
    /// # Errors
    ///
    /// All that is wrong with it, each with its place.
    pub(super) fn read(header: &Row<'_>) -> Result<Self> {
        let mut errors = Vec::new();
        let mut names: Vec<String> = Vec::new();
        let mut email = None;
        for (at, cell) in header.cells.iter().enumerate() {
            let title = cell.trim();
            let mut name = field_name(title, at);
            if is_email(&name) {
                email.get_or_insert(at);
                "email".clone_into(&mut name);
            }
            if title.is_empty() {
                errors.push(
                    Error::data(format!("column {} has no name", at + 1))
                        .at(header.place(""))
                        .hint("Give each column a name in the first row, or remove the column."),
                );
            } else if let Some(other) = names.iter().position(|other| *other == name) {
                let other = header.cells.get(other).unwrap_or_default().trim();
                errors.push(
                    Error::data(format!(
                        "the columns `{other}` and `{title}` have the same name in templates, `{name}`"
                    ))
                    .at(header.place_of_cell(at))
                    .hint("Rename one of the columns, or remove it."),
                );
            }
            names.push(name);
        }
        if email.is_none() {
            errors.insert(0, no_email(header));
        }
        match (Error::all(errors), email) {
            (None, Some(email)) => Ok(Self { names, email }),
            (Some(error), _) => Err(error),
            (None, None) => Err(no_email(header)),
        }
    }
}

/// Which column of a row holds the address, if the row is a header that says so.
pub(super) fn email_column(header: &Row<'_>) -> Option<usize> {
    header
        .cells
        .iter()
        .position(|cell| is_email(&field_name(cell.trim(), 0)))
}

/// Why a header does not do: no column of it holds the address.
pub(super) fn no_email(header: &Row<'_>) -> Error {
    let place = header.place("");
    for (sign, called) in [(';', "semicolons"), ('\t', "tabs"), ('|', "bars")] {
        if header.cells.len() == 1 && header.text().contains(sign) {
            return Error::data(format!("the columns are separated by {called}"))
                .at(place)
                .hint("Save the list with commas between the columns and run the command again.");
        }
    }
    if header.cells.iter().any(|cell| Address::parse(cell).is_ok()) {
        return Error::data("the first row is a person, and should name the columns")
            .at(place)
            .hint("Put a row such as `email,first_name` before all others.");
    }
    let titles: Vec<&str> = header.cells.iter().map(str::trim).collect();
    let found = titles.iter().map(|title| format!("`{title}`"));
    let found = found.collect::<Vec<_>>().join(", ");
    let hint = match nearest("email", titles.iter().copied()) {
        Some(near) => format!("Is `{near}` the one that should be called `email`?"),
        None => "Name the column that holds the addresses `email`.".to_owned(),
    };
    Error::data(format!("no column is called `email`; there are {found}"))
        .at(place)
        .hint(hint)
}

/// What templates call a column: `First Name` is `first_name`. A name that has none of the letters
/// that templates know is `column_3` by its position, counted from 1.
pub(super) fn field_name(title: &str, position: usize) -> String {
    let mut name = String::with_capacity(title.len());
    for c in title.chars().flat_map(char::to_lowercase) {
        match c {
            'a'..='z' | '0'..='9' => name.push(c),
            _ => match without_accent(c) {
                Some(plain) => name.push_str(plain),
                None if name.ends_with('_') || name.is_empty() => {}
                None => name.push('_'),
            },
        }
    }
    name.truncate(name.trim_end_matches('_').len());
    if name.is_empty() {
        return format!("column_{}", position + 1);
    }
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

fn is_email(name: &str) -> bool {
    matches!(
        name,
        "email"
            | "e_mail"
            | "email_address"
            | "e_mail_address"
            | "emailaddress"
            | "email_adresse"
            | "e_mail_adresse"
    )
}

/// The Latin letters with accents of Western and Central Europe, as people write them without.
fn without_accent(c: char) -> Option<&'static str> {
    Some(match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì'..='ï' | 'ī' | 'ı' => "i",
        'ł' | 'ľ' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ő' => "o",
        'œ' => "oe",
        'ř' => "r",
        'ś' | 'š' | 'ş' => "s",
        'ß' => "ss",
        'ť' | 'ţ' => "t",
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::audience::rows::Rows;

    fn read(header: &str) -> Result<Columns> {
        let mut rows = Rows::new(header.as_bytes(), "list.csv");
        let row = rows.next()?.expect("a header");
        Columns::read(&row)
    }

    fn messages(header: &str) -> Vec<String> {
        let error = read(header).unwrap_err();
        let others = error.others().iter().map(ToString::to_string);
        std::iter::once(error.to_string()).chain(others).collect()
    }

    #[test]
    fn titles_become_names_that_templates_know() {
        for (title, name) in [
            ("First Name", "first_name"),
            ("first-name ", "first_name"),
            ("  Prénom (usuel)", "prenom_usuel"),
            ("Straße", "strasse"),
            ("2nd choice", "_2nd_choice"),
            ("名前", "column_3"),
            ("", "column_3"),
        ] {
            assert_eq!(field_name(title, 2), name);
        }
    }

    #[test]
    fn the_column_of_addresses_has_several_names() {
        for header in [
            "Name,Email",
            "name, E-Mail ",
            "name,EMAIL ADDRESS",
            "name,\"e-mail\"",
            "name,E-Mail-Adresse",
        ] {
            let columns = read(header).unwrap();
            assert_eq!(columns.email, 1, "{header}");
            assert_eq!(columns.names, ["name", "email"]);
        }
    }

    #[test]
    fn all_faults_of_a_header_are_told() {
        assert_eq!(
            messages("First Name,first-name,,emial"),
            [
                "list.csv:1:1: no column is called `email`; there are `First Name`, `first-name`, ``, `emial`",
                "list.csv:1:12: the columns `First Name` and `first-name` have the same name in templates, `first_name`",
                "list.csv:1:1: column 3 has no name",
            ]
        );
        assert_eq!(
            read("name,emial").unwrap_err().hints(),
            ["Is `emial` the one that should be called `email`?"]
        );
        assert_eq!(
            messages("email,E-Mail"),
            [
                "list.csv:1:7: the columns `email` and `E-Mail` have the same name in templates, `email`"
            ]
        );
        assert_eq!(
            messages("name,email,name"),
            [
                "list.csv:1:12: the columns `name` and `name` have the same name in templates, `name`"
            ]
        );
    }

    #[test]
    fn other_separators_and_a_missing_header_are_named() {
        assert_eq!(
            messages("email;name"),
            ["list.csv:1:1: the columns are separated by semicolons"]
        );
        assert_eq!(
            messages("email\tname"),
            ["list.csv:1:1: the columns are separated by tabs"]
        );
        assert_eq!(
            messages("ann@example.org,Ann"),
            ["list.csv:1:1: the first row is a person, and should name the columns"]
        );
    }

    proptest! {
        #[test]
        fn a_name_is_always_an_identifier(title in any::<String>()) {
            let name = field_name(&title, 0);
            prop_assert!(name.starts_with(|c: char| c == '_' || c.is_ascii_lowercase()), "{}", name);
            prop_assert!(name.chars().all(|c| c == '_' || c.is_ascii_lowercase() || c.is_ascii_digit()));
        }
    }
}
