use jiff::{SignedDuration, civil::date};
use proptest::prelude::*;

use super::*;

fn schedule(text: &str) -> Schedule {
    Schedule::parse(text).unwrap_or_else(|fault| panic!("{}", fault.error))
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The first slots after a moment, as the clock there shows them.
fn slots(text: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = schedule(text);
    std::iter::successors(schedule.next_after(at(after)), |slot| {
        schedule.next_after(*slot)
    })
    .take(count)
    .map(|slot| schedule.show(slot))
    .collect()
}

/// What is wrong: the part, the message, the hint.
fn fault(text: &str) -> String {
    let Fault { range, error } = Schedule::parse(text).unwrap_err();
    format!(
        "[{}] {} | {}",
        &text[range],
        error.message(),
        error.hints()[0]
    )
}

#[test]
fn days_of_the_week() {
    assert_eq!(
        slots("Mon 08:00 Europe/Berlin", "2026-11-20T00:00:00Z", 2),
        [
            "Mon 2026-11-23 08:00 Europe/Berlin",
            "Mon 2026-11-30 08:00 Europe/Berlin"
        ]
    );
    for same in [
        "monday,thu 8:00 europe/berlin",
        "  Mon ,  Thurs   8:00  Europe/Berlin ",
        "MON,THU 08:00 EUROPE/BERLIN",
    ] {
        assert_eq!(
            slots(same, "2026-11-20T00:00:00Z", 3),
            [
                "Mon 2026-11-23 08:00 Europe/Berlin",
                "Thu 2026-11-26 08:00 Europe/Berlin",
                "Mon 2026-11-30 08:00 Europe/Berlin"
            ]
        );
    }
    // Over the end of the week.
    assert_eq!(
        slots("Sat-Mon,Wed 23:59 UTC", "2026-11-23T23:59:00Z", 4),
        [
            "Wed 2026-11-25 23:59 UTC",
            "Sat 2026-11-28 23:59 UTC",
            "Sun 2026-11-29 23:59 UTC",
            "Mon 2026-11-30 23:59 UTC"
        ]
    );
    assert_eq!(
        slots("daily 0:00 UTC", "2026-11-23T00:00:00Z", 1),
        ["Tue 2026-11-24 00:00 UTC"]
    );
}

#[test]
fn days_of_the_month() {
    assert_eq!(
        slots("1st, 15th 08:00 UTC", "2026-11-23T00:00:00Z", 3),
        [
            "Tue 2026-12-01 08:00 UTC",
            "Tue 2026-12-15 08:00 UTC",
            "Fri 2027-01-01 08:00 UTC"
        ]
    );
    assert_eq!(
        slots("last day 08:00 UTC", "2028-01-31T09:00:00Z", 2),
        ["Tue 2028-02-29 08:00 UTC", "Fri 2028-03-31 08:00 UTC"]
    );
    assert_eq!(
        slots("28 08:00 UTC", "2027-02-01T09:00:00Z", 1),
        ["Sun 2027-02-28 08:00 UTC"]
    );
    assert_eq!(
        slots("last Fri 17:30 UTC", "2026-11-23T00:00:00Z", 2),
        ["Fri 2026-11-27 17:30 UTC", "Fri 2026-12-25 17:30 UTC"]
    );
    assert_eq!(
        slots("first,3rd tuesday 17:30 UTC", "2026-11-23T00:00:00Z", 3),
        [
            "Tue 2026-12-01 17:30 UTC",
            "Tue 2026-12-15 17:30 UTC",
            "Tue 2027-01-05 17:30 UTC"
        ]
    );
}

#[test]
fn bounds_count_on_both_days() {
    let bounded =
        schedule("daily 08:00 UTC").between(Some(date(2026, 11, 23)), Some(date(2026, 11, 24)));
    let [first, last] = ["2026-11-23T08:00:00Z", "2026-11-24T08:00:00Z"].map(at);
    assert_eq!(bounded.next_after(at("2020-01-01T00:00:00Z")), Some(first));
    assert_eq!(bounded.next_after(first), Some(last));
    assert_eq!(bounded.next_after(last), None);
    assert_eq!(bounded.last_at_or_before(at("2026-11-23T07:59:59Z")), None);
    assert_eq!(
        bounded.last_at_or_before(at("2030-01-01T00:00:00Z")),
        Some(last)
    );
    assert_eq!(
        bounded.to_string(),
        "daily 08:00 UTC from 2026-11-23 until 2026-11-24"
    );
}

#[test]
fn a_time_that_is_left_out_is_the_end_of_the_gap() {
    // Forward from 02:00 to 03:00.
    assert_eq!(
        slots("daily 02:30 Europe/Berlin", "2026-03-28T00:00:00Z", 3),
        [
            "Sat 2026-03-28 02:30 Europe/Berlin",
            "Sun 2026-03-29 03:00 Europe/Berlin",
            "Mon 2026-03-30 02:30 Europe/Berlin"
        ]
    );
    // By half an hour, from 02:00 to 02:30.
    assert_eq!(
        slots("daily 02:10 Australia/Lord_Howe", "2026-10-02T20:00:00Z", 2),
        [
            "Sun 2026-10-04 02:30 Australia/Lord_Howe",
            "Mon 2026-10-05 02:10 Australia/Lord_Howe"
        ]
    );
    // At midnight: the day began at one.
    assert_eq!(
        slots("Sun 00:00 America/Sao_Paulo", "2018-10-30T00:00:00Z", 1),
        ["Sun 2018-11-04 01:00 America/Sao_Paulo"]
    );
    // A day that never was.
    assert_eq!(
        slots("daily 08:00 Pacific/Apia", "2011-12-29T00:00:00Z", 3),
        [
            "Thu 2011-12-29 08:00 Pacific/Apia",
            "Sat 2011-12-31 00:00 Pacific/Apia",
            "Sat 2011-12-31 08:00 Pacific/Apia"
        ]
    );
}

#[test]
fn a_time_that_comes_twice_is_a_slot_once() {
    let berlin = schedule("daily 02:30 Europe/Berlin");
    let first = at("2026-10-25T00:30:00Z");
    assert_eq!(berlin.next_after(at("2026-10-24T12:00:00Z")), Some(first));
    // The second half past two, an hour later.
    let second = at("2026-10-25T01:30:00Z");
    assert_eq!(berlin.show(second), berlin.show(first));
    assert_eq!(berlin.last_at_or_before(second), Some(first));
    assert_eq!(berlin.next_after(first), Some(at("2026-10-26T01:30:00Z")));
}

#[test]
fn what_is_wrong_is_told_where_it_is() {
    let faults: Vec<String> = [
        "Mon 08:00",
        "Mon",
        "08:00 Europe/Berlin",
        "Mon 8am Europe/Berlin",
        "Mon 24:00 UTC",
        "Mon 08:00 Europe/Berln",
        "Mon 08:00 +01:00",
        "Mon 08:00 Mars",
        "Mon,Thi 08:00 UTC",
        "Montag 08:00 UTC",
        "whenever 08:00 UTC",
        "2st 08:00 UTC",
        "31st 08:00 UTC",
        "5th Mon 08:00 UTC",
        "1st Mon Tue 08:00 UTC",
        "every Mon 08:00 UTC",
    ]
    .into_iter()
    .map(fault)
    .collect();
    let days = "Write `daily`, days of the week (`Mon`, `Mon,Thu`, `Mon-Fri`), days of the month (`1st`, `1st,15th`, `last day`), or one of its weekdays (`first Mon`, `1st,3rd Thu`, `last Fri`).";
    assert_eq!(
        faults.join("\n"),
        format!(
            "[Mon 08:00] `Mon 08:00` names no time zone | Add where that is: `Mon 08:00 Europe/Berlin`, or `UTC`.
[Mon] `Mon` is no schedule | Write days, a time and a time zone: `Mon 08:00 Europe/Berlin`.
[08:00 Europe/Berlin] `08:00 Europe/Berlin` is no schedule | Write days, a time and a time zone: `Mon 08:00 Europe/Berlin`.
[8am] `8am` is no time of day | Write hours and minutes, up to `23:59`: `Mon 08:00 Europe/Berlin`.
[24:00] `24:00` is no time of day | Write hours and minutes, up to `23:59`: `Mon 08:00 Europe/Berlin`.
[Europe/Berln] there is no time zone `Europe/Berln` | Did you mean `Europe/Berlin`?
[+01:00] there is no time zone `+01:00` | Name a place of the time zone database, such as `Europe/Berlin`, or `UTC`.
[Mars] there is no time zone `Mars` | Name a place of the time zone database, such as `Europe/Berlin`, or `UTC`.
[Mon,Thi] `thi` is no day of the week | {days}
[Montag] `montag` is no day of the week | Did you mean `monday`?
[whenever] `whenever` is no day of the week | {days}
[2st] `2st` is no day of the week | {days}
[31st] not every month has the day `31st` | Write a day up to `28th`, or `last day`.
[5th Mon] not every month has the weekday `5th` | Write `first` to `fourth`, or `last`.
[1st Mon Tue] `mon tue` is no day of the week | {days}
[every Mon] `every Mon` says no days that letterpress knows | {days}"
        )
    );
}

const ZONES: [&str; 10] = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Tehran",
    "Africa/Casablanca",
    "America/St_Johns",
    "Asia/Kathmandu",
];

const DAYS: [&str; 7] = [
    "daily",
    "Mon",
    "Mon-Fri",
    "Tue,Sat",
    "1st,15th",
    "last day",
    "2nd,last Fri",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Ten years of slots, each judged by what the clock on the wall shows, not by how it was found.
    #[test]
    fn slots_are_at_their_time_and_none_is_missing(
        zone in 0..ZONES.len(),
        days in 0..DAYS.len(),
        minutes in prop_oneof![0..24 * 60_i16, 0..180_i16],
        year in 1995..2030_i16,
    ) {
        let (hour, minute) = (minutes / 60, minutes % 60);
        let schedule = schedule(&format!("{} {hour}:{minute:02} {}", DAYS[days], ZONES[zone]));
        let zone = TimeZone::get(ZONES[zone]).unwrap();
        let wall = |moment: Timestamp| zone.to_datetime(moment);
        let time = Time::new(hour.try_into().unwrap(), minute.try_into().unwrap(), 0, 0).unwrap();
        let (first, end) = (date(year, 1, 1), date(year + 10, 1, 1));
        let second = SignedDuration::from_secs(1);

        let mut before = schedule.last_at_or_before(zone.to_timestamp(first.at(0, 0, 0, 0)).unwrap() - second).unwrap();
        for day in days_from_all(first, end).filter(|day| schedule.days.contains(*day)) {
            let slot = schedule.next_after(before).unwrap();
            prop_assert!(slot > before);
            let wanted = day.to_datetime(time);
            if wall(slot) == wanted {
                // The first time that the clock shows it.
                for earlier in [30, 60, 120, 24 * 60] {
                    prop_assert_ne!(wall(slot - SignedDuration::from_mins(earlier)), wanted);
                }
            } else {
                // The clock never shows it, and jumps over it here.
                prop_assert!(wall(slot - second) < wanted && wanted < wall(slot), "{} for {}", wall(slot), wanted);
            }
            prop_assert_eq!(schedule.last_at_or_before(slot), Some(slot));
            prop_assert_eq!(schedule.last_at_or_before(slot - second), Some(before));
            prop_assert_eq!(schedule.next_after(slot - second), Some(slot));
            before = slot;
        }
    }

    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,40}", words in "(mon|1st|last|day|-|,| |08:00|UTC|é){0,8}") {
        let check = |text: &str| if let Err(fault) = Schedule::parse(text) {
            assert!(text.get(fault.range).is_some());
        };
        check(&text);
        check(&words);
        check(&format!("{words} 08:00 UTC"));
    }
}

fn days_from_all(first: Date, end: Date) -> impl Iterator<Item = Date> {
    std::iter::successors(Some(first), |day| day.tomorrow().ok()).take_while(move |day| *day < end)
}
