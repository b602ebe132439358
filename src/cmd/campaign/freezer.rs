//! Recipients on their way into the freezer: merged once, each, so that what would fail for one reader
//! fails before the first mail leaves, and written down. Several at a time, in order, and never all.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, sync_channel},
    },
    thread,
};

use super::{
    AUDIENCE, Bundle,
    alike::{Alike, Questions},
};
use crate::{
    audience::Recipient,
    cmd::report::Faults,
    compose::{Edition, Part, Tag},
    delivery::campaign::{Freezing, Stream},
    error::{Error, Result},
    mail::Merger,
};

/// Recipients that are passed on together.
const CHUNK: usize = 256;

/// A chunk that was merged and written down.
struct Proof {
    lines: Vec<u8>,
    faults: Vec<(Error, usize)>,
}

/// Writes an audience into a bundle; says its hash and how many they are.
///
/// # Errors
/// What `next` says, what cannot be written, and every fault that a mail of theirs would have.
pub(in crate::cmd) fn freeze_audience(
    bundle: &Bundle,
    freezing: &mut Freezing,
    list: &str,
    mut next: impl FnMut() -> Result<Option<Recipient>>,
) -> Result<(String, u32)> {
    let merger = Merger::new(&tags_alone(&bundle.edition))?;
    let merger = &merger;
    let questions = Questions::of(&bundle.edition);
    let questions = questions.as_ref();
    let stream = freezing.stream(AUDIENCE)?;
    let hands = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(8);
    thread::scope(|scope| {
        let (work, bench) = sync_channel::<(usize, Vec<Recipient>)>(hands);
        let (done, tray) = sync_channel(hands);
        let bench = Arc::new(Mutex::new(bench));
        for _ in 0..hands {
            // Both ends go with the hands: when the writer has given up, everyone else notices.
            let (bench, done) = (Arc::clone(&bench), done.clone());
            let mut check = Check {
                bundle,
                merger,
                questions,
                alike: Alike::default(),
            };
            scope.spawn(move || {
                while let Ok((number, chunk)) = take(&bench) {
                    if done.send((number, check.proof(&chunk))).is_err() {
                        return;
                    }
                }
            });
        }
        drop((bench, done));
        let writer = scope.spawn(move || write(stream, &tray));

        let (mut total, mut number) = (0_usize, 0);
        let mut fed = Ok(());
        loop {
            let mut chunk = Vec::with_capacity(CHUNK);
            while chunk.len() < CHUNK {
                match next() {
                    Ok(Some(recipient)) => chunk.push(recipient),
                    Ok(None) => break,
                    Err(error) => {
                        fed = Err(error);
                        break;
                    }
                }
            }
            let is_last = chunk.len() < CHUNK;
            total += chunk.len();
            if fed.is_err() || work.send((number, chunk)).is_err() || is_last {
                break;
            }
            number += 1;
        }
        drop(work);
        let written = writer
            .join()
            .unwrap_or_else(|_| Err(Error::bug("a thread that writes the audience broke")));
        fed?;
        let (hash, faults) = written?;
        faults.finish(list, total)?;
        let total = u32::try_from(total)
            .map_err(|_| Error::data("the list has more recipients than a campaign can hold"))?;
        Ok((hash, total))
    })
}

/// An edition without the words between its tags, which are the same for everyone and cannot go wrong:
/// to merge it costs a fraction. The subject keeps them, because it must not be blank.
fn tags_alone(edition: &Edition) -> Edition {
    Edition {
        html: part(&edition.html),
        text: part(&edition.text),
        images: Vec::new(),
        ..edition.clone()
    }
}

fn part(part: &Part) -> Part {
    let codes = part
        .tags
        .iter()
        .filter_map(|tag| Some((tag, part.template.get(tag.range.clone())?)));
    let mut bare = Part::default();
    for (tag, code) in codes {
        // A block that is captured or filtered makes a value of the words in it.
        if ["set", "filter", "macro"]
            .iter()
            .any(|word| code.contains(word))
        {
            return part.clone();
        }
        let start = bare.template.len();
        bare.template.push_str(code);
        bare.tags.push(Tag {
            range: start..bare.template.len(),
            origin: tag.origin.clone(),
        });
        bare.template.push(' ');
    }
    bare
}

fn take<T>(bench: &Mutex<Receiver<T>>) -> Result<T, std::sync::mpsc::RecvError> {
    bench.lock().unwrap_or_else(PoisonError::into_inner).recv()
}

/// One who merges and writes down.
struct Check<'a> {
    bundle: &'a Bundle,
    merger: &'a Merger,
    questions: Option<&'a Questions>,
    alike: Alike,
}

impl Check<'_> {
    fn proof(&mut self, chunk: &[Recipient]) -> Result<Proof> {
        let mut proof = Proof {
            lines: Vec::new(),
            faults: Vec::new(),
        };
        for recipient in chunk {
            if let Some(error) = self.fault(recipient) {
                proof.faults.push((error, recipient.line));
            }
            serde_json::to_writer(&mut proof.lines, recipient)
                .map_err(|cause| Error::bug("cannot freeze").because(&cause))?;
            proof.lines.push(b'\n');
        }
        Ok(proof)
    }

    /// What would go wrong with the mail of one. Who is like somebody with whose mail nothing went
    /// wrong is not merged.
    fn fault(&mut self, recipient: &Recipient) -> Option<Error> {
        let merge = || Faults::of(self.bundle, self.merger, recipient);
        let Some(questions) = self.questions else {
            return merge();
        };
        let mut fault = None;
        self.alike.is_known(questions, recipient, || {
            fault = merge();
            fault.is_none()
        });
        fault
    }
}

/// Writes chunks in the order of their numbers.
fn write(
    mut stream: Stream<'_>,
    tray: &Receiver<(usize, Result<Proof>)>,
) -> Result<(String, Faults)> {
    let mut faults = Faults::default();
    let mut early = BTreeMap::new();
    let mut number = 0;
    while let Ok((at, proof)) = tray.recv() {
        early.insert(at, proof?);
        while let Some(proof) = early.remove(&number) {
            stream.write(&proof.lines)?;
            for (error, line) in proof.faults {
                faults.add(error, line);
            }
            number += 1;
        }
    }
    Ok((stream.finish()?, faults))
}
