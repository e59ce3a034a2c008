//! Calendar time from Unix seconds, and `strftime` formats (used by `{s.ftime}`, `$timef`, `$time`).

use std::fmt::Write;

/// Broken-down time of some offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    pub year: i64,
    /// 1-12
    pub month: u32,
    /// 1-31
    pub day: u32,
    pub hour: u32,
    pub minute: u32,
    pub second: u32,
    /// 0 is Sunday.
    pub weekday: u32,
    /// 0-365
    pub year_day: u32,
    pub offset_seconds: i32,
    pub unix_seconds: i64,
}

/// Longest text made from one format.
const TEXT_BYTES_MAX: usize = 4096;
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS: [&str; 12] =
    ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];

impl Calendar {
    /// The calendar of a moment. Seconds are clamped to the years -9999 to 9999.
    pub fn new(unix_seconds: i64, offset_seconds: i32) -> Calendar {
        let unix_seconds = unix_seconds.clamp(-377_705_116_800, 253_402_300_799);
        let local = unix_seconds + i64::from(offset_seconds);
        let days = local.div_euclid(86_400);
        let seconds = local.rem_euclid(86_400);
        // Days of the civil calendar counted from 0000-03-01, in eras of 400 years.
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_index = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_index + 2) / 5 + 1;
        let month = if month_index < 10 { month_index + 3 } else { month_index - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
        let month_start = before.get(month as usize - 1).copied().unwrap_or(0);
        let year_day = month_start + day - 1 + i64::from(is_leap && month > 2);
        Calendar {
            year,
            month: month as u32,
            day: day as u32,
            hour: (seconds / 3600) as u32,
            minute: (seconds / 60 % 60) as u32,
            second: (seconds % 60) as u32,
            weekday: (days + 4).rem_euclid(7) as u32,
            year_day: year_day as u32,
            offset_seconds,
            unix_seconds,
        }
    }

    /// ISO 8601 week and its year.
    fn iso_week(&self) -> (i64, u32) {
        let monday_based = (self.weekday + 6) % 7;
        let week = (i64::from(self.year_day) - i64::from(monday_based) + 10) / 7;
        let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let weeks_in = |year: i64| {
            let first = Calendar::weekday_of_first(year);
            if first == 4 || (first == 3 && is_leap(year)) { 53 } else { 52 }
        };
        if week < 1 {
            (self.year - 1, weeks_in(self.year - 1))
        } else if week > i64::from(weeks_in(self.year)) {
            (self.year + 1, 1)
        } else {
            (self.year, week as u32)
        }
    }

    fn weekday_of_first(year: i64) -> i64 {
        let before = year - 1;
        (1 + 365 * before + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400)).rem_euclid(7)
    }

    /// `strftime` in the C locale. Unknown letters stay as written.
    pub fn format(&self, format: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut bytes = format.iter().copied();
        while let Some(byte) = bytes.next() {
            if out.len() > TEXT_BYTES_MAX {
                break;
            }
            if byte != b'%' {
                out.push(byte);
                continue;
            }
            let Some(letter) = bytes.next() else {
                out.push(b'%');
                break;
            };
            let mut text = String::new();
            if self.write(letter, &mut text) {
                out.extend_from_slice(text.as_bytes());
            } else {
                out.extend_from_slice(&[b'%', letter]);
            }
        }
        out
    }

    fn write(&self, letter: u8, out: &mut String) -> bool {
        let day_name = DAYS.get(self.weekday as usize).copied().unwrap_or("");
        let month_name = MONTHS.get(self.month.saturating_sub(1) as usize).copied().unwrap_or("");
        let hour12 = if self.hour.is_multiple_of(12) { 12 } else { self.hour % 12 };
        let half = if self.hour < 12 { "AM" } else { "PM" };
        let (hour, minute, second, day, month) = (self.hour, self.minute, self.second, self.day, self.month);
        let written = match letter {
            b'a' => write!(out, "{}", day_name.get(..3).unwrap_or("")),
            b'A' => write!(out, "{day_name}"),
            b'b' | b'h' => write!(out, "{}", month_name.get(..3).unwrap_or("")),
            b'B' => write!(out, "{month_name}"),
            b'c' => {
                let (day_name, month_name) = (day_name.get(..3).unwrap_or(""), month_name.get(..3).unwrap_or(""));
                write!(out, "{day_name} {month_name} {day:2} {hour:02}:{minute:02}:{second:02} {}", self.year)
            }
            b'C' => write!(out, "{:02}", self.year.div_euclid(100)),
            b'd' => write!(out, "{day:02}"),
            b'D' | b'x' => write!(out, "{month:02}/{day:02}/{:02}", self.year.rem_euclid(100)),
            b'e' => write!(out, "{day:2}"),
            b'F' => write!(out, "{}-{month:02}-{day:02}", self.year),
            b'G' => write!(out, "{}", self.iso_week().0),
            b'g' => write!(out, "{:02}", self.iso_week().0.rem_euclid(100)),
            b'H' => write!(out, "{hour:02}"),
            b'I' => write!(out, "{hour12:02}"),
            b'j' => write!(out, "{:03}", self.year_day + 1),
            b'k' => write!(out, "{hour:2}"),
            b'l' => write!(out, "{hour12:2}"),
            b'm' => write!(out, "{month:02}"),
            b'M' => write!(out, "{minute:02}"),
            b'n' => writeln!(out),
            b'p' => write!(out, "{half}"),
            b'P' => write!(out, "{}", half.to_ascii_lowercase()),
            b'r' => write!(out, "{hour12:02}:{minute:02}:{second:02} {half}"),
            b'R' => write!(out, "{hour:02}:{minute:02}"),
            b's' => write!(out, "{}", self.unix_seconds),
            b'S' => write!(out, "{second:02}"),
            b't' => write!(out, "\t"),
            b'T' | b'X' => write!(out, "{hour:02}:{minute:02}:{second:02}"),
            b'u' => write!(out, "{}", if self.weekday == 0 { 7 } else { self.weekday }),
            b'U' => write!(out, "{:02}", (self.year_day + 7 - self.weekday) / 7),
            b'V' => write!(out, "{:02}", self.iso_week().1),
            b'w' => write!(out, "{}", self.weekday),
            b'W' => write!(out, "{:02}", (self.year_day + 7 - (self.weekday + 6) % 7) / 7),
            b'y' => write!(out, "{:02}", self.year.rem_euclid(100)),
            b'Y' => write!(out, "{}", self.year),
            b'z' => {
                let sign = if self.offset_seconds < 0 { '-' } else { '+' };
                let minutes = self.offset_seconds.unsigned_abs() / 60;
                write!(out, "{sign}{:02}{:02}", minutes / 60, minutes % 60)
            }
            b'Z' => write!(out, "{}", if self.offset_seconds == 0 { "UTC" } else { "" }),
            b'%' => write!(out, "%"),
            _ => return false,
        };
        written.is_ok()
    }
}
