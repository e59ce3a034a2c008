//! Predicates on texts.

use script::exports::{Argument, Flow};

use super::LIST_ELEMENTS_MAX;
use super::search::text;
use crate::worker::Worker;

fn elements(list: &[u8], separator: u8) -> impl Iterator<Item = &[u8]> {
    list.split(move |byte| *byte == separator).take(LIST_ELEMENTS_MAX)
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

/// `cmp_str(a, b)`.
pub(super) fn cmp_str(_: &mut Worker, arguments: &[Argument]) -> Flow {
    compare(arguments, |left, right| left == right)
}

/// `cmp_istr(a, b)`: ignoring case.
pub(super) fn cmp_istr(_: &mut Worker, arguments: &[Argument]) -> Flow {
    compare(arguments, |left, right| left.eq_ignore_ascii_case(right))
}

/// `starts_with(a, b)`.
pub(super) fn starts_with(_: &mut Worker, arguments: &[Argument]) -> Flow {
    compare(arguments, |left, right| left.starts_with(right))
}

/// `ends_with(a, b)`.
pub(super) fn ends_with(_: &mut Worker, arguments: &[Argument]) -> Flow {
    compare(arguments, |left, right| left.ends_with(right))
}

/// `str_find(a, b)`: does `a` contain `b`?
pub(super) fn str_find(_: &mut Worker, arguments: &[Argument]) -> Flow {
    compare(arguments, |left, right| memchr::memmem::find(left, right).is_some())
}

/// `str_ifind(a, b)`: ignoring case.
pub(super) fn str_ifind(_: &mut Worker, arguments: &[Argument]) -> Flow {
    compare(arguments, |left, right| memchr::memmem::find(&left.to_ascii_lowercase(), &right.to_ascii_lowercase()).is_some())
}

/// `str_any_in(text, characters)`: is any byte of the text among the characters?
pub(super) fn str_any_in(_: &mut Worker, arguments: &[Argument]) -> Flow {
    compare(arguments, |left, right| left.iter().any(|byte| right.contains(byte)))
}

/// `str_all_in(text, characters)`: are all bytes of the text among the characters?
pub(super) fn str_all_in(_: &mut Worker, arguments: &[Argument]) -> Flow {
    compare(arguments, |left, right| !left.is_empty() && left.iter().all(|byte| right.contains(byte)))
}
