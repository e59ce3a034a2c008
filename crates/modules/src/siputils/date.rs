//! `hdr_date_check(seconds)`: is the Date header recent enough (RFC 3261 §20.17)?

use script::exports::{Argument, Flow};
use sip::header::HeaderId;
use time::{Date, Month, PrimitiveDateTime, Time};

use crate::worker::Worker;

const MONTHS: [&[u8]; 12] = [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

fn number<T: std::str::FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// Unix time of `Sat, 13 Nov 2010 23:29:00 GMT`.
pub(super) fn parse(text: &[u8]) -> Option<i64> {
    let mut words = text.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let _day_name = words.next()?;
    let day: u8 = number(words.next()?)?;
    let month = words.next()?;
    let month = MONTHS.iter().position(|name| name.eq_ignore_ascii_case(month))?;
    let year: i32 = number(words.next()?)?;
    let mut clock = words.next()?.split(|byte| *byte == b':');
    let time = Time::from_hms(number(clock.next()?)?, number(clock.next()?)?, number(clock.next()?)?).ok()?;
    let month = Month::try_from(u8::try_from(month.checked_add(1)?).ok()?).ok()?;
    let date = Date::from_calendar_date(year, month, day).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp())
}

/// `hdr_date_check(seconds)`: 1 not older than that, -1 absent or malformed, -4 too old.
pub(super) fn hdr_date_check(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let allowed = arguments.first().map_or(0, Argument::integer);
    let Some(value) = worker.run.message.value(HeaderId::Date) else { return Flow::Code(-1) };
    let Some(then) = parse(value) else { return Flow::Code(-1) };
    let now = i64::try_from(worker.now.date.seconds()).unwrap_or(i64::MAX);
    Flow::Code(if now > then.saturating_add(allowed) { -4 } else { 1 })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_example_of_the_standard_is_read() {
        assert_eq!(parse(b"Sat, 13 Nov 2010 23:29:00 GMT"), Some(1_289_690_940));
    }

    #[test]
    fn malformed_dates_are_refused() {
        for text in [&b""[..], b"Sat", b"Sat, 32 Nov 2010 23:29:00 GMT", b"Sat, 13 Foo 2010 23:29:00 GMT", b"Sat, 13 Nov 2010 23:29"] {
            assert_eq!(parse(text), None);
        }
    }
}
