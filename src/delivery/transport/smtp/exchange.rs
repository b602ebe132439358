//! One exchange after the other on a connection that stands.
//!
//! With PIPELINING a mail costs one turn (RFC 2920): the envelope of the next mail is said together
//! with a message and its dot, in one write, and its answers are read when that mail is sent. Before
//! the first byte of that mail's message its intent is durable, all answers are in, and there is
//! nothing behind them.

use std::{fmt, sync::Arc, time::Duration};

use super::{
    envelope::{self, RESET, STEPS, Step, stuffed},
    manners::{Form, Manners, Trial},
    reply::{Offer, exchange, hear},
};
use crate::{
    delivery::{
        ledger::Intent,
        outcome::{Asked, Outcome, Reply, Trouble, Verdict, judge, lost},
        stream::{Line, Phase},
        transport::{Connection, Exchange, Next},
    },
    mail::Mail,
};

/// How long the answers to the first look ahead at a relay are waited for: nothing is lost with them.
const TRIAL: Duration = Duration::from_secs(10);

/// A connection to a relay.
pub struct SmtpConnection {
    line: Line,
    offer: Offer,
    manners: Arc<Manners>,
    // How many more messages it may take.
    left: usize,
    fit: Fit,
    // For lines of replies, and for what is said: kept, so that they are not made for each mail.
    heard: Vec<u8>,
    said: Vec<u8>,
}

#[derive(Debug)]
enum Fit {
    Ready,
    /// A transaction was begun and must be taken back first.
    NeedsReset,
    /// The envelope of that row was said; its answers are still to be read.
    Promised(u32, Trial),
    /// In the middle of an exchange, or broken: never to be used again.
    Unusable,
}

impl fmt::Debug for SmtpConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SmtpConnection({:?}, {:?})", self.line, self.fit)
    }
}

impl Connection for SmtpConnection {
    async fn send(
        &mut self,
        seq: u32,
        mail: &Mail,
        intent: Intent,
        next: Option<Next<'_>>,
    ) -> Exchange {
        self.said.clear();
        if self.promised().is_none()
            && let Err(outcome) = envelope::write(&mut self.said, mail, &self.offer)
        {
            return Exchange::Settled(outcome);
        }
        let before = std::mem::replace(&mut self.fit, Fit::Unusable);
        self.left = self.left.saturating_sub(1);
        let (exchange, fit) = match self.exchange(before, seq, mail, intent, next).await {
            Ok(end) | Err(end) => end,
        };
        self.fit = fit;
        exchange
    }

    fn looks_ahead(&self) -> bool {
        // Who tries it first knows how that went before the next message goes.
        let tries = matches!(&self.fit, Fit::Promised(_, trial) if trial.is_first());
        self.offer.pipelining && self.left > 1 && (tries || self.manners.allow_ahead())
    }

    fn promised(&self) -> Option<u32> {
        match self.fit {
            Fit::Promised(seq, _) => Some(seq),
            _ => None,
        }
    }

    fn is_usable(&mut self) -> bool {
        match self.fit {
            // What has come in is most likely the answers; they are looked at when it is sent.
            Fit::Promised(..) => true,
            Fit::Ready | Fit::NeedsReset => self.left > 0 && self.line.is_quiet(),
            Fit::Unusable => false,
        }
    }

    fn is_in_doubt(&self) -> bool {
        matches!(self.fit, Fit::Unusable) && self.line.phase() == Phase::Dot
    }

    async fn close(mut self) {
        // Where a message may be waited for, a goodbye would be taken for its first line.
        if matches!(self.fit, Fit::Ready | Fit::NeedsReset) {
            self.line.enter(Phase::Farewell);
            // The books are closed; whatever it answers changes nothing.
            if self.line.say(b"QUIT\r\n").await.is_ok() {
                let _ = hear(&mut self.line, &mut self.heard).await;
            }
        }
    }
}

/// What came of an exchange, and of the connection. Where it ended before its time that is an error.
type End = (Exchange, Fit);

impl SmtpConnection {
    /// A connection over which `left` messages may go.
    pub(super) fn new(line: Line, offer: Offer, manners: Arc<Manners>, left: usize) -> Self {
        Self {
            line,
            offer,
            manners,
            left,
            fit: Fit::Ready,
            heard: Vec::new(),
            said: Vec::new(),
        }
    }

    async fn exchange(
        &mut self,
        before: Fit,
        seq: u32,
        mail: &Mail,
        intent: Intent,
        next: Option<Next<'_>>,
    ) -> Result<End, End> {
        let form = self.begin(before, seq).await?;
        // The write-ahead promise: from here on the message can be completed.
        if let Err(error) = intent.durable().await {
            return Err((Exchange::Books(error), Fit::Unusable));
        }
        if !self.line.is_quiet() {
            return Err(self.spoke_out_of_turn(form));
        }
        let (body, end) = stuffed(&mail.message);
        let promise = self.promise(next);
        let handed = self.line.hand_over(&body, end, &self.said).await;
        let answer = match handed {
            Ok(()) => hear(&mut self.line, &mut self.heard).await,
            Err(cause) => Err(cause.to_string()),
        };
        let asked = match self.line.phase() {
            Phase::Dot => Asked::Dot,
            _ => Asked::Message,
        };
        let rode = promise.is_some();
        let is_trial = promise.as_ref().is_some_and(|(_, trial)| trial.is_first());
        let fit = promise.map_or(Fit::Ready, |(seq, trial)| Fit::Promised(seq, trial));
        match answer {
            Ok(Reply { code, text }) if asked == Asked::Dot && code / 100 == 2 => {
                Ok((Exchange::Settled(Outcome::Sent { code, reply: text }), fit))
            }
            // It says no to how it was said, and so it has not taken it.
            Ok(reply) if rode && reply.is_about_order() => Err(self.again(Form::Ahead)),
            Ok(reply) => Ok(settle(judge(asked, &reply), fit)),
            Err(why) => {
                if is_trial {
                    self.manners.fall_back(Form::Ahead);
                }
                Err((exchange(lost(asked, why)), Fit::Unusable))
            }
        }
    }

    /// Writes the envelope of the next mail in the place of this one's, if it may go along.
    fn promise(&mut self, next: Option<Next<'_>>) -> Option<(u32, Trial)> {
        self.said.clear();
        let next = next.filter(|_| self.offer.pipelining && self.left > 0)?;
        // What the relay cannot take is told when its turn comes.
        envelope::write(&mut self.said, next.mail, &self.offer).ok()?;
        match self.manners.try_ahead() {
            Some(trial) => Some((next.seq, trial)),
            None => {
                self.said.clear();
                None
            }
        }
    }

    /// Says the envelope, where that is still to be done, and takes all answers: the relay waits for the
    /// message then.
    async fn begin(&mut self, before: Fit, seq: u32) -> Result<Form, End> {
        let reset = match before {
            Fit::Promised(promised, trial) if promised == seq => {
                self.hear_all(Form::Ahead, &STEPS).await?;
                drop(trial);
                return Ok(Form::Ahead);
            }
            Fit::Ready => &[][..],
            Fit::NeedsReset => &[RESET][..],
            Fit::Promised(..) | Fit::Unusable => {
                let why = "another mail was announced".to_owned();
                return Err((Exchange::Trouble(Trouble::Closed(why)), Fit::Unusable));
            }
        };
        if !reset.is_empty() {
            self.said.splice(..0, *b"RSET\r\n");
        }
        let steps = [reset, &STEPS].concat();
        if !self.offer.pipelining || self.manners.form() == Form::Single {
            self.say_each(&steps).await?;
            return Ok(Form::Single);
        }
        self.line.enter(Phase::Sender);
        if let Err(cause) = self.line.say(&self.said).await {
            return Err(self.lost_before_dot(Form::Group, Asked::Sender, cause.to_string()));
        }
        self.hear_all(Form::Group, &steps).await?;
        Ok(Form::Group)
    }

    /// Says one thing after the other, as long as the answer is yes.
    async fn say_each(&mut self, steps: &[Step]) -> Result<(), End> {
        let said = std::mem::take(&mut self.said);
        for (step, command) in steps
            .iter()
            .zip(said.split_inclusive(|byte| *byte == b'\n'))
        {
            self.line.enter(step.phase);
            let answer = match self.line.say(command).await {
                Ok(()) => hear(&mut self.line, &mut self.heard).await,
                Err(cause) => Err(cause.to_string()),
            };
            match answer {
                Ok(reply) if step.yes.contains(&reply.code) => {}
                Ok(reply) => return Err(settle(judge(step.asked, &reply), Fit::NeedsReset)),
                Err(why) => return Err((exchange(lost(step.asked, why)), Fit::Unusable)),
            }
        }
        Ok(())
    }

    /// Takes the answers to everything that was said at once (RFC 2920): one for each command, and always
    /// all of them.
    async fn hear_all(&mut self, form: Form, steps: &[Step]) -> Result<(), End> {
        let hurried = form == Form::Ahead && !self.manners.has_proof(form);
        let mut refusal: Option<Verdict> = None;
        for step in steps {
            self.line.enter(step.phase);
            if hurried {
                self.line.hurry(TRIAL);
            }
            match (hear(&mut self.line, &mut self.heard).await, &refusal) {
                (Ok(reply), None) if step.yes.contains(&reply.code) => {}
                // An answer to something else, or to how it was said.
                (Ok(reply), None) if reply.code < 400 || reply.is_about_order() => {
                    return Err(self.again(form));
                }
                (Ok(reply), None) => {
                    let verdict = judge(step.asked, &reply);
                    if matches!(verdict, Verdict::Run(_)) {
                        return Err((exchange(verdict), Fit::Unusable));
                    }
                    refusal = Some(verdict);
                }
                // What follows a refusal is refused, too. A relay that waits for a message without a
                // recipient is left waiting.
                (Ok(reply), Some(_)) if reply.code >= 500 => {}
                (_, Some(verdict)) => return Err((exchange(verdict.clone()), Fit::Unusable)),
                (Err(why), None) => return Err(self.lost_before_dot(form, step.asked, why)),
            }
        }
        self.manners.prove(form);
        match refusal {
            None => Ok(()),
            Some(verdict) => Err(settle(verdict, Fit::NeedsReset)),
        }
    }

    /// The connection was lost before the message was completed. Where the relay has never borne that
    /// form it may be why.
    fn lost_before_dot(&self, form: Form, asked: Asked, why: String) -> End {
        match self.manners.has_proof(form) {
            true => (exchange(lost(asked, why)), Fit::Unusable),
            false => self.again(form),
        }
    }

    /// Before a message, the relay has said more than it was asked, or has gone.
    fn spoke_out_of_turn(&self, form: Form) -> End {
        let said = self.line.overheard();
        if form == Form::Single || said.is_empty() || said.starts_with(b"421") {
            let why = "the relay went away, or spoke out of turn".to_owned();
            return (exchange(lost(Asked::Message, why)), Fit::Unusable);
        }
        // One answer too many: which of them was that to the envelope?
        self.again(form)
    }

    /// The relay does not bear that form: from now on it is told less at a time.
    fn again(&self, form: Form) -> End {
        self.manners.fall_back(form);
        (Exchange::Again, Fit::Unusable)
    }
}

/// After a definite answer about one mail the connection goes on; after any other it does not.
fn settle(verdict: Verdict, fit: Fit) -> End {
    let fit = match &verdict {
        Verdict::Row(Outcome::Deferred { .. } | Outcome::Failed { .. }) => fit,
        _ => Fit::Unusable,
    };
    (exchange(verdict), fit)
}
