//! Reading, decrementing and adding Max-Forwards.

use std::sync::atomic::Ordering;

use script::exports::{Argument, Flow};
use sip::header::HeaderId;
use sip::span::Span;

use crate::worker::Worker;

/// Largest value RFC 3261 §20.22 allows, also the largest argument.
const VALUE_MAX: i64 = 255;

/// The header as found in the message.
enum Found {
    Absent,
    Malformed,
    Value(Span, u64),
}

fn find(worker: &Worker) -> Found {
    let Some(header) = worker.run.message.header(HeaderId::MaxForwards) else { return Found::Absent };
    let span = header.value;
    let digits = worker.run.message.text(span).trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Found::Malformed;
    }
    let value = digits.iter().fold(0_u64, |value, digit| value.saturating_mul(10).saturating_add(u64::from(digit - b'0')));
    Found::Value(span, value)
}

/// The value that leaves for one that came in: clipped, then one less. None at zero.
pub(super) fn decremented(value: u64, limit: u64) -> Option<u64> {
    value.min(limit.saturating_add(1)).checked_sub(1)
}

/// `mf_process_maxfwd_header(n)`: 2 added, 1 decremented, -1 exhausted, -2 malformed.
///
/// The digits are overwritten where they stand, right-aligned, so that later reads see the new value at once.
pub(super) fn process(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let initial = arguments.first().map_or(0, Argument::integer);
    if !(0..=VALUE_MAX).contains(&initial) {
        worker.log(-1, "maxfwd", &format!("initial value {initial} is outside 0..{VALUE_MAX}"));
        return Flow::Code(-1);
    }
    match find(worker) {
        Found::Absent => {
            let at = worker.run.message.headers().first().map_or(worker.run.message.headers_end(), |header| header.line.start);
            worker.run.edits.insert_before(at, format!("Max-Forwards: {initial}\r\n").as_bytes());
            Flow::Code(2)
        }
        Found::Malformed => {
            worker.log(-1, "maxfwd", "the value of Max-Forwards is not a number");
            Flow::Code(-2)
        }
        Found::Value(span, value) => {
            let Some(next) = decremented(value, worker.node.states.maxfwd.limit.load(Ordering::Relaxed)) else { return Flow::Code(-1) };
            let width = worker.run.message.text(span).len();
            let mut text = std::mem::take(&mut worker.scratch.text);
            text.clear();
            text.resize(width, b' ');
            write_right_aligned(next, &mut text);
            let is_written = worker.run.message.overwrite(span, &text);
            worker.scratch.text = text;
            Flow::Code(if is_written { 1 } else { -2 })
        }
    }
}

/// Puts the decimal digits at the end of `text`; `fmt` would cost several times as much on every request.
fn write_right_aligned(number: u64, text: &mut [u8]) {
    let mut rest = number;
    for place in text.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
}

/// `is_maxfwd_lt(n)`: 1 smaller, -1 not smaller, -2 absent, -3 malformed.
pub(super) fn is_below(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let bound = arguments.first().map_or(0, Argument::integer);
    if !(0..=VALUE_MAX).contains(&bound) {
        return Flow::Code(-3);
    }
    Flow::Code(match find(worker) {
        Found::Absent => -2,
        Found::Malformed => -3,
        Found::Value(_, value) if i64::try_from(value).is_ok_and(|value| value < bound) => 1,
        Found::Value(..) => -1,
    })
}

#[cfg(test)]
mod tests {
    use super::{decremented, write_right_aligned};

    #[test]
    fn a_value_above_the_limit_leaves_as_the_limit() {
        assert_eq!(decremented(77, 70), Some(70));
        assert_eq!(decremented(71, 70), Some(70));
        assert_eq!(decremented(70, 70), Some(69));
    }

    #[test]
    fn a_shorter_number_stands_at_the_right_end() {
        let written = |number| {
            let mut text = *b"   ";
            write_right_aligned(number, &mut text);
            text
        };
        assert_eq!((written(0), written(69), written(255)), (*b"  0", *b" 69", *b"255"));
    }

    #[test]
    fn zero_cannot_be_decremented() {
        assert_eq!(decremented(0, 70), None);
        assert_eq!(decremented(1, 70), Some(0));
    }
}
