//! The mails that are due, without those who were suppressed since: they are looked for before each.

use std::{
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{
    audience::{Address, Suppressions},
    cmd::{campaign::Press, project::Project},
    delivery::{Mails, ledger::SUPPRESSED},
    error::Result,
    fs,
    mail::Mail,
};

/// A campaign's mails, without those who were suppressed since it was frozen.
pub(super) struct Due {
    press: Press,
    suppressed: Suppressed,
}

impl Due {
    pub(super) fn new(press: Press, project: &Project) -> Result<Self> {
        Ok(Self {
            press,
            suppressed: Suppressed::new(project)?,
        })
    }
}

impl Mails for Due {
    fn mail(&self, seq: u32) -> Result<Mail> {
        self.press.mail(seq)
    }

    fn skip(&self, seq: u32) -> Option<String> {
        let address = self.press.address(seq)?;
        self.suppressed.reason(&address)
    }

    fn domain(&self, seq: u32) -> Option<String> {
        let address = self.press.address(seq)?;
        Some(address.domain().to_owned())
    }
}

/// The suppressions, read again while a long send is under way.
struct Suppressed {
    path: PathBuf,
    name: String,
    known: Mutex<Known>,
}

struct Known {
    looked: Instant,
    stamp: Option<fs::Stamp>,
    suppressions: Suppressions,
}

/// How old what we know may be: nobody is written to who was suppressed a second before.
const FRESH: Duration = Duration::from_millis(500);

impl Suppressed {
    fn new(project: &Project) -> Result<Self> {
        let name = project.settings.list.suppressions.clone();
        let path = project.path(&name);
        Ok(Self {
            known: Mutex::new(Known {
                looked: Instant::now(),
                stamp: fs::stamp(&path),
                suppressions: project.suppressions()?,
            }),
            path,
            name,
        })
    }

    fn reason(&self, address: &Address) -> Option<String> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.looked.elapsed() > FRESH {
            known.looked = Instant::now();
            let stamp = fs::stamp(&self.path);
            // A file that cannot be read just now is being written: what we know stays, and as its
            // stamp does, too, the next look reads it again.
            if stamp != known.stamp
                && let Ok(suppressions) =
                    fs::open(&self.path).and_then(|file| Suppressions::load(file, &self.name))
            {
                // Who was suppressed stays so for this run: a file that is written in place is empty
                // for a moment, and that moment must not let anybody through.
                known.suppressions.add(suppressions);
                known.stamp = stamp;
            }
        }
        known.suppressions.get(address).map(|found| {
            let reason = found.reason.as_deref().unwrap_or("suppressed");
            format!("{SUPPRESSED}{reason}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fs::Access;

    #[test]
    fn a_file_of_suppressions_that_is_just_being_written_lets_nobody_through() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("suppressions.csv");
        let ada = Address::parse("ada@example.com").unwrap();
        let ben = Address::parse("ben@example.org").unwrap();
        let suppressed = Suppressed {
            name: "suppressions.csv".to_owned(),
            path: path.clone(),
            known: Mutex::new(Known {
                looked: Instant::now(),
                stamp: None,
                suppressions: Suppressions::empty(),
            }),
        };
        let look = |content: &str| {
            fs::write(&path, content.as_bytes(), Access::Shared).unwrap();
            // As if the last look had been a while ago.
            suppressed.known.lock().unwrap().looked -= 2 * FRESH;
            (suppressed.reason(&ada), suppressed.reason(&ben))
        };
        let out = |reason: &str| Some(format!("suppressed: {reason}"));
        assert_eq!(
            look("email,reason\nada@example.com,left\n"),
            (out("left"), None)
        );
        assert_eq!(look(""), (out("left"), None));
        assert_eq!(
            look("email,reason\nben@example.org,gone\n"),
            (out("left"), out("gone"))
        );
    }
}
