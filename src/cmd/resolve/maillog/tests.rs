use super::*;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

const NOW: &str = "2026-11-23T12:00:00Z";

/// A mail server in Berlin: `1` is sent, `2` is bounced later on, of `3` the end never came.
const LOG: &str = "\
Nov 23 09:00:00 mx postfix/smtpd[11]: connect from press[10.0.0.2]
Nov 23 11:00:01 mx postfix/smtpd[11]: 4D1A2B3C4D: client=press[10.0.0.2]
Nov 23 11:00:01 mx postfix/cleanup[12]: 4D1A2B3C4D: message-id=<1@news.example.com>
Nov 23 11:00:01 mx postfix/qmgr[9]: 4D1A2B3C4D: from=<b@news.example.com>, size=2210, nrcpt=1 (queue active)
Nov 23 11:00:02 mx postfix/smtp[13]: 4D1A2B3C4D: to=<ada@example.com>, relay=mx.example.com[192.0.2.1]:25, delay=0.9, dsn=2.0.0, status=sent (250 ok)
Nov 23 11:00:02 mx postfix/qmgr[9]: 4D1A2B3C4D: removed
Nov 23 11:00:03 mx postfix-out/submission/cleanup[12]: 5D1A2B3C4E: message-id=<2@news.example.com>
Nov 23 11:00:03 mx postfix/smtp[13]: 5D1A2B3C4E: to=<ben@example.org>, relay=none, delay=0.9, dsn=5.1.1, status=bounced (no such user)
Nov 23 11:00:04 mx postfix/cleanup[12]: 6D1A2B3C4F: message-id=<3@news.example.com>
Nov 23 11:00:04 mx postfix/smtpd[11]: lost connection after DATA (1200 bytes) from press[10.0.0.2]
Nov 23 11:00:05 mx dovecot: imap(ada): Disconnected
Nov 23 11:00:05 mx postfix/cleanup[12]: 6D1A2B3C4F: message-id=<somebody@example.net>
Nov 23 11:00:05 mx postfix/qmgr[9]: 6D1A2B3C4F: from=<x@example.net>, size=10, nrcpt=1 (queue active)
Nov 23 11:30:00 mx postfix/anvil[14]: statistics: max connection rate 1/60s for (smtp:10.0.0.2)
";

fn log(text: &str) -> MailLog {
    let ours = |id: &str| id.ends_with("@news.example.com");
    MailLog::read(text.as_bytes(), "mail.log", ours, time(NOW)).unwrap()
}

fn compared() -> MailLog {
    let mut log = log(LOG);
    // By our books, in UTC.
    log.compare([("1@news.example.com", time("2026-11-23T10:00:01Z"))].into_iter());
    log
}

fn fate(log: &MailLog, id: &str, at: &str) -> Fate {
    let id = format!("{id}@news.example.com");
    log.fate(&id, time(at), time("2026-11-23T09:59:00Z"))
}

#[test]
fn a_mail_is_taken_when_its_queue_file_is() {
    let log = compared();
    let at = "2026-11-23T10:00:04Z";
    assert_eq!(fate(&log, "1", at), Fate::Taken("4D1A2B3C4D".to_owned()));
    assert_eq!(fate(&log, "2", at), Fate::Taken("5D1A2B3C4E".to_owned()));
    // The queue id was used again, for somebody else's mail.
    assert_eq!(fate(&log, "3", at), Fate::Begun("6D1A2B3C4F".to_owned()));
    assert_eq!(fate(&log, "4", at), Fate::Absent);
}

#[test]
fn only_a_log_that_covers_the_attempt_can_tell_that_a_mail_is_not_in_it() {
    let log = compared();
    assert_eq!(log.ahead, Some(3600));
    // The last line is of 10:30, as our clock has it.
    assert_eq!(fate(&log, "4", "2026-11-23T10:28:59Z"), Fate::Absent);
    assert_eq!(
        fate(&log, "4", "2026-11-23T10:29:30Z"),
        Fate::Unsaid("the log ends too soon after it was tried")
    );
    let early = time("2026-11-23T07:00:00Z");
    assert_eq!(
        log.fate("4@news.example.com", time("2026-11-23T08:05:00Z"), early),
        Fate::Unsaid("the log begins after it was tried")
    );
}

#[test]
fn the_log_of_another_relay_says_nothing_of_who_is_not_in_it() {
    let mut log = log(LOG);
    log.compare([("9@news.example.com", time(NOW))].into_iter());
    assert!(!log.is_compared());
    assert_eq!(
        fate(&log, "4", "2026-11-23T10:00:04Z"),
        Fate::Unsaid("the log knows no other mail of this campaign")
    );
}

#[test]
fn times_are_read_with_and_without_a_year_and_a_zone() {
    for (text, at) in [
        ("Nov 23 11:00:01 mx", "2026-11-23T11:00:01Z"),
        ("Nov  3 11:00:01 mx", "2026-11-03T11:00:01Z"),
        // A clock in Auckland is ahead.
        ("Nov 24 01:00:00 mx", "2026-11-24T01:00:00Z"),
        ("Dec 31 23:59:60 mx", "2025-12-31T23:59:59Z"),
        ("Feb 29 00:00:00 mx", "2024-02-29T00:00:00Z"),
        (
            "2026-11-23T11:00:01.123456+01:00 mx",
            "2026-11-23T10:00:01.123456Z",
        ),
        ("2026-11-23T11:00:01Z mx", "2026-11-23T11:00:01Z"),
    ] {
        assert_eq!(stamp(text, time(NOW)), Some((time(at), "mx")), "{text}");
    }
    for text in [
        "",
        "Nov",
        "Nov 23",
        "Nov 99 11:00:01 mx",
        "Nov 23 11:00 mx",
        "noT a time",
    ] {
        assert_eq!(stamp(text, time(NOW)), None, "{text}");
    }
}

#[test]
fn another_file_is_no_log() {
    let read = |text: &[u8]| MailLog::read(text, "x.log", |_| true, time(NOW)).map(|_| ());
    for text in [
        b"".as_slice(),
        b"\xff\xfe\n\n",
        b"Nov 23 11:00:01 mx sshd[1]: Accepted key for ada\n",
    ] {
        let error = read(text).unwrap_err();
        assert_eq!(error.message(), "there is no line of Postfix in `x.log`");
    }
}

proptest::proptest! {
    #[test]
    fn nothing_in_a_log_breaks_its_reader(text in "(Nov 23 11:00:01 [a-z/:\\[\\] é]{0,30}\n|.{0,40}\n){0,8}") {
        let _ = MailLog::read(text.as_bytes(), "x.log", |_| true, time(NOW));
    }
}
