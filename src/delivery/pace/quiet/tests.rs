use super::*;

fn end(hours: &str, now: &str) -> Option<String> {
    let hours: QuietHours = hours.parse().unwrap();
    let end = hours.end(now.parse().unwrap());
    end.map(|end| end.to_string())
}

fn begin(hours: &str, now: &str) -> String {
    let hours: QuietHours = hours.parse().unwrap();
    hours.begin(now.parse().unwrap()).unwrap().to_string()
}

#[test]
fn nights_go_over_midnight_and_days_do_not() {
    let night = "22:00-07:00 Europe/Berlin";
    assert_eq!(end(night, "2026-11-23T20:59:59Z"), None);
    assert_eq!(
        end(night, "2026-11-23T21:00:00Z").unwrap(),
        "2026-11-24T06:00:00Z"
    );
    assert_eq!(
        end(night, "2026-11-24T05:59:59Z").unwrap(),
        "2026-11-24T06:00:00Z"
    );
    assert_eq!(end(night, "2026-11-24T06:00:00Z"), None);
    assert_eq!(begin(night, "2026-11-24T06:00:00Z"), "2026-11-24T21:00:00Z");
    let noon = "12:00-13:30 America/New_York";
    assert_eq!(
        end(noon, "2026-07-01T16:00:00Z").unwrap(),
        "2026-07-01T17:30:00Z"
    );
    assert_eq!(end(noon, "2026-07-01T15:59:00Z"), None);
}

#[test]
fn clocks_that_change_change_them() {
    // Forward at 02:00 on 2026-03-29: the night is an hour shorter.
    let night = "22:00-07:00 Europe/Berlin";
    assert_eq!(
        end(night, "2026-03-28T23:00:00Z").unwrap(),
        "2026-03-29T05:00:00Z"
    );
    // Back at 03:00 on 2026-10-25: an hour longer.
    assert_eq!(
        end(night, "2026-10-24T21:00:00Z").unwrap(),
        "2026-10-25T06:00:00Z"
    );
    // 02:30 is not there in March: an hour later is.
    assert_eq!(
        end("22:00-02:30 Europe/Berlin", "2026-03-29T00:59:00Z").unwrap(),
        "2026-03-29T01:30:00Z"
    );
    // In October it comes twice: the first one ends it, and the second does not begin it again.
    assert_eq!(
        end("22:00-02:30 Europe/Berlin", "2026-10-25T00:29:00Z").unwrap(),
        "2026-10-25T00:30:00Z"
    );
    assert_eq!(
        end("22:00-02:30 Europe/Berlin", "2026-10-25T01:15:00Z"),
        None
    );
}

#[test]
fn what_is_written_is_read_and_shown() {
    let hours: QuietHours = " 7:05-24:00  Asia/Kolkata".parse().unwrap();
    assert_eq!(hours.to_string(), "07:05-00:00 Asia/Kolkata");
    for (text, message) in [
        (
            "22:00-22:00 UTC",
            "the quiet hours `22:00-22:00 UTC` end when they begin",
        ),
        (
            "22:00-07:00",
            "`22:00-07:00` are no quiet hours: write them like `22:00-07:00 Europe/Berlin`",
        ),
        (
            "22-7 UTC",
            "`22-7 UTC` are no quiet hours: write them like `22:00-07:00 Europe/Berlin`",
        ),
        (
            "25:00-07:00 UTC",
            "`25:00-07:00 UTC` are no quiet hours: write them like `22:00-07:00 Europe/Berlin`",
        ),
        (
            "22:00-07:00 Berlin",
            "`Berlin` is no place with a time of its own: write one like `Europe/Berlin` or `UTC`",
        ),
    ] {
        assert_eq!(text.parse::<QuietHours>().unwrap_err(), message);
    }
}
