//! The list, called over: row by row, who an issue goes to and who is left out and why.

use std::collections::BTreeMap;

use super::{campaign::Hashed, project::Project};
use crate::{
    audience::{Detail, Judged, LeftOut, List, People, Recipient, Segment, Suppressions, Value},
    error::Result,
    finding::Finding,
    fs::File,
};

/// The list, open at a row.
pub(super) struct RollCall {
    list: List<Hashed<File>>,
    segment: Segment,
    suppressions: Suppressions,
    /// The hash of the suppressions, if there is such a file.
    suppressions_hash: Option<String>,
    /// A field that holds several entries is there for everyone, be it empty, so that a theme can ask
    /// for topics of a list that has none.
    empty: BTreeMap<String, Value>,
}

/// Who was called, out of which files.
pub(super) struct Roll {
    /// Those who are to be written to.
    pub(super) people: People,
    pub(super) suppressions: Suppressions,
    /// The hashes of the files, all of which were read.
    pub(super) list_hash: String,
    pub(super) suppressions_hash: Option<String>,
}

/// What there is to say of a row.
pub(super) enum Called<'a> {
    /// It is one.
    Row,
    /// Something is odd in it.
    Odd(&'a Finding),
    /// Nothing is sent to it.
    LeftOut(&'a LeftOut),
}

impl RollCall {
    /// Opens the list for a segment.
    pub(super) fn open(project: &Project, segment: Segment) -> Result<Self> {
        let list = project.list(Hashed::new)?;
        let (suppressions, suppressions_hash) = project.suppressions_with_hash()?;
        Ok(Self {
            list,
            segment,
            suppressions,
            suppressions_hash,
            empty: project.empty_fields(),
        })
    }

    /// The same where nobody asks what people's fields are.
    pub(super) fn open_for_addresses(project: &Project, segment: Segment) -> Result<Self> {
        let mut call = Self::open(project, segment)?;
        call.list.tell(match segment {
            Segment::All => Detail::Addresses,
        });
        call.empty.clear();
        Ok(call)
    }

    /// What templates can ask for: the columns of the list, and the fields that hold several entries.
    pub(super) fn columns(&self) -> Vec<String> {
        let columns = self.list.columns().iter();
        columns.chain(self.empty.keys()).cloned().collect()
    }

    /// The next one to write to; `tell` hears of every row on the way.
    pub(super) fn next(&mut self, mut tell: impl FnMut(&Called<'_>)) -> Result<Option<Recipient>> {
        while let Some(Judged { person, warnings }) = self.list.next_row()? {
            tell(&Called::Row);
            for finding in &warnings {
                tell(&Called::Odd(finding));
            }
            let mut person = match person {
                Ok(person) => person,
                Err(row) => {
                    tell(&Called::LeftOut(&row));
                    continue;
                }
            };
            if !self.segment.contains(&person) {
                self.list.leave_out(&person.address);
                continue;
            }
            if let Some(suppression) = self.suppressions.get(&person.address) {
                self.list.leave_out(&person.address);
                tell(&Called::LeftOut(&LeftOut::suppressed(&person, suppression)));
                continue;
            }
            for (name, value) in &self.empty {
                if !person.fields.contains_key(name) {
                    person.fields.insert(name.clone(), value.clone());
                }
            }
            return Ok(Some(person));
        }
        Ok(None)
    }

    /// Those who were called and are to be written to.
    pub(super) fn finish(self) -> Roll {
        let (people, list) = self.list.into_parts();
        Roll {
            people,
            suppressions: self.suppressions,
            list_hash: list.finish(),
            suppressions_hash: self.suppressions_hash,
        }
    }
}
