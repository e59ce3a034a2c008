//! Predicates on plain texts: numbers and letters.

use script::exports::{Argument, Flow};

use crate::worker::Worker;

fn first(arguments: &[Argument]) -> script::value::Text {
    arguments.first().map(Argument::text).unwrap_or_default()
}

/// Digits, with a plus sign in front or not.
pub(super) fn is_telephone_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// 1, or -2 where the usual answer of a test that fails is -1.
fn number(holds: bool) -> Flow {
    Flow::Code(if holds { 1 } else { -2 })
}

/// 1, -2 for the empty text, -3 for any other byte.
fn letters(text: &[u8], is_right: impl Fn(&u8) -> bool) -> Flow {
    Flow::Code(match text {
        [] => -2,
        _ if text.iter().all(is_right) => 1,
        _ => -3,
    })
}

/// `is_tel_number(text)`.
pub(super) fn is_tel_number(_: &mut Worker, arguments: &[Argument]) -> Flow {
    number(is_telephone_number(&first(arguments)))
}

/// `is_numeric(text)`: digits only.
pub(super) fn is_numeric(_: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = first(arguments);
    number(!text.is_empty() && text.iter().all(u8::is_ascii_digit))
}

/// `is_alphanum(text)`: letters and digits only.
pub(super) fn is_alphanum(_: &mut Worker, arguments: &[Argument]) -> Flow {
    letters(&first(arguments), u8::is_ascii_alphanumeric)
}

/// `is_alphanumex(text, more)`: letters, digits and the given characters only.
pub(super) fn is_alphanumex(_: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = first(arguments);
    let more = arguments.get(1).map(Argument::text).unwrap_or_default();
    letters(&text, |byte| byte.is_ascii_alphanumeric() || more.contains(byte))
}

/// `cmp_hdr_name(a, b)`: the same header, in any case, compact or not. -1: another one, -2: `a` is no name, or sorts before `b`
/// and neither is known.
pub(super) fn cmp_hdr_name(_: &mut Worker, arguments: &[Argument]) -> Flow {
    use sip::header::HeaderId;
    let (left, right) = (first(arguments), arguments.get(1).map(Argument::text).unwrap_or_default());
    if left.is_empty() || right.is_empty() {
        return Flow::Code(-2);
    }
    let (left_id, right_id) = (HeaderId::from_name(&left), HeaderId::from_name(&right));
    Flow::Code(match left.to_ascii_lowercase().cmp(&right.to_ascii_lowercase()) {
        _ if left_id != HeaderId::Other && left_id == right_id => 1,
        std::cmp::Ordering::Equal => 1,
        std::cmp::Ordering::Less if left_id == right_id => -2,
        _ => -1,
    })
}

#[cfg(test)]
mod tests {
    use super::is_telephone_number;

    #[test]
    fn a_telephone_number_has_digits_and_maybe_a_plus() {
        assert!(is_telephone_number(b"+4930123"));
        assert!(is_telephone_number(b"110"));
        assert!(!is_telephone_number(b"+"));
        assert!(!is_telephone_number(b"12a"));
        assert!(!is_telephone_number(b""));
    }
}
