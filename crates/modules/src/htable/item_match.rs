//! How items are chosen by name or value: two-letter operators of functions, two-character operators of `$shtcn`.

use std::sync::Arc;

use script::regex::{Flags, Pattern};
use script::value::{Value, parse_integer};

use crate::textops::Comparison;

/// A test on a text.
pub(super) enum Test<'a> {
    Compare(Comparison, &'a [u8]),
    Integer(i64),
    All,
}

impl<'a> Test<'a> {
    /// `eq`, `ne`, `re`, `sw`, `ew`, `in`, `fm`.
    pub(super) fn of_function(operator: &[u8], operand: &'a [u8]) -> Option<Test<'a>> {
        Comparison::new(operator, operand).map(|comparison| Test::Compare(comparison, operand))
    }

    /// A regular expression, as `sht_rm_name_re` takes it.
    pub(super) fn of_expression(expression: &'a [u8]) -> Option<Test<'a>> {
        let pattern: Arc<Pattern> = Pattern::dynamic(expression, Flags { ignore_case: true, newline: false }).ok()?;
        Some(Test::Compare(Comparison::Matches(pattern), expression))
    }

    /// `~~re`, `~%prefix`, `%~suffix`, `==text`, `eqinteger`, `**`; anything else is a regular expression.
    pub(super) fn of_variable(expression: &'a [u8]) -> Option<Test<'a>> {
        let Some((operator, operand)) = expression.split_at_checked(2) else { return Test::of_expression(expression) };
        Some(match operator {
            b"~~" => Test::of_expression(operand)?,
            b"~%" => Test::Compare(Comparison::StartsWith, operand),
            b"%~" => Test::Compare(Comparison::EndsWith, operand),
            b"==" => Test::Compare(Comparison::Equal, operand),
            b"eq" => Test::Integer(parse_integer(operand)?),
            b"**" => Test::All,
            _ => Test::of_expression(expression)?,
        })
    }

    /// Does a name pass?
    pub(super) fn accepts_name(&self, name: &[u8]) -> bool {
        match self {
            Test::Compare(comparison, operand) => comparison.holds(name, operand),
            Test::Integer(_) => false,
            Test::All => true,
        }
    }

    /// Does a text value pass? Integers only pass the integer test.
    pub(super) fn accepts_value(&self, value: &Value) -> bool {
        match (self, value) {
            (Test::All, _) => true,
            (Test::Integer(wanted), Value::Integer(number)) => wanted == number,
            (Test::Compare(comparison, operand), Value::Text(text)) => comparison.holds(text, operand),
            _ => false,
        }
    }
}

/// `table=>rest`, trimmed.
pub(super) fn split(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memchr::memmem::find(text, b"=>")?;
    Some((text.get(..at)?.trim_ascii(), text.get(at.checked_add(2)?..)?.trim_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_of_variables_choose() {
        let test = |expression: &'static [u8]| Test::of_variable(expression).expect("a test");
        assert!(test(b"~~^a.*c$").accepts_name(b"abc"));
        assert!(test(b"~%ab").accepts_name(b"abc"));
        assert!(!test(b"~%bc").accepts_name(b"abc"));
        assert!(test(b"%~bc").accepts_name(b"abc"));
        assert!(test(b"==abc").accepts_value(&Value::text("abc")));
        assert!(test(b"eq5").accepts_value(&Value::Integer(5)));
        assert!(!test(b"==5").accepts_value(&Value::Integer(5)));
        assert!(test(b"**").accepts_name(b"x"));
        assert!(test(b"^A").accepts_name(b"abc"));
        assert!(test(b"b").accepts_name(b"abc"));
        assert!(!test(b"^b").accepts_name(b"abc"));
        assert!(Test::of_variable(b"eqx").is_none());
    }

    #[test]
    fn table_and_key_are_split_at_the_first_arrow() {
        assert_eq!(split(b"a => k=>1"), Some((&b"a"[..], &b"k=>1"[..])));
        assert_eq!(split(b"a"), None);
    }
}
