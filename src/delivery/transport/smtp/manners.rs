//! How much can be said to a relay at once: what it offers is one thing, what it bears another.
//!
//! What was found out holds for the run and for all connections. A relay that does not keep up is told
//! less at a time: first only the envelope of one mail at once, then one command after the other.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How a mail's envelope is said, from the slowest way to the quickest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One command at a time.
    Single,
    /// All commands of an envelope at once.
    Group,
    /// The same, together with the message before it.
    Ahead,
}

/// Whether a form has been seen to work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Proof {
    None,
    /// One connection is trying it.
    Trying,
    Given,
}

/// What is known of a relay.
#[derive(Debug)]
pub(super) struct Manners(Mutex<Known>);

#[derive(Debug)]
struct Known {
    form: Form,
    group: Proof,
    ahead: Proof,
}

impl Manners {
    /// Nothing is known yet.
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Known {
            form: Form::Ahead,
            group: Proof::None,
            ahead: Proof::None,
        })))
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The quickest form that the relay bears, as far as we know.
    pub(super) fn form(&self) -> Form {
        self.known().form
    }

    /// Whether a look ahead would be allowed.
    pub(super) fn allow_ahead(&self) -> bool {
        let known = self.known();
        known.form == Form::Ahead && known.ahead != Proof::Trying
    }

    /// Leave to look ahead. The first time one connection tries it while the others wait with it: what
    /// a relay that only pretends does to a message may leave doubt about it.
    pub(super) fn try_ahead(self: &Arc<Self>) -> Option<Trial> {
        let mut known = self.known();
        match (known.form, known.ahead) {
            (Form::Ahead, Proof::Given) => Some(Trial(None)),
            (Form::Ahead, Proof::None) => {
                known.ahead = Proof::Trying;
                Some(Trial(Some(self.clone())))
            }
            _ => None,
        }
    }

    pub(super) fn has_proof(&self, form: Form) -> bool {
        let known = self.known();
        match form {
            Form::Single => true,
            Form::Group => known.group == Proof::Given,
            Form::Ahead => known.ahead == Proof::Given,
        }
    }

    /// All answers came, and in order.
    pub(super) fn prove(&self, form: Form) {
        let mut known = self.known();
        match form {
            Form::Single => {}
            Form::Group => known.group = Proof::Given,
            Form::Ahead => known.ahead = Proof::Given,
        }
    }

    /// The relay did not bear that form; another connection may have found out already.
    pub(super) fn fall_back(&self, from: Form) {
        let mut known = self.known();
        known.form = match (known.form, from) {
            (Form::Ahead, Form::Ahead) => Form::Group,
            (Form::Ahead | Form::Group, Form::Group) => Form::Single,
            (form, _) => form,
        };
    }
}

/// The first look ahead, as long as nobody knows how it ends. Where that is never found out, another
/// connection may try.
#[derive(Debug)]
pub(super) struct Trial(Option<Arc<Manners>>);

impl Trial {
    pub(super) fn is_first(&self) -> bool {
        self.0.is_some()
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if let Some(manners) = &self.0 {
            let mut known = manners.known();
            if known.ahead == Proof::Trying {
                known.ahead = Proof::None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_connection_tries_first() {
        let manners = Manners::new();
        let trial = manners.try_ahead().unwrap();
        assert!(trial.is_first() && !manners.allow_ahead());
        assert!(manners.try_ahead().is_none());
        // It never found out.
        drop(trial);
        let trial = manners.try_ahead().unwrap();
        manners.prove(Form::Ahead);
        assert!(!manners.try_ahead().unwrap().is_first());
        drop(trial);
        assert!(manners.has_proof(Form::Ahead) && manners.allow_ahead());
    }

    #[test]
    fn a_step_back_is_taken_once() {
        let manners = Manners::new();
        manners.fall_back(Form::Ahead);
        manners.fall_back(Form::Ahead);
        assert_eq!(manners.form(), Form::Group);
        assert!(manners.try_ahead().is_none());
        manners.fall_back(Form::Group);
        manners.fall_back(Form::Ahead);
        assert_eq!(manners.form(), Form::Single);
        // Who cannot take a group cannot take one with a message.
        let manners = Manners::new();
        manners.fall_back(Form::Group);
        assert_eq!(manners.form(), Form::Single);
    }
}
