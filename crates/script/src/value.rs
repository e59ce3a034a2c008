//! The values a script computes with: null, integer, text, and an integer that keeps its own text (spec cfg-language 8.1, 11.2).

pub use crate::text::Text;

/// What reading a variable or evaluating an expression yields.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Value {
    /// Undefined.
    #[default]
    Null,
    /// An integer; its text is its decimal form.
    Integer(i64),
    /// Text without the integer flag.
    Text(Text),
    /// An integer that was read together with its own text (for example `$rs`).
    Number(i64, Text),
    /// A word that was read together with its own number: text, unless an integer is wanted (`$rm`, `$proto`).
    Symbol(i64, Text),
}

impl Value {
    /// A text value from anything that becomes [`Text`].
    pub fn text(text: impl Into<Text>) -> Value {
        Value::Text(text.into())
    }

    /// Is this undefined?
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Does it carry the integer flag?
    pub fn is_integer(&self) -> bool {
        matches!(self, Value::Integer(_) | Value::Number(..))
    }

    /// The integer reading: undefined and malformed text give 0 (spec cfg-language 8.4).
    pub fn to_integer(&self) -> i64 {
        match self {
            Value::Null => 0,
            Value::Integer(number) | Value::Number(number, _) | Value::Symbol(number, _) => *number,
            Value::Text(text) => parse_integer(text).unwrap_or(0),
        }
    }

    /// The text reading: undefined gives the empty text.
    pub fn to_text(&self) -> Text {
        match self {
            Value::Null => Text::empty(),
            Value::Integer(number) => Text::from(number.to_string()),
            Value::Text(text) | Value::Number(_, text) | Value::Symbol(_, text) => text.clone(),
        }
    }

    /// What a variable that holds values keeps of this one: the integer without its own text, the word without its number.
    pub fn kept(self) -> Value {
        match self {
            Value::Number(number, _) => Value::Integer(number),
            Value::Symbol(_, text) => Value::Text(text),
            other => other,
        }
    }

    /// Appends the text reading to `out`; undefined appends nothing.
    pub fn append_to(&self, out: &mut Vec<u8>) {
        match self {
            Value::Null => {}
            Value::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Value::Text(text) | Value::Number(_, text) | Value::Symbol(_, text) => out.extend_from_slice(text),
        }
    }
}

/// Optional sign and decimal digits only, or `0x` and hexadecimal digits; empty is 0; anything else is `None`.
pub fn parse_integer(text: &[u8]) -> Option<i64> {
    if text.is_empty() {
        return Some(0);
    }
    let text = std::str::from_utf8(text).ok()?;
    if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        let is_number = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        return if is_number { i64::from_str_radix(digits, 16).ok() } else { None };
    }
    text.parse::<i64>().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_read_whole_or_not_at_all() {
        for (text, wanted) in [
            ("", Some(0)),
            ("12", Some(12)),
            ("-5", Some(-5)),
            ("+5", Some(5)),
            ("0x1F", Some(31)),
            ("12abc", None),
            (" 12", None),
            ("0x", None),
            ("0x-1", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(parse_integer(text.as_bytes()), wanted, "{text}");
        }
        assert_eq!(parse_integer(b"\xff"), None);
    }

    #[test]
    fn a_symbol_is_text_until_an_integer_is_wanted() {
        let symbol = Value::Symbol(1, Text::from("INVITE"));
        assert_eq!((symbol.to_integer(), symbol.to_text().to_string().as_str(), symbol.is_integer()), (1, "INVITE", false));
        assert_eq!(symbol.kept(), Value::text("INVITE"));
        assert_eq!(Value::Number(16, Text::from("0x10")).kept(), Value::Integer(16));
    }

    #[test]
    fn a_number_keeps_its_text() {
        let value = Value::Number(16, Text::from("0x10"));
        assert_eq!((value.to_integer(), value.to_text().to_string().as_str()), (16, "0x10"));
        let mut out = b"n=".to_vec();
        value.append_to(&mut out);
        assert_eq!(out, b"n=0x10");
        assert!(Value::Null.to_text().is_empty());
    }
}
