//! Parser of the text of a variable; never panics, whatever the bytes.

use std::sync::Arc;

use super::{Dictionary, IndexText, InnerText, NESTING_MAX, Named, Reference, TRANSFORMATIONS_MAX, Target};
use crate::exports::{Index, Inner, InnerKind, XavpPath};
use crate::format::Format;
use crate::transform;
use crate::value::Text;

/// May this byte be part of a variable's name? Dots may, which is why `"$rU.txt"` must be written `"$(rU).txt"`.
pub fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'?')
}

/// Parses a text that is one variable and nothing else; blanks around it are ignored.
pub fn parse(text: &[u8], dictionary: &dyn Dictionary) -> Result<Reference, String> {
    let text = text.trim_ascii();
    let (reference, length) = parse_prefix(text, dictionary)?;
    if length < text.len() {
        let rest = String::from_utf8_lossy(text.get(length..).unwrap_or_default()).into_owned();
        return Err(format!("unexpected `{rest}` after the variable {}", reference.text));
    }
    Ok(reference)
}

/// Parses the variable at the start of `text` and says how many bytes it took.
pub fn parse_prefix(text: &[u8], dictionary: &dyn Dictionary) -> Result<(Reference, usize), String> {
    parse_nested(text, dictionary, 0)
}

pub(crate) fn parse_nested(text: &[u8], dictionary: &dyn Dictionary, depth: usize) -> Result<(Reference, usize), String> {
    if depth > NESTING_MAX {
        return Err("variables nested too deeply".to_string());
    }
    let mut parser = Parser { text, position: 0, dictionary, depth };
    parser.expect(b'$')?;
    let is_wrapped = parser.take(b'(');
    let name_start = parser.position;
    while parser.peek().is_some_and(is_name_byte) {
        parser.position += 1;
    }
    if parser.position == name_start && parser.peek() == Some(b'$') {
        parser.position += 1;
    }
    let name = String::from_utf8_lossy(parser.slice(name_start, parser.position)).into_owned();
    if name.is_empty() {
        return Err("a variable name is expected after `$`".to_string());
    }
    let target = target(&name, dictionary)?;
    let inner = parser.inner(&name, target)?;
    let mut index = None;
    let mut transformations = Vec::new();
    if is_wrapped {
        if parser.peek() == Some(b'[') {
            let is_indexed = matches!(target, Target::Declared(Named { is_indexed: true, .. }));
            if !is_indexed {
                return Err(format!("${name} takes no index"));
            }
            index = Some(parser.index()?);
        }
        loop {
            parser.blanks();
            if parser.peek() != Some(b'{') {
                break;
            }
            if transformations.len() >= TRANSFORMATIONS_MAX {
                return Err("too many transformations".to_string());
            }
            let rest = parser.slice(parser.position, text.len());
            let (transformation, length) = transform::parse(rest, dictionary, depth)?;
            transformations.push(transformation);
            parser.position += length;
        }
        if !parser.take(b')') {
            return Err(match parser.peek() {
                Some(byte) => format!("unexpected `{}` in the variable ${name}", char::from(byte).escape_default()),
                None => format!("`)` is missing at the end of the variable ${name}"),
            });
        }
    }
    let length = parser.position;
    let text = Text::from(parser.slice(0, length));
    Ok((Reference { text, target, inner, index, transformations }, length))
}

fn target(name: &str, dictionary: &dyn Dictionary) -> Result<Target, String> {
    Ok(match name {
        "null" => Target::Null,
        "true" => Target::True,
        "$" => Target::Dollar,
        "rc" | "retcode" | "?" => Target::ReturnCode,
        "_s" => Target::Formatted,
        _ => match dictionary.find(name) {
            Some(named) => Target::Declared(named),
            None => return Err(unknown(name, dictionary)),
        },
    })
}

fn unknown(name: &str, dictionary: &dyn Dictionary) -> String {
    if let Some(module) = dictionary.home_of(name) {
        return format!("${name} is of module {module}, which is not loaded");
    }
    // `$rU.txt` and `$fu_x`: the name swallowed what was meant as text.
    let known = name.match_indices(['.', '_']).map(|(at, _)| at).rev().find_map(|at| {
        let prefix = name.get(..at)?;
        dictionary.find(prefix).map(|_| (prefix, name.get(at..).unwrap_or_default()))
    });
    match known {
        Some((prefix, rest)) => {
            format!("unknown variable ${name} (for ${prefix} followed by text write $({prefix}){rest})")
        }
        None => format!("unknown variable ${name}"),
    }
}

/// Position after the bracket that closes the one at `open`, counting nested ones of the same kind.
pub(crate) fn closing(text: &[u8], open: usize, opener: u8, closer: u8) -> Option<usize> {
    let mut depth = 0usize;
    for (offset, byte) in text.get(open..)?.iter().enumerate() {
        if *byte == opener {
            depth += 1;
        } else if *byte == closer {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(open + offset + 1);
            }
        }
    }
    None
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

    fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.text.get(start..end).unwrap_or_default()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        if is_there {
            self.position += 1;
        }
        is_there
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.take(byte) { Ok(()) } else { Err(format!("`{}` expected", char::from(byte))) }
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.position += 1;
        }
    }

    fn inner(&mut self, name: &str, target: Target) -> Result<InnerText, String> {
        let kind = match target {
            Target::Declared(named) => named.inner,
            Target::Formatted => InnerKind::Format,
            _ => InnerKind::None,
        };
        if self.peek() != Some(b'(') {
            return match kind {
                InnerKind::None | InnerKind::OptionalWord => Ok(InnerText::Constant(Inner::None)),
                _ => Err(format!("${name} expects a name in parentheses")),
            };
        }
        if kind == InnerKind::None {
            return Err(format!("${name} takes no name in parentheses"));
        }
        let start = self.position + 1;
        let Some(end) = closing(self.text, self.position, b'(', b')') else {
            return Err(format!("`)` is missing after ${name}("));
        };
        let inner = self.slice(start, end - 1);
        self.position = end;
        if inner.is_empty() {
            return Err(format!("the name in parentheses of ${name} is empty"));
        }
        self.inner_of_kind(name, kind, inner)
    }

    fn inner_of_kind(&self, name: &str, kind: InnerKind, inner: &[u8]) -> Result<InnerText, String> {
        Ok(match kind {
            InnerKind::None | InnerKind::Word | InnerKind::OptionalWord => InnerText::Constant(Inner::Word(Text::from(inner.trim_ascii()))),
            InnerKind::Format => {
                let format = Format::parse_nested(inner, self.dictionary, self.depth + 1)?;
                match format.constant() {
                    Some(text) => InnerText::Constant(Inner::Word(text)),
                    None => InnerText::Format(format),
                }
            }
            InnerKind::Variable => {
                // `$T_req(rU)` and `$T_req($rU)`; `$cnt($avp(x))`.
                let mut text = inner.trim_ascii().to_vec();
                if text.first() != Some(&b'$') {
                    text.insert(0, b'$');
                }
                let (reference, length) = parse_nested(&text, self.dictionary, self.depth + 1)?;
                if length < text.len() {
                    return Err(format!("${name} expects one variable in parentheses"));
                }
                InnerText::Constant(Inner::Variable(Arc::new(reference)))
            }
            InnerKind::OneOf(words) => {
                let word = inner.trim_ascii();
                let found = words
                    .iter()
                    .position(|known| known.as_bytes() == word)
                    .or_else(|| words.iter().position(|known| known.as_bytes().eq_ignore_ascii_case(word)));
                match found.and_then(|position| u16::try_from(position).ok()) {
                    Some(choice) => InnerText::Constant(Inner::Choice(choice)),
                    None => {
                        let word = String::from_utf8_lossy(word);
                        return Err(format!("${name} knows no `{word}` (known: {})", words.join(" ")));
                    }
                }
            }
            InnerKind::Xavp => self.xavp(name, inner)?,
        })
    }

    /// `root[index]=>key[index]`
    fn xavp(&self, name: &str, inner: &[u8]) -> Result<InnerText, String> {
        let arrow = inner.windows(2).position(|pair| pair == b"=>");
        let (root, key) = match arrow {
            Some(at) => (inner.get(..at).unwrap_or_default(), inner.get(at + 2..)),
            None => (inner, None),
        };
        let (root, root_index) = self.xavp_part(name, root)?;
        let key = key.map(|key| self.xavp_part(name, key)).transpose()?;
        let constant_index = |index: &Option<IndexText>| match index {
            None => Some(None),
            Some(IndexText::Constant(index)) => Some(Some(*index)),
            Some(IndexText::Variable(_)) => None,
        };
        let constant = (|| {
            let key = match &key {
                None => None,
                Some((key, index)) => Some((key.constant()?, constant_index(index)?)),
            };
            Some(XavpPath { root: root.constant()?, root_index: constant_index(&root_index)?, key })
        })();
        Ok(match constant {
            Some(path) => InnerText::Constant(Inner::Xavp(path)),
            None => InnerText::Xavp { root, root_index, key },
        })
    }

    fn xavp_part(&self, name: &str, part: &[u8]) -> Result<(Format, Option<IndexText>), String> {
        let part = part.trim_ascii();
        // A bracket that ends the part is the index; brackets inside nested variables are not.
        let (word, index) = match part.iter().position(|byte| *byte == b'[') {
            Some(at) if part.last() == Some(&b']') && part.first() != Some(&b'$') => {
                let mut parser = Parser { text: part, position: at, dictionary: self.dictionary, depth: self.depth };
                let index = parser.index()?;
                if parser.position < part.len() {
                    return Err(format!("unexpected text after the index in ${name}"));
                }
                (part.get(..at).unwrap_or_default().trim_ascii(), Some(index))
            }
            _ => (part, None),
        };
        if word.is_empty() {
            return Err(format!("${name} expects name=>key in parentheses"));
        }
        Ok((Format::parse_nested(word, self.dictionary, self.depth + 1)?, index))
    }

    /// `[N]`, `[-N]`, `[*]`, `[+]`, `[$variable]`; the position is at the bracket.
    fn index(&mut self) -> Result<IndexText, String> {
        let start = self.position + 1;
        let Some(end) = closing(self.text, self.position, b'[', b']') else {
            return Err("`]` is missing after the index".to_string());
        };
        let inner = self.slice(start, end - 1);
        self.position = end;
        Ok(match inner {
            b"*" => IndexText::Constant(Index::All),
            b"+" => IndexText::Constant(Index::Append),
            [b'$', ..] => {
                let (reference, length) = parse_nested(inner, self.dictionary, self.depth + 1)?;
                if length < inner.len() {
                    return Err("an index is a number, `*` or one variable".to_string());
                }
                IndexText::Variable(Box::new(reference))
            }
            _ => {
                let number = std::str::from_utf8(inner).ok().and_then(|digits| digits.parse::<i64>().ok());
                match number {
                    Some(number) => IndexText::Constant(Index::At(number)),
                    None => return Err(format!("bad index [{}]", String::from_utf8_lossy(inner))),
                }
            }
        })
    }
}
