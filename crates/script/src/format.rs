//! Format strings: text with variables inside, compiled once (spec cfg-language 11.1, 14).

use std::sync::Arc;

use crate::value::Text;
use crate::variable::{self, Dictionary, Reference};

/// A compiled format string.
#[derive(Clone, Debug, PartialEq)]
pub struct Format {
    pub(crate) source: Text,
    pub(crate) pieces: Vec<Piece>,
}

/// A part of a format string.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Piece {
    Text(Text),
    Variable(Arc<Reference>),
}

impl Format {
    /// Compiles; the error is a sentence without position. `$$` is a dollar, a lone `$` is an error.
    pub fn parse(text: &[u8], dictionary: &dyn Dictionary) -> Result<Format, String> {
        Format::parse_nested(text, dictionary, 0)
    }

    pub(crate) fn parse_nested(text: &[u8], dictionary: &dyn Dictionary, depth: usize) -> Result<Format, String> {
        let mut pieces = Vec::new();
        let mut literal: Vec<u8> = Vec::new();
        let mut position = 0;
        while let Some(rest) = text.get(position..).filter(|rest| !rest.is_empty()) {
            let dollar = rest.iter().position(|byte| *byte == b'$');
            let plain = rest.get(..dollar.unwrap_or(rest.len())).unwrap_or_default();
            literal.extend_from_slice(plain);
            position += plain.len();
            let Some(dollar) = dollar else { break };
            let variable = rest.get(dollar..).unwrap_or_default();
            match variable.get(1) {
                Some(b'$') => {
                    literal.push(b'$');
                    position += 2;
                }
                Some(next) if *next == b'(' || variable::is_name_byte(*next) => {
                    let (reference, length) = variable::parse_nested(variable, dictionary, depth)?;
                    if !literal.is_empty() {
                        pieces.push(Piece::Text(Text::from(std::mem::take(&mut literal))));
                    }
                    pieces.push(Piece::Variable(Arc::new(reference)));
                    position += length;
                }
                _ => return Err("a lone `$` in a format string (write `$$` for a dollar)".to_string()),
            }
        }
        if !literal.is_empty() {
            pieces.push(Piece::Text(Text::from(literal)));
        }
        Ok(Format { source: Text::from(text), pieces })
    }

    /// A format that is `text` itself, `$` without meaning.
    pub fn literal(text: impl Into<Text>) -> Format {
        let text = text.into();
        let pieces = if text.is_empty() { Vec::new() } else { vec![Piece::Text(text.clone())] };
        Format { source: text, pieces }
    }

    /// As it was written.
    pub fn source(&self) -> &Text {
        &self.source
    }

    /// The text, when no variable is inside.
    pub fn constant(&self) -> Option<Text> {
        match self.pieces.as_slice() {
            [] => Some(Text::empty()),
            [Piece::Text(text)] => Some(text.clone()),
            _ => None,
        }
    }

    /// The variable, when the format is exactly one.
    pub fn single(&self) -> Option<&Arc<Reference>> {
        match self.pieces.as_slice() {
            [Piece::Variable(reference)] => Some(reference),
            _ => None,
        }
    }
}
