//! One source of bytes being read: a file, or the text of a define at the place of its use.

use std::sync::Arc;

use crate::source::{FileId, Span};

/// Bytes with a read position.
#[derive(Debug)]
pub(crate) struct Cursor {
    bytes: Arc<[u8]>,
    at: usize,
    pub(crate) origin: Origin,
    line: u32,
    column: u32,
}

/// Where the bytes come from.
#[derive(Debug)]
pub(crate) enum Origin {
    File {
        file: FileId,
        path: String,
    },
    /// The text of a define, used at `place`.
    Define {
        name: String,
        place: Span,
    },
}

/// A position to build a span from.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mark {
    line: u32,
    column: u32,
}

impl Cursor {
    pub(crate) fn file(file: FileId, path: String, bytes: Arc<[u8]>) -> Cursor {
        let at = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        Cursor { bytes, at, origin: Origin::File { file, path }, line: 1, column: 1 + at as u32 }
    }

    pub(crate) fn define(name: String, place: Span, bytes: Arc<[u8]>) -> Cursor {
        Cursor { bytes, at: 0, origin: Origin::Define { name, place }, line: 1, column: 1 }
    }

    pub(crate) fn is_file(&self) -> bool {
        matches!(self.origin, Origin::File { .. })
    }

    /// The next byte, not consumed.
    pub(crate) fn byte(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The byte `offset` after the next.
    pub(crate) fn byte_after(&self, offset: usize) -> Option<u8> {
        self.at.checked_add(offset).and_then(|at| self.bytes.get(at)).copied()
    }

    /// Everything not read yet.
    pub(crate) fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or(b"")
    }

    /// Consumes `count` bytes.
    pub(crate) fn advance(&mut self, count: usize) {
        for _ in 0..count {
            let Some(byte) = self.byte() else { return };
            self.at += 1;
            if byte == b'\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
    }

    /// Consumes and returns the bytes for which `accept` holds.
    pub(crate) fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> Vec<u8> {
        let count = self.rest().iter().take_while(|byte| accept(**byte)).count();
        let taken = self.rest().get(..count).unwrap_or(b"").to_vec();
        self.advance(count);
        taken
    }

    /// Consumes blanks of one line.
    pub(crate) fn skip_blanks(&mut self) {
        self.take_while(is_blank);
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { line: self.line, column: self.column }
    }

    /// From the mark to here; in the text of a define it is the place where the define was used.
    pub(crate) fn span_from(&self, mark: Mark) -> Span {
        match &self.origin {
            Origin::File { file, .. } => {
                Span { file: *file, line: mark.line, column: mark.column, end_line: self.line, end_column: self.column }
            }
            Origin::Define { place, .. } => *place,
        }
    }
}

/// Blanks of spec cfg-language 1.1: space, tab, backspace, carriage return.
pub(crate) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | 0x08 | b'\r')
}

/// First byte of an identifier.
pub(crate) fn is_word_start(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

/// Later bytes of an identifier.
pub(crate) fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
