//! The Date header (RFC 3261 §20.17): `append_time()` for the reply, `append_time_to_request()`.

use script::exports::{Argument, Flow};
use time::OffsetDateTime;

use crate::worker::Worker;

const DAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `Date: Sat, 13 Nov 2010 23:29:00 GMT` with CRLF. None: beyond the calendar.
fn line(seconds: u64) -> Option<String> {
    let date = OffsetDateTime::from_unix_timestamp(i64::try_from(seconds).ok()?).ok()?;
    let day = DAYS.get(usize::from(date.weekday().number_days_from_monday()))?;
    let month = MONTHS.get(usize::from(u8::from(date.month())).checked_sub(1)?)?;
    Some(format!(
        "Date: {day}, {:02} {month} {} {:02}:{:02}:{:02} GMT\r\n",
        date.day(),
        date.year(),
        date.hour(),
        date.minute(),
        date.second()
    ))
}

/// `append_time()`: for the reply made here.
pub(super) fn append_time(worker: &mut Worker, _: &[Argument]) -> Flow {
    let Some(line) = line(worker.now.date.seconds()) else { return Flow::Code(-1) };
    worker.run.reply_headers.extend_from_slice(line.as_bytes());
    Flow::Code(1)
}

/// `append_time_to_request()`.
pub(super) fn append_time_to_request(worker: &mut Worker, _: &[Argument]) -> Flow {
    let Some(line) = line(worker.now.date.seconds()) else { return Flow::Code(-1) };
    super::headers::append_line(&mut worker.run, line.as_bytes(), None);
    Flow::Code(1)
}

#[cfg(test)]
mod tests {
    use super::line;

    #[test]
    fn the_date_is_written_as_in_the_standard() {
        assert_eq!(line(1_289_690_940).as_deref(), Some("Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n"));
    }
}
