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

/// `is_tel_number(text)`.
pub(super) fn is_tel_number(_: &mut Worker, arguments: &[Argument]) -> Flow {
    Flow::from(is_telephone_number(&first(arguments)))
}

/// `is_numeric(text)`: digits only.
pub(super) fn is_numeric(_: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = first(arguments);
    Flow::from(!text.is_empty() && text.iter().all(u8::is_ascii_digit))
}

/// `is_alphanum(text)`: letters and digits only.
pub(super) fn is_alphanum(_: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = first(arguments);
    Flow::from(!text.is_empty() && text.iter().all(u8::is_ascii_alphanumeric))
}

/// `is_alphanumex(text, more)`: letters, digits and the given characters only.
pub(super) fn is_alphanumex(_: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = first(arguments);
    let more = arguments.get(1).map(Argument::text).unwrap_or_default();
    Flow::from(!text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || more.contains(byte)))
}

/// `cmp_hdr_name(a, b)`: the same header, in any case, compact or not.
pub(super) fn cmp_hdr_name(_: &mut Worker, arguments: &[Argument]) -> Flow {
    use sip::header::HeaderId;
    let (left, right) = (first(arguments), arguments.get(1).map(Argument::text).unwrap_or_default());
    let id = HeaderId::from_name(&left);
    Flow::from(left.eq_ignore_ascii_case(&right) || (id != HeaderId::Other && id == HeaderId::from_name(&right)))
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
