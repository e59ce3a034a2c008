//! `/regex/replacement/flags`: the sed form of `subst*` functions and `{re.subst}` (spec cfg-language 2.5, 12).

use std::sync::Arc;

use super::{Flags, Pattern};
use crate::value::Text;
use crate::variable::{self, Dictionary, Reference};

/// Replacements made in one subject.
pub const REPLACEMENTS_MAX: usize = 65_536;
/// Text put in by all replacements of one subject, bytes; then no more are made.
pub const REPLACED_BYTES_MAX: usize = 1 << 20;

/// A compiled substitution.
#[derive(Clone, Debug)]
pub struct Substitution {
    source: Text,
    pattern: Pattern,
    pieces: Vec<Piece>,
    is_global: bool,
}

/// A part of the replacement.
#[derive(Clone, Debug)]
pub enum Piece {
    Text(Text),
    /// `\0` .. `\9`
    Group(usize),
    Variable(Arc<Reference>),
}

/// One replacement: bytes `start..end` of the subject become `text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaced {
    pub start: usize,
    pub end: usize,
    pub text: Vec<u8>,
}

impl Substitution {
    /// Parses and compiles; variables of the replacement are looked up in `dictionary`.
    pub fn parse(source: &[u8], dictionary: &dyn Dictionary) -> Result<Substitution, String> {
        let bad = || "a substitution is written /regular expression/replacement/flags".to_string();
        let (&separator, rest) = source.split_first().ok_or_else(bad)?;
        if separator == b'\\' {
            return Err("a substitution cannot be delimited by backslashes".to_string());
        }
        let (expression, rest) = part(rest, separator).ok_or_else(bad)?;
        let (replacement, letters) = part(rest, separator).ok_or_else(bad)?;
        let mut flags = Flags { ignore_case: false, newline: true };
        let mut is_global = false;
        for letter in letters {
            match letter {
                b'i' => flags.ignore_case = true,
                b'g' => is_global = true,
                b's' => flags.newline = false,
                other => return Err(format!("unknown flag `{}` of a substitution (known: i g s)", char::from(*other))),
            }
        }
        let pattern = Pattern::compile(&unescape_separator(expression, separator), flags)?;
        let pieces = pieces(&unescape_separator(replacement, separator), dictionary)?;
        let groups = pattern.regex().captures_len();
        let highest = pieces.iter().filter_map(|piece| if let Piece::Group(number) = piece { Some(*number) } else { None }).max();
        if let Some(number) = highest.filter(|number| *number >= groups) {
            return Err(format!("\\{number} in the replacement, but the regular expression has {} group(s)", groups.saturating_sub(1)));
        }
        Ok(Substitution { source: Text::from(source), pattern, pieces, is_global })
    }

    /// The text as written.
    pub fn source(&self) -> &Text {
        &self.source
    }

    /// The regular expression alone.
    pub fn pattern(&self) -> &Pattern {
        &self.pattern
    }

    /// Every replacement for `subject`, in order, not overlapping; `expand` appends the text of a variable.
    /// Without flag `g` only the first. An expression that matches nothing at all somewhere replaces nothing.
    pub fn replacements(&self, subject: &[u8], mut expand: impl FnMut(&Reference, &mut Vec<u8>)) -> Vec<Replaced> {
        let most = if self.is_global { REPLACEMENTS_MAX } else { 1 };
        let mut made = Vec::new();
        let mut total = 0;
        let mut position = 0;
        while made.len() < most && position <= subject.len() {
            let Some(captures) = self.pattern.regex().captures_at(subject, position) else { break };
            let Some(whole) = captures.get(0) else { break };
            if whole.is_empty() {
                return Vec::new();
            }
            position = whole.end();
            let mut text = Vec::new();
            for piece in &self.pieces {
                match piece {
                    Piece::Text(literal) => text.extend_from_slice(literal),
                    Piece::Group(number) => {
                        if let Some(group) = captures.get(*number) {
                            text.extend_from_slice(group.as_bytes());
                        }
                    }
                    Piece::Variable(reference) => expand(reference, &mut text),
                }
            }
            total += text.len();
            if total > REPLACED_BYTES_MAX {
                break;
            }
            made.push(Replaced { start: whole.start(), end: whole.end(), text });
        }
        made
    }

    /// The whole subject with the replacements made, and how many there were; `None` when nothing matches.
    pub fn apply(&self, subject: &[u8], expand: impl FnMut(&Reference, &mut Vec<u8>)) -> Option<(Vec<u8>, usize)> {
        let made = self.replacements(subject, expand);
        if made.is_empty() {
            return None;
        }
        let mut out = Vec::with_capacity(subject.len());
        let mut position = 0;
        for replaced in &made {
            out.extend_from_slice(subject.get(position..replaced.start).unwrap_or_default());
            out.extend_from_slice(&replaced.text);
            position = replaced.end;
        }
        out.extend_from_slice(subject.get(position..).unwrap_or_default());
        Some((out, made.len()))
    }
}

/// Splits at the first separator that no backslash precedes.
fn part(text: &[u8], separator: u8) -> Option<(&[u8], &[u8])> {
    let mut position = 0;
    while let Some(byte) = text.get(position) {
        if *byte == b'\\' {
            position += 2;
            continue;
        }
        if *byte == separator {
            return Some((text.get(..position)?, text.get(position + 1..)?));
        }
        position += 1;
    }
    None
}

fn unescape_separator(text: &[u8], separator: u8) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut position = 0;
    while let Some(byte) = text.get(position) {
        if *byte == b'\\' {
            match text.get(position + 1) {
                Some(next) if *next == separator => out.push(separator),
                Some(next) => out.extend_from_slice(&[b'\\', *next]),
                None => out.push(b'\\'),
            }
            position += 2;
            continue;
        }
        out.push(*byte);
        position += 1;
    }
    out
}

fn pieces(replacement: &[u8], dictionary: &dyn Dictionary) -> Result<Vec<Piece>, String> {
    let mut made = Vec::new();
    let mut literal = Vec::new();
    let flush = |literal: &mut Vec<u8>, made: &mut Vec<Piece>| {
        if !literal.is_empty() {
            made.push(Piece::Text(Text::from(std::mem::take(literal))));
        }
    };
    let mut position = 0;
    while let Some(byte) = replacement.get(position) {
        let next = replacement.get(position + 1).copied();
        match (byte, next) {
            (b'\\', Some(digit @ b'0'..=b'9')) => {
                flush(&mut literal, &mut made);
                made.push(Piece::Group(usize::from(digit - b'0')));
                position += 2;
            }
            (b'\\', Some(escaped)) => {
                match escaped {
                    b'n' => literal.push(b'\n'),
                    b'r' => literal.push(b'\r'),
                    b't' => literal.push(b'\t'),
                    other => literal.push(other),
                }
                position += 2;
            }
            (b'$', Some(b'$')) => {
                literal.push(b'$');
                position += 2;
            }
            (b'$', Some(after)) if after == b'(' || variable::is_name_byte(after) => {
                let (reference, length) = variable::parse_prefix(replacement.get(position..).unwrap_or_default(), dictionary)?;
                flush(&mut literal, &mut made);
                made.push(Piece::Variable(Arc::new(reference)));
                position += length;
            }
            (other, _) => {
                literal.push(*other);
                position += 1;
            }
        }
    }
    flush(&mut literal, &mut made);
    Ok(made)
}
