//! What a campaign's audience was called from: while the list and the suppressions are, byte for byte,
//! what they were, nobody can have left, and the list need not be called over again.

use std::io::{self, Read};

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};

use super::{VERSION, json, open, parse};
use crate::{
    audience::Segment,
    cmd::{outbox::Outbox, project::Project},
    delivery::{campaign::Freezing, ledger::Campaign},
    error::Result,
    fs,
};

const SHEET: &str = "sheet.json";

/// All that who is called depends on. In a bundle it says: these are all people, and no others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::cmd) struct Sheet {
    /// The version of letterpress that judged the rows.
    letterpress: String,
    segment: String,
    /// Whether addresses that are reserved for examples were refused.
    refuses_reserved: bool,
    /// SHA-256 of the list.
    list: String,
    /// SHA-256 of the suppressions; none when there is no such file.
    suppressions: Option<String>,
}

/// Hashes what goes by.
pub(in crate::cmd) struct Hashed<R> {
    inner: R,
    hash: Context,
}

impl<R> Hashed<R> {
    pub(in crate::cmd) fn new(inner: R) -> Self {
        Self {
            inner,
            hash: Context::new(&SHA256),
        }
    }

    /// The hash of all that went by.
    pub(in crate::cmd) fn finish(self) -> String {
        HEXLOWER.encode(self.hash.finish().as_ref())
    }
}

impl<R: Read> Read for Hashed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(buffer.get(..count).unwrap_or_default());
        Ok(count)
    }
}

impl Sheet {
    pub(in crate::cmd) fn new(
        segment: Segment,
        outbox: &Outbox,
        list: String,
        suppressions: Option<String>,
    ) -> Self {
        Self {
            letterpress: VERSION.to_owned(),
            segment: segment.to_string(),
            refuses_reserved: outbox.refuses_reserved(),
            list,
            suppressions,
        }
    }

    /// That of the files as they are now; `None` when they cannot be read, of which calling the list
    /// over tells.
    pub(in crate::cmd) fn of_files(
        project: &Project,
        segment: Segment,
        outbox: &Outbox,
    ) -> Option<Self> {
        let settings = &project.settings.list;
        let hash = |path: &str| {
            let mut hash = Context::new(&SHA256);
            let read = fs::read_pieces(&project.path(path), |piece| hash.update(piece));
            read.ok().map(|()| HEXLOWER.encode(hash.finish().as_ref()))
        };
        let suppressions = match fs::entry(&project.path(&settings.suppressions)) {
            fs::Entry::Nothing => None,
            _ => Some(hash(&settings.suppressions)?),
        };
        let list = hash(&settings.path)?;
        Some(Self::new(segment, outbox, list, suppressions))
    }

    /// That of a campaign's bundle, where it has one. One that is damaged is none: the list is then
    /// called over, which is always right.
    pub(in crate::cmd) fn of(project: &Project, campaign: &Campaign) -> Result<Option<Self>> {
        let frozen = open(project, campaign)?;
        if frozen.hash_of(SHEET).is_none() {
            return Ok(None);
        }
        Ok(frozen.file(SHEET).and_then(|sheet| parse(&sheet)).ok())
    }

    /// Whether whom it calls are those whom an earlier one called.
    pub(in crate::cmd) fn calls_as(&self, earlier: &Self) -> bool {
        let is_stricter = self.refuses_reserved && !earlier.refuses_reserved;
        let with_its_eyes = Self {
            refuses_reserved: earlier.refuses_reserved,
            ..self.clone()
        };
        !is_stricter && with_its_eyes == *earlier
    }

    /// Adds it to a bundle, whose audience must be exactly whom it calls.
    pub(in crate::cmd) fn freeze(&self, freezing: &mut Freezing) -> Result<()> {
        freezing.add(SHEET, &json(self)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_calls_as_another_when_nothing_differs_that_it_depends_on() {
        let sheet = Sheet {
            letterpress: "1".to_owned(),
            segment: "all".to_owned(),
            refuses_reserved: true,
            list: "a".to_owned(),
            suppressions: None,
        };
        let lenient = Sheet {
            refuses_reserved: false,
            ..sheet.clone()
        };
        assert!(sheet.calls_as(&sheet));
        assert!(lenient.calls_as(&sheet));
        assert!(!sheet.calls_as(&lenient));
        for other in [
            Sheet {
                letterpress: "2".to_owned(),
                ..sheet.clone()
            },
            Sheet {
                segment: "pro".to_owned(),
                ..sheet.clone()
            },
            Sheet {
                list: "b".to_owned(),
                ..sheet.clone()
            },
            Sheet {
                suppressions: Some("c".to_owned()),
                ..sheet.clone()
            },
        ] {
            assert!(!sheet.calls_as(&other) && !other.calls_as(&sheet));
        }
    }

    #[test]
    fn what_goes_by_is_hashed() {
        let mut hashed = Hashed::new(&b"email\n"[..]);
        let mut text = String::new();
        hashed.read_to_string(&mut text).unwrap();
        assert_eq!(text, "email\n");
        assert_eq!(
            hashed.finish(),
            crate::delivery::campaign::sha256(b"email\n")
        );
    }
}
