//! What `send` says of the list: who is left out, and what would go wrong before it does.

use std::collections::BTreeSet;

use super::{campaign::Bundle, project::Audience};
use crate::{
    compose::Edition,
    error::{Error, Result, nearest},
    finding::Severity,
    mail::Merger,
    place::Place,
    ui::Ui,
};

/// Findings shown one by one; the rest is counted.
const SHOWN: usize = 20;

/// The share of bad rows above which the list itself is in doubt, in percent.
const TOO_MANY_BAD: usize = 5;

/// Names everyone who is left out, with line and reason. A list with too many bad rows is refused.
pub(super) fn left_out(ui: Ui, audience: &Audience, list: &str) -> Result<()> {
    for warning in audience.warnings.iter().take(SHOWN) {
        ui.finding(warning);
    }
    for row in audience.left_out.iter().take(SHOWN) {
        ui.finding(&row.finding(list));
    }
    if let Some(more) = audience.left_out.len().checked_sub(SHOWN).filter(|more| *more > 0) {
        ui.status(&format!("… and {more} rows more are left out"));
    }
    let bad = audience
        .left_out
        .iter()
        .filter(|row| row.finding(list).severity == Severity::Error)
        .count();
    if bad * 100 > audience.rows * TOO_MANY_BAD {
        return Err(Error::data(format!(
            "{bad} of {} rows in `{list}` are bad, more than {TOO_MANY_BAD} %",
            audience.rows
        ))
        .hint("So many mean that the file itself went wrong on its way here; look at the rows above."));
    }
    Ok(())
}

/// Every field that the edition asks for is a column of the list.
pub(super) fn fields(edition: &Edition, columns: &[String], list: &str) -> Result<()> {
    let known: BTreeSet<&str> = columns.iter().map(String::as_str).collect();
    let unknown = edition
        .fields
        .iter()
        .filter(|field| !known.contains(field.name.as_str()))
        .map(|field| {
            let error = Error::data(format!("`{list}` has no column `{}`", field.name))
                .at(Place::from(&field.origin));
            match nearest(&field.name, known.iter().copied()) {
                Some(near) => error.hint(format!("Did you mean `subscriber.{near}`?")),
                None => error.hint(format!(
                    "Its columns: {}.",
                    known.iter().copied().collect::<Vec<_>>().join(", ")
                )),
            }
        });
    Error::all(unknown).map_or(Ok(()), Err)
}

/// Merges everyone's mail once, so that what would fail for one reader fails before the first leaves.
pub(super) fn merges(bundle: &Bundle, list: &str) -> Result<()> {
    let merger = Merger::new(&bundle.edition)?;
    let mut errors = Vec::new();
    for recipient in &bundle.recipients {
        let links = bundle.letterhead.links(&recipient.address);
        if let Err(error) = merger.merge(&recipient.fields, &links) {
            errors.push(error.because_of(format!("for {list}:{}", recipient.line)));
        }
    }
    let count = errors.len();
    errors.truncate(SHOWN);
    match Error::all(errors) {
        Some(error) if count > SHOWN => {
            Err(error.hint(format!("{count} readers in all would be without their mail.")))
        }
        Some(error) => Err(error),
        None => Ok(()),
    }
}
