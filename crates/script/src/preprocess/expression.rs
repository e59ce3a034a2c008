//! The expressions of `#!ifexp`, `#!defexp` and `#!defexps` (spec cfg-language 2.6).

use crate::limits::NESTING_MAX;
use crate::preprocess::defines::Defines;
use crate::preprocess::static_variable::unquoted;

/// A value of this little language.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    Number(f32),
    Text(String),
}

impl Outcome {
    /// Non-zero or non-empty.
    pub fn is_true(&self) -> bool {
        match self {
            Outcome::Number(number) => *number != 0.0,
            Outcome::Text(text) => !text.is_empty(),
        }
    }

    /// What `defexp` writes: numbers lose their fraction.
    pub fn to_text(&self) -> String {
        match self {
            Outcome::Number(number) => (*number as i64).to_string(),
            Outcome::Text(text) => text.clone(),
        }
    }

    fn number(&self) -> f32 {
        match self {
            Outcome::Number(number) => *number,
            Outcome::Text(text) => text.trim().parse().unwrap_or(0.0),
        }
    }

    fn integer(&self) -> i64 {
        self.number() as i64
    }
}

/// Evaluates one line.
pub fn evaluate(text: &[u8], defines: &Defines) -> Result<Outcome, String> {
    let mut reader = Reader { text, at: 0, depth: 0, defines };
    let outcome = reader.binary(0)?;
    reader.skip_blanks();
    match reader.rest().first() {
        None => Ok(outcome),
        Some(b'#') => Ok(outcome),
        Some(b'/') if reader.rest().starts_with(b"//") => Ok(outcome),
        Some(byte) => Err(format!("unexpected `{}`", char::from(*byte))),
    }
}

/// Binary operators and how tightly they bind; longer ones before their beginnings.
#[rustfmt::skip]
const OPERATORS: &[(&str, u8)] = &[
    ("||", 1), ("&&", 2), ("==", 6), ("!=", 6), ("<=", 7), (">=", 7), ("<<", 8), (">>", 8), ("**", 11), ("|", 3), ("^", 4),
    ("&", 5), ("<", 7), (">", 7), ("+", 9), ("-", 9), ("*", 10), ("/", 10), ("%", 10),
];

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    depth: usize,
    defines: &'a Defines,
}

impl Reader<'_> {
    fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or(b"")
    }

    fn skip_blanks(&mut self) {
        self.at += self.rest().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    }

    fn take(&mut self, symbol: &str) -> bool {
        self.skip_blanks();
        let is_there = self.rest().starts_with(symbol.as_bytes());
        if is_there {
            self.at += symbol.len();
        }
        is_there
    }

    fn operator(&mut self) -> Option<(&'static str, u8)> {
        self.skip_blanks();
        if self.rest().starts_with(b"//") {
            return None;
        }
        OPERATORS.iter().copied().find(|(symbol, _)| self.rest().starts_with(symbol.as_bytes()))
    }

    fn binary(&mut self, binding: u8) -> Result<Outcome, String> {
        let mut left = self.unary()?;
        while let Some((symbol, power)) = self.operator().filter(|(_, power)| *power > binding) {
            self.at += symbol.len();
            let right = self.binary(if symbol == "**" { power - 1 } else { power })?;
            left = combined(symbol, &left, &right)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Outcome, String> {
        self.depth += 1;
        if self.depth > NESTING_MAX {
            return Err("the expression is too deep".to_string());
        }
        let outcome = self.unary_within();
        self.depth -= 1;
        outcome
    }

    fn unary_within(&mut self) -> Result<Outcome, String> {
        self.skip_blanks();
        if self.take("!") {
            return Ok(truth(!self.unary()?.is_true()));
        }
        if self.take("-") {
            return Ok(Outcome::Number(-self.unary()?.number()));
        }
        if self.take("^") {
            return Ok(Outcome::Number(!self.unary()?.integer() as f32));
        }
        if self.take("(") {
            let outcome = self.binary(0)?;
            return if self.take(")") { Ok(outcome) } else { Err("a `)` is missing".to_string()) };
        }
        self.primary()
    }

    fn primary(&mut self) -> Result<Outcome, String> {
        match self.rest().first().copied() {
            Some(quote @ (b'"' | b'\'')) => {
                let inside = self.rest().get(1..).unwrap_or(b"");
                let end = inside.iter().position(|byte| *byte == quote).ok_or("a text is not closed")?;
                let text = String::from_utf8_lossy(inside.get(..end).unwrap_or(b"")).into_owned();
                self.at += end + 2;
                Ok(Outcome::Text(text))
            }
            Some(byte) if byte.is_ascii_digit() || byte == b'.' => {
                let count = self.rest().iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
                let text = String::from_utf8_lossy(self.rest().get(..count).unwrap_or(b"")).into_owned();
                self.at += count;
                text.parse().map(Outcome::Number).map_err(|_| format!("`{text}` is no number"))
            }
            Some(byte) if byte.is_ascii_alphabetic() || byte == b'_' => {
                let count = self.rest().iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
                let name = String::from_utf8_lossy(self.rest().get(..count).unwrap_or(b"")).into_owned();
                self.at += count;
                Ok(self.define(&name))
            }
            Some(byte) => Err(format!("unexpected `{}`", char::from(byte))),
            None => Err("a value is missing".to_string()),
        }
    }

    /// Undefined is 0, defined without text is 1, otherwise the text without its quotes, a number when it is one.
    fn define(&self, name: &str) -> Outcome {
        match self.defines.text(name) {
            None => Outcome::Number(0.0),
            Some(None) => Outcome::Number(1.0),
            Some(Some(text)) => {
                let plain = String::from_utf8_lossy(unquoted(text)).into_owned();
                match plain.trim().parse() {
                    Ok(number) if unquoted(text).len() == text.len() => Outcome::Number(number),
                    _ => Outcome::Text(plain),
                }
            }
        }
    }
}

fn truth(is_true: bool) -> Outcome {
    Outcome::Number(if is_true { 1.0 } else { 0.0 })
}

fn combined(symbol: &str, left: &Outcome, right: &Outcome) -> Result<Outcome, String> {
    let (a, b) = (left.number(), right.number());
    let texts = match (left, right) {
        (Outcome::Text(left), Outcome::Text(right)) => Some((left.as_str(), right.as_str())),
        _ => None,
    };
    let is_text = matches!(left, Outcome::Text(_)) || matches!(right, Outcome::Text(_));
    let shift = |amount: i64| u32::try_from(amount).unwrap_or(64);
    Ok(match symbol {
        "||" => truth(left.is_true() || right.is_true()),
        "&&" => truth(left.is_true() && right.is_true()),
        "+" if is_text => Outcome::Text(left.to_text() + &right.to_text()),
        "==" if is_text => truth(left.to_text() == right.to_text()),
        "!=" if is_text => truth(left.to_text() != right.to_text()),
        "<" => truth(texts.map_or(a < b, |(left, right)| left < right)),
        "<=" => truth(texts.map_or(a <= b, |(left, right)| left <= right)),
        ">" => truth(texts.map_or(a > b, |(left, right)| left > right)),
        ">=" => truth(texts.map_or(a >= b, |(left, right)| left >= right)),
        "==" => truth(a == b),
        "!=" => truth(a != b),
        "+" => Outcome::Number(a + b),
        "-" => Outcome::Number(a - b),
        "*" => Outcome::Number(a * b),
        "/" | "%" if b == 0.0 => return Err("division by zero".to_string()),
        "/" => Outcome::Number(a / b),
        "%" => Outcome::Number(a % b),
        "**" => Outcome::Number(a.powf(b)),
        "<<" => Outcome::Number(left.integer().checked_shl(shift(right.integer())).unwrap_or(0) as f32),
        ">>" => Outcome::Number(left.integer().checked_shr(shift(right.integer())).unwrap_or(0) as f32),
        "&" => Outcome::Number((left.integer() & right.integer()) as f32),
        "|" => Outcome::Number((left.integer() | right.integer()) as f32),
        "^" => Outcome::Number((left.integer() ^ right.integer()) as f32),
        other => return Err(format!("unknown operator `{other}`")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::Text;

    fn value(text: &str) -> Outcome {
        let mut defines = Defines::default();
        defines.define("EMPTY", None).expect("new");
        defines.define("FIVE", Some(Text::from("5"))).expect("new");
        defines.define("NAME", Some(Text::from("\"abc\""))).expect("new");
        evaluate(text.as_bytes(), &defines).expect(text)
    }

    #[test]
    fn defines_are_numbers_or_texts() {
        assert!(value("EMPTY").is_true());
        assert!(!value("MISSING").is_true());
        assert_eq!(value("FIVE + 2").to_text(), "7");
        assert_eq!(value("NAME + \"d\"").to_text(), "abcd");
        assert!(value("NAME == \"abc\" && FIVE >= 5").is_true());
        assert!(value("MISSING == 0").is_true());
    }

    #[test]
    fn operators_have_their_usual_strength() {
        assert_eq!(value("1 + 2 * 3").to_text(), "7");
        assert_eq!(value("(1 + 2) * 3 ** 2").to_text(), "27");
        assert_eq!(value("7 / 2").to_text(), "3");
        assert_eq!(value("1 << 3 | 1").to_text(), "9");
        assert_eq!(value("!0 && -1 < 0").to_text(), "1");
        assert_eq!(value("^0").to_text(), "-1");
    }

    #[test]
    fn bad_expressions_fail_without_harm() {
        let defines = Defines::default();
        for bad in ["", "1 +", "(1", "\"a", "1 2", "1/0", "@", "1.2.3", &"(".repeat(5000), &"!".repeat(5000)] {
            assert!(evaluate(bad.as_bytes(), &defines).is_err(), "{bad}");
        }
    }
}
