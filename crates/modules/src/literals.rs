//! Literal arguments: what a module can say about a call before it ever runs, as Kamailio's "fixup" does at start.

use script::exports::{Argument, Refusal};
use script::value::Text;
use script::variable::Reference;

use crate::settings::Settings;

/// What is examined of every call of a function while the configuration is loaded.
pub struct Check {
    pub function: &'static str,
    pub examine: fn(&Settings, Literals<'_>) -> Result<(), Refusal>,
}

/// The arguments of a call as far as they are known before it runs.
#[derive(Clone, Copy)]
pub struct Literals<'a>(pub &'a [Option<&'a Argument>]);

impl<'a> Literals<'a> {
    /// How many arguments the call has, known or not.
    pub fn count(self) -> usize {
        self.0.len()
    }

    /// The text at this place; None when it is computed, or there is none.
    pub fn text(self, place: usize) -> Option<Text> {
        self.argument(place).map(Argument::text)
    }

    fn argument(self, place: usize) -> Option<&'a Argument> {
        self.0.get(place).copied().flatten()
    }

    /// The variable named at this place.
    pub fn variable(self, place: usize) -> Option<&'a Reference> {
        match self.argument(place)? {
            Argument::Variable(reference) => Some(reference),
            _ => None,
        }
    }
}

/// A refusal of the argument at this place.
pub fn refuse(argument: usize, text: impl Into<String>) -> Result<(), Refusal> {
    Err(Refusal { argument, text: text.into() })
}

/// The function writes into the variable at `PLACE`.
pub fn destination<const PLACE: usize>(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    match literals.variable(PLACE).map(Reference::check_writable) {
        Some(Err(reason)) => refuse(PLACE, reason),
        _ => Ok(()),
    }
}

/// A status code in decimal digits; nothing at all is left to the function.
pub fn status_code<const PLACE: usize>(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    let Some(text) = literals.text(PLACE) else { return Ok(()) };
    let digits = text.strip_prefix(b"-").unwrap_or(&text);
    if digits.iter().all(u8::is_ascii_digit) { Ok(()) } else { refuse(PLACE, format!("a status code is a number, not \"{text}\"")) }
}

/// The name of a header.
pub fn header_name<const PLACE: usize>(_: &Settings, literals: Literals<'_>) -> Result<(), Refusal> {
    match literals.text(PLACE) {
        Some(text) if !is_header_name(&text) => refuse(PLACE, format!("\"{text}\" is not the name of a header")),
        _ => Ok(()),
    }
}

/// A token that begins with a letter.
pub fn is_header_name(text: &[u8]) -> bool {
    text.first().is_some_and(u8::is_ascii_alphabetic)
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn examine(check: fn(&Settings, Literals<'_>) -> Result<(), Refusal>, text: &str) -> bool {
        check(&Settings::default(), Literals(&[Some(&Argument::Text(Text::from(text)))])).is_ok()
    }

    #[test]
    fn a_status_code_has_digits_only() {
        for (text, is_right) in [("404", true), ("", true), ("-404", true), ("abc", false), ("4 04", false), ("0x194", false)] {
            assert_eq!(examine(status_code::<0>, text), is_right, "{text}");
        }
        assert!(status_code::<0>(&Settings::default(), Literals(&[None])).is_ok(), "a computed one is not known yet");
    }

    #[test]
    fn a_header_name_is_a_token_that_begins_with_a_letter() {
        for (text, is_right) in [("From", true), ("X-a.b", true), ("", false), ("Foo Bar", false), (":", false), ("1a", false)] {
            assert_eq!(examine(header_name::<0>, text), is_right, "{text}");
        }
    }
}
