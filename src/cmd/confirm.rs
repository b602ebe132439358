//! Before anything leaves: on a terminal a person types the number of recipients; without one the
//! command line says it.

use jiff::Timestamp;

use super::{
    campaign::Bundle,
    outbox::{Forecast, Outbox},
    project::Project,
};
use crate::{
    cli::SendArgs,
    delivery::pace::Rate,
    error::{Error, Kind, Result},
    finding::Finding,
};

/// Shows what is about to happen, and asks unless the command line has answered.
pub(super) fn confirm(
    args: &SendArgs,
    project: &Project,
    bundle: &Bundle,
    outbox: &Outbox,
    due: u64,
    forecast: &Forecast,
) -> Result<()> {
    let ui = project.ui;
    let rate = outbox.rate(project);
    ui.status(&format!(
        "{}  from {}\n  to {due} recipients by way of {}, at {rate}{}",
        bundle.letterhead.slug,
        bundle.letterhead.from,
        outbox.name(),
        forecast
            .finish
            .map_or_else(|| duration(due, rate), |at| until(project.clock.now(), at))
    ));
    if let Some((late, end)) = forecast.late {
        ui.finding_in_brief(&Finding::warning(
            "too-late",
            format!(
                "about {late} of them will not be sent by {}, and are given up then",
                brief(end)
            ),
        ));
    }
    match args.expect {
        Some(expected) if expected == due => return Ok(()),
        Some(expected) => {
            return Err(Error::data(format!(
                "{due} recipients are due, and {expected} were expected"
            ))
            .hint("Nothing was sent. Look at the list, then say the right number."));
        }
        None if args.yes => return Ok(()),
        None => {}
    }
    if !ui.is_interactive() {
        return Err(Error::new(
            Kind::Usage,
            "there is no terminal to ask for a confirmation",
        )
        .hint(format!(
            "Add `--yes`, or `--expect {due}` to send only while that is the number of recipients."
        )));
    }
    match ui.ask(&format!("Type the number of recipients ({due}) to send:")) {
        Some(answer) if answer == due.to_string() => Ok(()),
        _ => Err(Error::new(Kind::Usage, "not confirmed; nothing was sent")),
    }
}

/// How long it takes with all that holds it up, and when it will be done.
fn until(now: Timestamp, at: Timestamp) -> String {
    let seconds = at.duration_since(now).as_secs_f64();
    match seconds {
        ..120.0 => format!(", about {seconds:.0} s"),
        ..7_200.0 => format!(", about {:.0} min", seconds / 60.0),
        _ => format!(", about {:.1} h, until {}", seconds / 3_600.0, brief(at)),
    }
}

fn brief(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// How long it takes at that rate, in words.
fn duration(due: u64, rate: Rate) -> String {
    let Rate::Per { count, window } = rate else {
        return String::new();
    };
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let seconds = due as f64 * window.as_secs_f64() / f64::from(count);
    if seconds < 120.0 {
        format!(", about {seconds:.0} s")
    } else if seconds < 7_200.0 {
        format!(", about {:.0} min", seconds / 60.0)
    } else {
        format!(", about {:.1} h", seconds / 3_600.0)
    }
}
