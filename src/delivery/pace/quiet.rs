//! Quiet hours: the part of the day, at some place, in which no mail leaves. Told the time.

use std::{fmt, str::FromStr};

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};

/// From one time of day to another, over midnight where the first is the later one.
#[derive(Clone, Debug, PartialEq)]
pub struct QuietHours {
    from: Time,
    until: Time,
    zone: TimeZone,
}

impl FromStr for QuietHours {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("`{text}` are no quiet hours: write them like `22:00-07:00 Europe/Berlin`");
        let (hours, zone) = text.trim().split_once(' ').ok_or_else(wrong)?;
        let (from, until) = hours.split_once('-').ok_or_else(wrong)?;
        let zone = zone.trim();
        let found = TimeZone::get(zone)
            .map_err(|_| format!("`{zone}` is no place with a time of its own: write one like `Europe/Berlin` or `UTC`"))?;
        let hours = Self {
            from: time_of_day(from).ok_or_else(wrong)?,
            until: time_of_day(until).ok_or_else(wrong)?,
            zone: found,
        };
        if hours.from == hours.until {
            return Err(format!("the quiet hours `{text}` end when they begin"));
        }
        Ok(hours)
    }
}

/// `7:00`, `07:00` or `24:00`, which is the midnight at the end of the day.
fn time_of_day(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':')?;
    let number = |text: &str| match text.len() {
        1 | 2 if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse::<i8>().ok(),
        _ => None,
    };
    let hour = match (number(hour)?, number(minute)?) {
        (24, 0) => 0,
        (hour, _) => hour,
    };
    Time::new(hour, number(minute)?, 0, 0).ok()
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, until, zone } = self;
        let zone = zone.iana_name().unwrap_or("UTC");
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02} {zone}",
            from.hour(),
            from.minute(),
            until.hour(),
            until.minute()
        )
    }
}

impl QuietHours {
    /// When they end, if they are on.
    #[must_use]
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let today = now.to_zoned_datetime(self.zone.clone()).date();
        // Those of yesterday may last until today.
        [today.yesterday().ok(), Some(today)]
            .into_iter()
            .flatten()
            .filter_map(|day| self.of(day))
            .find(|(begin, end)| *begin <= now && now < *end)
            .map(|(_, end)| end)
    }

    /// When they begin next.
    #[must_use]
    pub fn begin(&self, now: Timestamp) -> Option<Timestamp> {
        let today = now.to_zoned_datetime(self.zone.clone()).date();
        [Some(today), today.tomorrow().ok()]
            .into_iter()
            .flatten()
            .filter_map(|day| self.of(day))
            .map(|(begin, _)| begin)
            .find(|begin| *begin > now)
    }

    /// Those that begin on a day. A time that the clocks skip is as much later as they do; of one that
    /// comes twice the first counts.
    fn of(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let moment = |day: Date, time: Time| {
            let moment = day
                .to_datetime(time)
                .to_zoned_datetime(self.zone.clone())
                .ok()?;
            Some(moment.timestamp())
        };
        let last = match self.from < self.until {
            true => day,
            false => day.tomorrow().ok()?,
        };
        Some((moment(day, self.from)?, moment(last, self.until)?))
    }
}

#[cfg(test)]
mod tests;
