//! Time: `$Ts`, `$Tf`, `$TV(key)`, `$time(key)`, `$timef(format)`. All come from the moment the input was handled.

use script::exports::{Index, Inner};
use script::transform::time::Calendar;
use script::value::Value;
use sip::time::Date;

use super::answer::number;
use crate::worker::Worker;

fn unix_seconds(date: Date) -> i64 {
    i64::try_from(date.seconds()).unwrap_or(i64::MAX)
}

fn local(worker: &Worker) -> Calendar {
    Calendar::new(unix_seconds(worker.now.date), worker.node.process.utc_offset_seconds)
}

fn universal(worker: &Worker) -> Calendar {
    Calendar::new(unix_seconds(worker.now.date), 0)
}

pub(super) fn seconds(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    number(unix_seconds(worker.now.date))
}

pub(super) fn started(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    number(unix_seconds(worker.node.process.started))
}

pub(super) fn text(worker: &mut Worker, _inner: &Inner, _index: Option<Index>) -> Value {
    Value::text(local(worker).format(b"%a %b %e %H:%M:%S %Y"))
}

/// Keys of `$time` and `$utime`.
pub(super) const CALENDAR_KEYS: &[&str] = &["sec", "min", "hour", "mday", "mon", "year", "wday", "yday", "isdst"];

fn calendar_key(calendar: Calendar, inner: &Inner) -> Value {
    let Inner::Choice(choice) = inner else { return Value::Null };
    number(match CALENDAR_KEYS.get(usize::from(*choice)).copied().unwrap_or("") {
        "sec" => i64::from(calendar.second),
        "min" => i64::from(calendar.minute),
        "hour" => i64::from(calendar.hour),
        "mday" => i64::from(calendar.day),
        "mon" => i64::from(calendar.month),
        "year" => calendar.year,
        // Sunday is 1, and the first day of the year is 1.
        "wday" => i64::from(calendar.weekday) + 1,
        "yday" => i64::from(calendar.year_day) + 1,
        _ => 0,
    })
}

pub(super) fn local_key(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    calendar_key(local(worker), inner)
}

pub(super) fn universal_key(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    calendar_key(universal(worker), inner)
}

pub(super) fn local_format(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    Value::text(local(worker).format(inner.word()))
}

pub(super) fn universal_format(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    Value::text(universal(worker).format(inner.word()))
}

/// Keys of `$TV`: seconds, microseconds (`n`: read again, the same here), both joined, monotonic, formatted.
pub(super) const VALUE_KEYS: &[&str] = &["s", "u", "sn", "un", "Sn", "Sm", "Fn"];

pub(super) fn value_key(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let Inner::Choice(choice) = inner else { return Value::Null };
    let date = worker.now.date;
    let microseconds = (date.0 % 1000) * 1000;
    match VALUE_KEYS.get(usize::from(*choice)).copied().unwrap_or("") {
        "s" | "sn" => number(unix_seconds(date)),
        "u" | "un" => number(i64::try_from(microseconds).unwrap_or(0)),
        "Sn" => Value::text(format!("{}.{microseconds:06}", date.seconds())),
        "Sm" => Value::text(format!("{}.{:06}", worker.now.time.0 / 1000, (worker.now.time.0 % 1000) * 1000)),
        "Fn" => {
            let mut out = local(worker).format(b"%Y-%m-%d %H:%M:%S");
            out.extend_from_slice(format!(".{microseconds:06}").as_bytes());
            Value::text(out)
        }
        _ => Value::Null,
    }
}
