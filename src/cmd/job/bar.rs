//! How far a send is, on the terminal.

use std::sync::{Mutex, PoisonError};

use indicatif::ProgressBar;

use crate::{
    delivery::{Progress, ledger::Counts},
    ui::Ui,
};

/// The progress bar, moved by the books. Trouble with the relay is said above it, once while it is the
/// same.
pub(in crate::cmd) struct Bar {
    bar: ProgressBar,
    ui: Ui,
    said: Mutex<String>,
}

impl Bar {
    pub(in crate::cmd) fn new(bar: ProgressBar, ui: Ui) -> Self {
        Self {
            bar,
            ui,
            said: Mutex::default(),
        }
    }
}

impl Progress for Bar {
    fn expected(&self, finish: Option<jiff::Timestamp>) {
        let words = finish.map(|at| at.strftime("until %H:%M UTC").to_string());
        self.bar.set_message(words.unwrap_or_default());
    }

    fn settled(&self, counts: &Counts) {
        self.bar.set_position(counts.settled());
        let trouble = counts.deferred + counts.failed + counts.unknown;
        if trouble > 0 {
            self.bar.set_message(format!(
                "{} deferred, {} failed, {} unknown",
                counts.deferred, counts.failed, counts.unknown
            ));
        }
    }

    fn trouble(&self, why: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if *said != why {
            why.clone_into(&mut said);
            self.bar
                .suspend(|| self.ui.status(&format!("{why}; trying again")));
        }
    }
}
