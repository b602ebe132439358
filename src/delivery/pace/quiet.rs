//! Quiet hours: the part of the day, at some place, in which no mail leaves. Told the time.

use std::str::FromStr;

use jiff::{Timestamp, civil::Time, tz::TimeZone};

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
        let time = |text: &str| text.parse::<Time>().map_err(|_| wrong());
        let zone = TimeZone::get(zone.trim()).map_err(|_| wrong())?;
        Ok(Self {
            from: time(from)?,
            until: time(until)?,
            zone,
        })
    }
}

impl QuietHours {
    /// When they end, if they are on.
    #[must_use]
    pub fn end(&self, now: Timestamp) -> Option<Timestamp> {
        let here = now.to_zoned_datetime(self.zone.clone());
        let time = here.time();
        let on = match self.from <= self.until {
            true => self.from <= time && time < self.until,
            false => self.from <= time || time < self.until,
        };
        if !on {
            return None;
        }
        let day = match time < self.until {
            true => here.date(),
            false => here.date().tomorrow().ok()?,
        };
        let end = day
            .to_datetime(self.until)
            .to_zoned_datetime(self.zone.clone())
            .ok()?;
        Some(end.timestamp())
    }
}
