//! The two spellings of an instant in signed requests: `20150830T123600Z` and RFC 9110's date.
//!
//! Invariant: one instant has one spelling in each form; months, days and hours that do not exist
//! are refused. The calendar is written out here since this ring has no date library and needs
//! forty lines of one. Source: days from civil, H. Hinnant, "chrono-compatible low-level date
//! algorithms".

const DAY_SECONDS: i64 = 86_400;
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `YYYYMMDDTHHMMSSZ` for `unix_seconds`, which lies in the years 0 to 9999.
#[must_use]
pub fn amz_date(unix_seconds: i64) -> String {
    let (year, month, day) = civil(unix_seconds.div_euclid(DAY_SECONDS));
    let second = unix_seconds.rem_euclid(DAY_SECONDS);
    let (h, m, s) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{h:02}{m:02}{s:02}Z")
}

/// Reads `YYYYMMDDTHHMMSSZ`.
pub(super) fn parse_amz_date(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    let (day, time) = text.strip_suffix('Z').filter(|_| text.len() == 16)?.split_once('T')?;
    if day.len() != 8 {
        return None;
    }
    let (day, time) = (number(day)?, number(time)?);
    instant(
        (day / 10_000, day / 100 % 100, day % 100),
        (time / 10_000, time / 100 % 100, time % 100),
    )
}

/// Reads `Sun, 30 Aug 2015 12:36:00 GMT`, also with `-0000` for `GMT` as Python's clients write.
pub(super) fn parse_http_date(value: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(value).ok()?;
    let words: Vec<&str> = text.split(' ').collect();
    let [weekday, day, month, year, time, "GMT" | "-0000"] = words[..] else { return None };
    let [h, m, s] = time.split(':').collect::<Vec<_>>()[..] else { return None };
    let month = MONTHS.iter().position(|name| *name == month)?;
    let date = (number(year)?, i64::try_from(month + 1).ok()?, number(day)?);
    let widths = [(year, 4), (day, 2), (h, 2), (m, 2), (s, 2)];
    let found = instant(date, (number(h)?, number(m)?, number(s)?))?;
    let place = usize::try_from(found.div_euclid(DAY_SECONDS).rem_euclid(7)).ok()?;
    let lawful = widths.iter().all(|(digits, width)| digits.len() == *width)
        && weekday.strip_suffix(',') == Some(WEEKDAYS[place]);
    lawful.then_some(found)
}

fn number(text: &str) -> Option<i64> {
    let digits = (1..=8).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn instant((year, month, day): (i64, i64, i64), (h, m, s): (i64, i64, i64)) -> Option<i64> {
    let lawful = (1..=12).contains(&month) && (1..=31).contains(&day) && h < 24 && m < 60 && s < 60;
    let days = days(year, month, day);
    (lawful && civil(days) == (year, month, day))
        .then_some(days * DAY_SECONDS + h * 3600 + m * 60 + s)
}

/// Days from 1970-01-01 to a date of the proleptic Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Undoes [`days`].
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}
