//! Predicates on texts.

use std::cmp::Ordering;

use script::exports::{Argument, Flow};

use super::LIST_ELEMENTS_MAX;
use super::search::text;
use crate::worker::Worker;

fn elements(list: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    list.split(move |byte| *byte == separator).map(<[u8]>::trim_ascii).take(LIST_ELEMENTS_MAX)
}

fn in_list_by(worker: &mut Worker, arguments: &[Argument], holds: fn(&[u8], &[u8]) -> bool) -> Flow {
    let (subject, list, separator) = (text(arguments, 0), text(arguments, 1), text(arguments, 2));
    let Some(separator) = separator.first().copied() else {
        worker.log(-1, "textops", "the separator of a list must not be empty");
        return Flow::Code(-1);
    };
    let separator = if separator == b'\\' { text(arguments, 2).get(1).copied().unwrap_or(separator) } else { separator };
    Flow::from(!subject.is_empty() && !list.is_empty() && elements(&list, separator).any(|element| holds(&subject, element)))
}

/// `in_list(subject, list, separator)`.
pub(super) fn in_list(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    in_list_by(worker, arguments, |subject, element| subject == element)
}

/// `in_list_prefix(subject, list, separator)`: an element is a prefix of the subject.
pub(super) fn in_list_prefix(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    in_list_by(worker, arguments, |subject, element| !element.is_empty() && subject.starts_with(element))
}

fn compare(arguments: &[Argument], holds: impl Fn(&[u8], &[u8]) -> bool) -> Flow {
    Flow::from(holds(&text(arguments, 0), &text(arguments, 1)))
}

/// What a comparison answers: 1 equal, -1 when the left side sorts behind the right one, -2 when before.
fn ordered(left: &[u8], right: &[u8]) -> Flow {
    Flow::Code(match left.cmp(right) {
        Ordering::Equal => 1,
        Ordering::Greater => -1,
        Ordering::Less => -2,
    })
}

/// `cmp_str(a, b)`.
pub(super) fn cmp_str(_: &mut Worker, arguments: &[Argument]) -> Flow {
    ordered(&text(arguments, 0), &text(arguments, 1))
}

/// `cmp_istr(a, b)`: ignoring case.
pub(super) fn cmp_istr(_: &mut Worker, arguments: &[Argument]) -> Flow {
    ordered(&text(arguments, 0).to_ascii_lowercase(), &text(arguments, 1).to_ascii_lowercase())
}

/// `starts_with(a, b)`: 1; -1 when `b` is longer than `a` or comes before its start, -2 when it comes after it.
pub(super) fn starts_with(_: &mut Worker, arguments: &[Argument]) -> Flow {
    let (whole, start) = (text(arguments, 0), text(arguments, 1));
    whole.get(..start.len()).map_or(Flow::Code(-1), |own| ordered(own, &start))
}

/// `ends_with(a, b)`: as a comparison of `b` with what `a` ends with; -1 when `b` is longer.
pub(super) fn ends_with(_: &mut Worker, arguments: &[Argument]) -> Flow {
    let (whole, end) = (text(arguments, 0), text(arguments, 1));
    let own = whole.len().checked_sub(end.len()).and_then(|at| whole.get(at..));
    own.map_or(Flow::Code(-1), |own| ordered(own, &end))
}

/// The place of a text counted from 1; -1: it is not there.
fn place(found: Option<usize>) -> Flow {
    Flow::Code(found.and_then(|at| i32::try_from(at).ok()).map_or(-1, |at| at.saturating_add(1)))
}

/// `str_find(a, b)`: where `b` starts in `a`, from 1; an empty `b` is found behind the end.
pub(super) fn str_find(_: &mut Worker, arguments: &[Argument]) -> Flow {
    let (whole, wanted) = (text(arguments, 0), text(arguments, 1));
    place(if wanted.is_empty() { Some(whole.len()) } else { memchr::memmem::find(&whole, &wanted) })
}

/// `str_ifind(a, b)`: the same ignoring case; an empty `b` is found at the start.
pub(super) fn str_ifind(_: &mut Worker, arguments: &[Argument]) -> Flow {
    let (whole, wanted) = (text(arguments, 0).to_ascii_lowercase(), text(arguments, 1).to_ascii_lowercase());
    place(memchr::memmem::find(&whole, &wanted))
}

/// `str_any_in(text, characters)`: is any byte of the text among the characters?
pub(super) fn str_any_in(_: &mut Worker, arguments: &[Argument]) -> Flow {
    compare(arguments, |left, right| left.iter().any(|byte| right.contains(byte)))
}

/// `str_all_in(text, characters)`: are all bytes of the text among the characters?
pub(super) fn str_all_in(_: &mut Worker, arguments: &[Argument]) -> Flow {
    compare(arguments, |left, right| !left.is_empty() && left.iter().all(|byte| right.contains(byte)))
}
