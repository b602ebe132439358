//! The lines of a frozen file, read by their number: a million of them take no memory, only where each
//! 64th begins.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{error::Result, fs::Pages};

/// Lines between two known places.
const BLOCK: u32 = 64;

/// How many blocks are kept: those that connections are at work on are near one another.
const KEPT: usize = 32;

/// The lines of a frozen file. Threads may share it.
#[derive(Debug)]
pub struct Lines {
    pages: Pages,
    /// Where each block begins, and where the last one ends.
    starts: Vec<u64>,
    count: u32,
    kept: Mutex<VecDeque<(u32, Arc<[u8]>)>>,
}

/// Notes where lines begin, while the file goes by.
#[derive(Debug, Default)]
pub(super) struct Counter {
    starts: Vec<u64>,
    count: u32,
    at: u64,
    begins: Option<u64>,
}

impl Counter {
    pub(super) fn piece(&mut self, piece: &[u8]) {
        let mut from = 0;
        for end in memchr::memchr_iter(b'\n', piece) {
            self.line(self.at + from as u64);
            self.begins = None;
            from = end + 1;
        }
        if from < piece.len() && self.begins.is_none() {
            self.begins = Some(self.at + from as u64);
        }
        self.at += piece.len() as u64;
    }

    /// A line ends that began there, or in an earlier piece.
    fn line(&mut self, begins: u64) {
        if self.count.is_multiple_of(BLOCK) {
            self.starts.push(self.begins.unwrap_or(begins));
        }
        self.count = self.count.saturating_add(1);
    }

    pub(super) fn lines(mut self, pages: Pages) -> Lines {
        if let Some(begins) = self.begins {
            self.line(begins);
        }
        self.starts.push(self.at);
        Lines {
            pages,
            starts: self.starts,
            count: self.count,
            kept: Mutex::default(),
        }
    }
}

impl Lines {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.count
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// A line by its number, without its end; `None` when there are not so many.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn get(&self, number: u32) -> Result<Option<Vec<u8>>> {
        if number >= self.count {
            return Ok(None);
        }
        let block = self.block(number / BLOCK)?;
        let mut lines = block.split(|byte| *byte == b'\n');
        Ok(lines.nth((number % BLOCK) as usize).map(<[u8]>::to_vec))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Result<Vec<u8>>> {
        let blocks = 0..self.count.div_ceil(BLOCK);
        blocks.flat_map(move |number| {
            let (lines, error) = match self.read(number) {
                Ok(block) => (
                    block
                        .strip_suffix(b"\n")
                        .unwrap_or(&block)
                        .split(|byte| *byte == b'\n')
                        .map(|line| Ok(line.to_vec()))
                        .collect(),
                    None,
                ),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            lines.into_iter().chain(error)
        })
    }

    fn block(&self, number: u32) -> Result<Arc<[u8]>> {
        let find = |kept: &VecDeque<(u32, Arc<[u8]>)>| {
            let found = kept.iter().find(|(kept, _)| *kept == number);
            found.map(|(_, block)| Arc::clone(block))
        };
        if let Some(block) = find(&self.kept.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(block);
        }
        let block: Arc<[u8]> = self.read(number)?.into();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        // Another thread may have read it in the meantime.
        if find(&kept).is_none() {
            kept.truncate(KEPT - 1);
            kept.push_front((number, Arc::clone(&block)));
        }
        Ok(block)
    }

    fn read(&self, number: u32) -> Result<Vec<u8>> {
        let place = |at: u32| self.starts.get(at as usize).copied().unwrap_or_default();
        let (from, to) = (place(number), place(number + 1));
        let length = usize::try_from(to.saturating_sub(from)).unwrap_or_default();
        self.pages.read(from, length)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_line_is_found_by_its_number(
            lines in prop::collection::vec("[a-z]{1,9}", 0..200),
            piece in 1_usize..50,
            ended in any::<bool>(),
        ) {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a");
            let mut text = lines.join("\n");
            if ended && !text.is_empty() {
                text.push('\n');
            }
            std::fs::write(&path, &text).unwrap();
            let mut counter = Counter::default();
            text.as_bytes().chunks(piece).for_each(|piece| counter.piece(piece));
            let found = counter.lines(Pages::open(&path).unwrap());
            prop_assert_eq!(found.len() as usize, lines.len());
            let all: Vec<_> = found.iter().map(|line| String::from_utf8(line.unwrap()).unwrap()).collect();
            prop_assert_eq!(&all, &lines);
            for number in (0..found.len()).rev() {
                let line = lines[number as usize].as_bytes();
                let got = found.get(number).unwrap();
                prop_assert_eq!(got.as_deref(), Some(line));
            }
            prop_assert_eq!(found.get(found.len()).unwrap(), None);
        }
    }
}
