//! Parser of one `{class.name,parameters}`; never panics, whatever the bytes.

use std::sync::Arc;

use super::{Entry, Parameter, Shape, Transformation, Work, tables};
use crate::diagnostic::did_you_mean;
use crate::regex::Substitution;
use crate::value::{Text, Value, parse_integer};
use crate::variable::{Dictionary, closing, parse_nested};

/// Parses the transformation at the start of `text` (its `{`) and says how many bytes it took.
pub(crate) fn parse(text: &[u8], dictionary: &dyn Dictionary, depth: usize) -> Result<(Transformation, usize), String> {
    let name_end = text.iter().position(|byte| matches!(byte, b',' | b'}')).ok_or("`}` is missing after a transformation")?;
    let name = text.get(1..name_end).unwrap_or_default().trim_ascii();
    let name = String::from_utf8_lossy(name).to_ascii_lowercase();
    let entry = find(&name)?;
    let mut parser = Parser { text, position: name_end, dictionary, depth };
    let mut parameters = Vec::new();
    let mut substitution = None;
    if matches!(entry.work, Work::Substitute) {
        substitution = Some(Arc::new(parser.substitution()?));
    } else {
        for shape in entry.shapes {
            if parser.peek() != Some(b',') {
                break;
            }
            parser.position += 1;
            parameters.push(parser.parameter(*shape, &name)?);
        }
        if parameters.len() < entry.required {
            return Err(format!("{{{name}}} needs {} parameter(s)", entry.required));
        }
    }
    parser.blanks();
    if parser.peek() != Some(b'}') {
        return Err(format!("`}}` is missing at the end of {{{name}}}, or it has too many parameters"));
    }
    Ok((Transformation { entry, parameters, substitution }, parser.position + 1))
}

fn find(name: &str) -> Result<&'static Entry, String> {
    // Kamailio documents both spellings of these.
    let wanted = match name {
        "uri.domain" => "uri.host",
        other => other,
    };
    tables().find(|entry| entry.name == wanted).ok_or_else(|| {
        let hint = did_you_mean(name, tables().map(|entry| entry.name)).map(|hint| format!(", {hint}")).unwrap_or_default();
        format!("unknown transformation {{{name}}}{hint}")
    })
}

struct Parser<'a> {
    text: &'a [u8],
    position: usize,
    dictionary: &'a dyn Dictionary,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.position).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.position += 1;
        }
    }

    /// Bytes up to one of the ends; the position is put there.
    fn until(&mut self, is_end: impl Fn(u8) -> bool) -> Result<&'a [u8], String> {
        let rest = self.text.get(self.position..).unwrap_or_default();
        let length = rest.iter().position(|byte| is_end(*byte)).ok_or("`}` is missing after a transformation")?;
        self.position += length;
        Ok(rest.get(..length).unwrap_or_default())
    }

    fn parameter(&mut self, shape: Shape, name: &str) -> Result<Parameter, String> {
        if self.peek() == Some(b'$') && self.text.get(self.position + 1).is_some_and(|next| !matches!(next, b',' | b'}')) {
            let rest = self.text.get(self.position..).unwrap_or_default();
            let (reference, length) = parse_nested(rest, self.dictionary, self.depth + 1)?;
            self.position += length;
            return Ok(Parameter::Variable(Box::new(reference)));
        }
        match shape {
            Shape::Number => {
                let digits = self.until(|byte| matches!(byte, b',' | b'}'))?.trim_ascii();
                let plain = digits.strip_prefix(b"+").unwrap_or(digits);
                match parse_integer(plain) {
                    Some(number) if !plain.is_empty() => Ok(Parameter::Constant(Value::Integer(number))),
                    _ => Err(format!("{{{name}}} needs a number, not `{}`", String::from_utf8_lossy(digits))),
                }
            }
            Shape::Text => Ok(Parameter::Constant(Value::text(self.until(|byte| matches!(byte, b',' | b'}'))?))),
            Shape::Rest => {
                let end = closing(self.text, 0, b'{', b'}').ok_or("`}` is missing after a transformation")? - 1;
                let rest = self.text.get(self.position..end).unwrap_or_default();
                self.position = end;
                Ok(Parameter::Constant(Value::text(rest)))
            }
            Shape::Character => self.character(name),
        }
    }

    fn character(&mut self, name: &str) -> Result<Parameter, String> {
        let byte = self.peek().ok_or_else(|| format!("{{{name}}} needs a character"))?;
        self.position += 1;
        let byte = if byte == b'\\' {
            let escaped = self.peek();
            self.position += 1;
            match escaped {
                Some(b'n') => b'\n',
                Some(b'r') => b'\r',
                Some(b't') => b'\t',
                Some(b'\\') => b'\\',
                _ => return Err(format!("{{{name}}}: unknown escape (known: \\\\ \\n \\r \\t)")),
            }
        } else {
            byte
        };
        Ok(Parameter::Constant(Value::Text(Text::from(&[byte][..]))))
    }

    /// The argument of `re.subst` runs to the brace that closes the transformation.
    fn substitution(&mut self) -> Result<Substitution, String> {
        if self.peek() != Some(b',') {
            return Err("{re.subst} needs a substitution".to_string());
        }
        let end = closing(self.text, 0, b'{', b'}').ok_or("`}` is missing at the end of {re.subst}")? - 1;
        let source = self.text.get(self.position + 1..end).unwrap_or_default();
        let substitution = Substitution::parse(source, self.dictionary)?;
        self.position = end;
        Ok(substitution)
    }
}
