use super::*;

const HOUR: Duration = Duration::from_secs(3600);

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn weekly() -> Timed {
    recurring("weekly", "Mon 08:00 Europe/Berlin")
}

fn recurring(slug: &str, every: &str) -> Timed {
    Timed {
        slug: slug.to_owned(),
        timing: Timing {
            every: Some(Schedule::parse(every).unwrap()),
            ..Timing::default()
        },
    }
}

fn once(slug: &str, send_at: &str) -> Timed {
    Timed {
        slug: slug.to_owned(),
        timing: Timing {
            send_at: Some(at(send_at)),
            ..Timing::default()
        },
    }
}

/// What the books say, line by line:
/// `campaign SLUG SLOT STATE [has-work]`, `run SLUG SLOT begun|missed`, `NOTE = VALUE`.
fn books(lines: &str) -> Known {
    let mut known = Known::default();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some((name, value)) = line.split_once(" = ") {
            known.notes.insert(name.to_owned(), value.to_owned());
            continue;
        }
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["campaign", slug, slot, state, rest @ ..] => known.campaigns.push(Standing {
                slug: (*slug).to_owned(),
                slot: (*slot != "-").then(|| at(slot)),
                state: match *state {
                    "scheduled" => CampaignState::Scheduled,
                    "running" => CampaignState::Running,
                    "interrupted" => CampaignState::Interrupted,
                    "paused" => CampaignState::Paused("by hand".to_owned()),
                    "complete" => CampaignState::Complete,
                    "cancelled" => CampaignState::Cancelled,
                    other => panic!("{other}"),
                },
                created_at: at("2026-11-01T00:00:00Z"),
                has_work: rest == ["has-work"],
            }),
            ["run", slug, slot, state] => {
                let runs = known.runs.entry((*slug).to_owned()).or_default();
                runs.push(Run {
                    slot: at(slot),
                    state: match *state {
                        "begun" => RunState::Begun,
                        _ => RunState::Missed,
                    },
                });
            }
            _ => panic!("{line}"),
        }
    }
    known
}

/// The steps, a word and what they are about.
fn steps_within(issues: &[Timed], known: &Known, limits: Limits, now: &str) -> Vec<String> {
    let about = |slug: &str, slot: Option<Timestamp>| match slot {
        Some(slot) => format!("{slug} {slot}"),
        None => slug.to_owned(),
    };
    plan(issues, known, &limits, at(now))
        .into_iter()
        .map(|step| match step {
            Step::See { slug, schedule } => format!("see {slug}: {schedule}"),
            Step::Passed { slug, slot, next } => {
                let next = next.map(|next| next.to_string()).unwrap_or_default();
                format!("passed {slug} {slot}, next {next}")
            }
            Step::Owe { slug, at } => format!("owe {slug} {at}"),
            Step::Miss { slug, at, .. } => format!("miss {slug} {at}"),
            Step::Paused { slug, slot, reason } => {
                format!("paused {}: {reason}", about(&slug, slot))
            }
            Step::Wait { code } => format!("wait {code}"),
            Step::Send { slug, slot } => format!("send {}", about(&slug, slot)),
        })
        .collect()
}

const LIMITS: Limits = Limits {
    max_delay: Duration::from_secs(12 * 3600),
    deliver_by: Duration::from_secs(24 * 3600),
    is_quiet: false,
};

fn steps(issues: &[Timed], known: &Known, now: &str) -> Vec<String> {
    steps_within(issues, known, LIMITS, now)
}

/// Books in which the schedule of `weekly` has been known for long.
fn old(lines: &str) -> Known {
    let seen = "schedule weekly = 2026-01-01T00:00:00Z Mon 08:00 Europe/Berlin\n";
    books(&format!("{seen}{lines}"))
}

/// Nothing to do.
const NOTHING: [&str; 0] = [];

/// Monday at eight, in Berlin.
const SLOT: &str = "2026-11-23T07:00:00Z";

#[test]
fn an_issue_without_a_time_is_no_business_of_cron() {
    assert_eq!(steps(&[], &Known::default(), SLOT), NOTHING);
    // Somebody was asked whether to send it, and has not said yes.
    let asked = books("campaign letter - scheduled has-work");
    assert_eq!(steps(&[], &asked, SLOT), NOTHING);
}

#[test]
fn a_slot_is_sent_when_it_has_come_and_not_before() {
    let known = old("");
    let now = |now| steps(&[weekly()], &known, now);
    // A week after the slot before, which nobody was there for, but that was told then.
    let before = old("run weekly 2026-11-16T07:00:00Z missed");
    assert_eq!(steps(&[weekly()], &before, "2026-11-23T06:59:59Z"), NOTHING);
    let due = [format!("owe weekly {SLOT}"), format!("send weekly {SLOT}")];
    assert_eq!(now(SLOT), due);
    assert_eq!(now("2026-11-23T07:01:00Z"), due);
    // The machine was off: caught up.
    assert_eq!(now("2026-11-23T19:00:00Z"), due);
    // Too late, which is said once.
    assert_eq!(now("2026-11-23T19:00:01Z"), [format!("miss weekly {SLOT}")]);
    let told = old(&format!("run weekly {SLOT} missed"));
    assert_eq!(steps(&[weekly()], &told, "2026-11-23T19:01:00Z"), NOTHING);
}

#[test]
fn after_weeks_the_last_slot_alone_is_caught_up() {
    let known = old("campaign weekly 2026-09-07T06:00:00Z complete");
    assert_eq!(
        steps(&[weekly()], &known, "2026-11-23T09:00:00Z"),
        [format!("owe weekly {SLOT}"), format!("send weekly {SLOT}")]
    );
}

#[test]
fn a_slot_is_sent_once() {
    for state in ["complete", "cancelled", "interrupted"] {
        let known = old(&format!("campaign weekly {SLOT} {state}"));
        assert_eq!(steps(&[weekly()], &known, "2026-11-23T07:05:00Z"), NOTHING);
    }
}

#[test]
fn what_was_seen_in_time_is_owed_although_it_is_late() {
    // It could not be composed, say, or another issue took all day.
    let known = old(&format!("run weekly {SLOT} begun"));
    let now = |now| steps(&[weekly()], &known, now);
    assert_eq!(now("2026-11-24T07:00:00Z"), [format!("send weekly {SLOT}")]);
    // No news any more.
    assert_eq!(now("2026-11-24T07:00:01Z"), NOTHING);
}

#[test]
fn what_is_unfinished_goes_on_in_the_order_of_its_time() {
    let known = old(&format!(
        "campaign weekly {SLOT} interrupted has-work
         campaign weekly 2026-11-16T07:00:00Z running
         campaign letter - interrupted has-work
         campaign waits - interrupted"
    ));
    // Begun by hand, without any time in its file; an early slot; a late one; a new issue.
    assert_eq!(
        steps(
            &[
                weekly(),
                once("news", "2026-11-20T00:00:00Z"),
                once("soon", "2026-11-23T08:00:00Z")
            ],
            &known,
            "2026-11-23T08:00:00Z"
        ),
        [
            "miss news 2026-11-20T00:00:00Z".to_owned(),
            "owe soon 2026-11-23T08:00:00Z".to_owned(),
            "send letter".to_owned(),
            "send weekly 2026-11-16T07:00:00Z".to_owned(),
            format!("send weekly {SLOT}"),
            "send soon".to_owned(),
        ]
    );
}

#[test]
fn a_pause_is_said_once() {
    let paused = "campaign letter - paused\n";
    assert_eq!(steps(&[], &books(paused), SLOT), ["paused letter: by hand"]);
    let said = books(&format!("{paused}paused letter = by hand"));
    assert_eq!(steps(&[], &said, SLOT), NOTHING);
    // Paused anew, for another reason.
    let said = books(&format!("{paused}paused letter = too many failures"));
    assert_eq!(steps(&[], &said, SLOT), ["paused letter: by hand"]);
    // The slot after a paused one is another campaign.
    let known = old(
        "campaign weekly 2026-11-16T07:00:00Z paused\npaused weekly@2026-11-16T07:00:00Z = by hand",
    );
    assert_eq!(
        steps(&[weekly()], &known, SLOT),
        [format!("owe weekly {SLOT}"), format!("send weekly {SLOT}")]
    );
}

#[test]
fn an_issue_that_is_new_has_no_past() {
    let see = "see weekly: Mon 08:00 Europe/Berlin".to_owned();
    let now = |now| steps(&[weekly()], &Known::default(), now);
    // Long after its last slot.
    assert_eq!(now("2026-11-25T00:00:00Z"), std::slice::from_ref(&see));
    // It would have been caught up: said, as it might have been meant.
    assert_eq!(
        now("2026-11-23T09:00:00Z"),
        [
            see.clone(),
            format!("passed weekly {SLOT}, next 2026-11-30T07:00:00Z")
        ]
    );
    let seen = books("schedule weekly = 2026-11-23T09:00:00Z Mon 08:00 Europe/Berlin");
    assert_eq!(steps(&[weekly()], &seen, "2026-11-23T09:01:00Z"), NOTHING);
    assert_eq!(
        steps(&[weekly()], &seen, "2026-11-30T07:00:00Z"),
        [
            "owe weekly 2026-11-30T07:00:00Z",
            "send weekly 2026-11-30T07:00:00Z"
        ]
    );
    // Saved a minute before its time, and cron comes round every five.
    assert_eq!(
        now("2026-11-23T07:05:00Z"),
        [
            see,
            format!("owe weekly {SLOT}"),
            format!("send weekly {SLOT}")
        ]
    );
}

#[test]
fn a_changed_schedule_begins_anew() {
    let known = old("");
    let changed = recurring("weekly", "Mon 09:00 Europe/Berlin");
    assert_eq!(
        steps(&[changed], &known, "2026-11-23T10:00:00Z"),
        [
            "see weekly: Mon 09:00 Europe/Berlin",
            "passed weekly 2026-11-23T08:00:00Z, next 2026-11-30T08:00:00Z"
        ]
    );
}

#[test]
fn an_hour_later_on_the_same_day_is_not_a_second_issue() {
    let known = books(&format!(
        "campaign weekly {SLOT} complete
         schedule weekly = 2026-11-23T07:30:00Z Mon 09:00 Europe/Berlin"
    ));
    let changed = recurring("weekly", "Mon 09:00 Europe/Berlin");
    assert_eq!(steps(&[changed], &known, "2026-11-23T08:00:00Z"), NOTHING);
}

#[test]
fn a_clock_that_is_set_back_repeats_nothing() {
    let known = old(&format!("campaign weekly {SLOT} complete"));
    // A week back: the slot before this one was never sent, and is not sent now.
    assert_eq!(steps(&[weekly()], &known, "2026-11-16T07:00:00Z"), NOTHING);
    let known = old(&format!("run weekly {SLOT} missed"));
    assert_eq!(steps(&[weekly()], &known, "2026-11-16T07:00:00Z"), NOTHING);
}

#[test]
fn daylight_saving_neither_doubles_nor_drops_a_slot() {
    let daily = recurring("daily", "daily 02:30 Europe/Berlin");
    let seen = "schedule daily = 2026-01-01T00:00:00Z daily 02:30 Europe/Berlin\n";
    // In autumn half past two comes twice.
    let first = "2026-10-25T00:30:00Z";
    assert_eq!(
        steps(std::slice::from_ref(&daily), &books(seen), first),
        [format!("owe daily {first}"), format!("send daily {first}")]
    );
    let sent = books(&format!("{seen}campaign daily {first} complete"));
    assert_eq!(
        steps(std::slice::from_ref(&daily), &sent, "2026-10-25T01:30:00Z"),
        NOTHING
    );
    // In spring it never comes: three o'clock it is.
    let gap = "2026-03-29T01:00:00Z";
    let before = books(&format!(
        "{seen}campaign daily 2026-03-28T01:30:00Z complete"
    ));
    assert_eq!(
        steps(
            std::slice::from_ref(&daily),
            &before,
            "2026-03-29T00:59:59Z"
        ),
        NOTHING
    );
    assert_eq!(
        steps(&[daily], &before, gap),
        [format!("owe daily {gap}"), format!("send daily {gap}")]
    );
}

#[test]
fn an_issue_that_goes_out_once() {
    let news = || once("news", SLOT);
    let now = |known: &str, now| steps(&[news()], &books(known), now);
    assert_eq!(now("", "2026-11-23T06:59:59Z"), NOTHING);
    let due = [format!("owe news {SLOT}"), "send news".to_owned()];
    assert_eq!(now("", SLOT), due);
    assert_eq!(now("", "2026-11-23T19:00:00Z"), due);
    assert_eq!(
        now("", "2026-11-23T20:00:00Z"),
        [format!("miss news {SLOT}")]
    );
    assert_eq!(
        now(&format!("run news {SLOT} missed"), "2026-11-23T20:00:00Z"),
        NOTHING
    );
    for state in ["complete", "cancelled"] {
        assert_eq!(
            now(&format!("campaign news - {state}"), "2027-01-01T00:00:00Z"),
            NOTHING
        );
    }
    // Entered by hand and not confirmed: its time counts.
    assert_eq!(now("campaign news - scheduled", SLOT), due);
    // Begun by hand, before its time.
    assert_eq!(
        now(
            "campaign news - interrupted has-work",
            "2026-11-22T00:00:00Z"
        ),
        ["send news"]
    );
    assert_eq!(
        now("campaign news - interrupted has-work", SLOT),
        ["send news"]
    );
    // Given another time after it was missed.
    let later = once("news", "2026-11-24T07:00:00Z");
    let missed = books(&format!("run news {SLOT} missed"));
    assert_eq!(
        steps(&[later], &missed, "2026-11-24T07:00:00Z"),
        ["owe news 2026-11-24T07:00:00Z", "send news"]
    );
}

#[test]
fn an_issue_may_have_its_own_patience() {
    let mut news = once("news", SLOT);
    news.timing.max_delay = Some(HOUR);
    assert_eq!(
        steps(&[news], &Known::default(), "2026-11-23T08:00:01Z"),
        [format!("miss news {SLOT}")]
    );
}

#[test]
fn in_quiet_hours_slots_are_owed_and_nothing_leaves() {
    let quiet = Limits {
        is_quiet: true,
        ..LIMITS
    };
    let known = old("campaign letter - interrupted has-work");
    assert_eq!(
        steps_within(&[weekly()], &known, quiet, SLOT),
        [format!("owe weekly {SLOT}")]
    );
}

#[test]
fn what_did_not_go_well_waits_with_its_exit_code() {
    let wait = |until: &str| {
        let known = old(&format!(
            "run weekly {SLOT} begun\nlater weekly@{SLOT} = {until} 65"
        ));
        steps(&[weekly()], &known, "2026-11-23T07:10:00Z")
    };
    let send = [format!("send weekly {SLOT}")];
    assert_eq!(wait("2026-11-23T07:15:00Z"), ["wait 65"]);
    assert_eq!(wait("2026-11-23T07:10:00Z"), send);
    // Noted before the clock was set back.
    assert_eq!(wait("2026-11-24T07:00:00Z"), send);
    assert_eq!(wait("nonsense"), send);
}

mod minutes {
    //! Whole months, minute by minute, with machines that are off and clocks that jump.

    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    /// Does what a plan says, as `send --due` does; all goes well.
    fn perform(known: &mut Known, steps: Vec<Step>, now: Timestamp, sent: &mut Vec<Timestamp>) {
        for step in steps {
            match step {
                Step::See { slug, schedule } => {
                    let noted = seen(&schedule, now);
                    known.notes.insert(note("schedule", &slug, None), noted);
                }
                Step::Owe { slug, at } | Step::Miss { slug, at, .. } => {
                    let runs = known.runs.entry(slug).or_default();
                    runs.push(Run {
                        slot: at,
                        state: RunState::Missed,
                    });
                }
                Step::Send { slug, slot } => {
                    sent.extend(slot);
                    known.campaigns.push(Standing {
                        slug,
                        slot,
                        state: CampaignState::Complete,
                        created_at: now,
                        has_work: false,
                    });
                }
                other => panic!("{other:?}"),
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn each_slot_is_sent_once_or_was_out_of_reach(
            // How long cron does not come round, in minutes, again and again; now and then backwards.
            gaps in proptest::collection::vec(
                prop_oneof![8 => 1..10_i64, 1 => 60..3_000_i64, 1 => -3_000..0_i64], 1..200),
        ) {
            let issue = recurring("daily", "daily 02:30 Europe/Berlin");
            let schedule = issue.timing.every.clone().unwrap();
            let mut known = books("schedule daily = 2026-01-01T00:00:00Z daily 02:30 Europe/Berlin");
            let mut sent = Vec::new();
            let mut now = at("2026-10-20T00:00:00Z");
            let mut reached = BTreeSet::new();
            let mut latest = None;
            for gap in gaps {
                now += SignedDuration::from_mins(gap);
                let due = schedule.last_at_or_before(now).unwrap();
                if latest.is_none_or(|latest| due > latest) {
                    latest = Some(due);
                    if now.duration_since(due) <= SignedDuration::from_hours(12) {
                        reached.insert(due);
                    }
                }
                let steps = plan(std::slice::from_ref(&issue), &known, &LIMITS, now);
                perform(&mut known, steps, now, &mut sent);
            }
            let once: BTreeSet<Timestamp> = sent.iter().copied().collect();
            prop_assert_eq!(once.len(), sent.len());
            prop_assert_eq!(once, reached);
        }
    }
}
