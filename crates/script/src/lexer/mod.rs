//! From bytes to tokens: a stack of files and define texts, with the preprocessor's directives carried out on the way.

pub(crate) mod cursor;
mod literal;
pub mod reserved;
pub mod token;

use cursor::{Cursor, Mark, Origin, is_blank, is_word_byte, is_word_start};
use token::{Token, TokenKind};

use crate::diagnostic::{Diagnostic, Report};
use crate::limits::{DEFINE_DEPTH_MAX, EXPANSIONS_MAX, TOKENS_MAX};
use crate::preprocess::Defines;
use crate::preprocess::conditional::Conditionals;
use crate::preprocess::directive_at;
use crate::preprocess::substitution::Substitutions;
use crate::source::{Files, Sources, Span};

/// The token source of one configuration.
pub struct Lexer<'a> {
    pub(crate) files: &'a mut dyn Files,
    pub(crate) sources: Sources,
    pub(crate) cursors: Vec<Cursor>,
    pub(crate) defines: Defines,
    pub(crate) substitutions: Substitutions,
    pub(crate) conditionals: Conditionals,
    pub(crate) report: Report,
    pub(crate) source_bytes: usize,
    tokens: usize,
    expansions: usize,
    skipped_bytes: [bool; 256],
    last_place: Span,
}

impl<'a> Lexer<'a> {
    /// A lexer that has no file yet; see [`Lexer::open`].
    pub fn new(files: &'a mut dyn Files, defines: Defines) -> Lexer<'a> {
        Lexer {
            files,
            sources: Sources::default(),
            cursors: Vec::new(),
            defines,
            substitutions: Substitutions::default(),
            conditionals: Conditionals::default(),
            report: Report::default(),
            source_bytes: 0,
            tokens: 0,
            expansions: 0,
            skipped_bytes: [false; 256],
            last_place: Span::default(),
        }
    }

    /// Starts with the main file.
    pub fn open(&mut self, path: &str) -> Result<(), String> {
        let bytes = self.files.read(path)?;
        self.open_source(path.to_string(), bytes)
    }

    /// The next token; [`TokenKind::End`] again and again after the last.
    pub fn next_token(&mut self) -> Token {
        let mut is_glued = true;
        loop {
            if self.is_in_file() && !self.conditionals.is_active() {
                self.skip_inactive();
                is_glued = false;
            }
            let Some(byte) = self.byte() else {
                if !self.leave_source() {
                    return Token { kind: TokenKind::End, span: self.last_place, is_glued: false };
                }
                continue;
            };
            if self.skip_between(byte) {
                is_glued = false;
                continue;
            }
            let mark = self.mark();
            let span_before = self.span_from(mark);
            self.last_place = span_before;
            if self.tokens >= TOKENS_MAX {
                self.report.add(Diagnostic::error(span_before, format!("more than {TOKENS_MAX} tokens: the rest is not read")));
                self.cursors.clear();
                continue;
            }
            if let Some(token) = self.token(byte, mark, is_glued) {
                self.tokens += 1;
                return token;
            }
        }
    }

    /// Ends the current source; false when there is none left.
    fn leave_source(&mut self) -> bool {
        if self.cursors.len() == 1 {
            self.last_place = self.span_from(self.mark());
            for place in self.conditionals.open_places() {
                self.report.add(Diagnostic::error(place, "this condition has no `#!endif`"));
            }
            self.conditionals = Conditionals::default();
        }
        self.cursors.pop().is_some()
    }

    /// Passes over blanks, comments and directives; false when a token begins here.
    fn skip_between(&mut self, byte: u8) -> bool {
        match (byte, self.byte_after(1)) {
            (b'\n', _) => self.advance(1),
            (byte, _) if is_blank(byte) => self.advance(1),
            (b'\\', Some(b'\n')) => self.advance(2),
            (b'\\', Some(b'\r')) if self.byte_after(2) == Some(b'\n') => self.advance(3),
            (b'#', _) => self.skip_hash(),
            (b'/', Some(b'/')) => self.skip_line_comment(),
            (b'/', Some(b'*')) => self.skip_block_comment(),
            (b'!', Some(b'!')) => {
                let Some((found, length)) = self.directive_here() else {
                    return false;
                };
                self.run_directive(found, length);
            }
            _ => return false,
        }
        true
    }

    fn directive_here(&self) -> Option<(crate::preprocess::Directive, usize)> {
        if self.is_in_file() { directive_at(self.rest()) } else { None }
    }

    fn skip_hash(&mut self) {
        match self.directive_here() {
            Some((found, length)) => self.run_directive(found, length),
            None => {
                let mark = self.mark();
                let line = self.rest_of_line();
                if line == b"#!SER" {
                    let place = self.span_from(mark);
                    self.report.add(Diagnostic::warning(place, "SER mode is not supported: the file is read in KAMAILIO mode"));
                }
            }
        }
    }

    fn skip_line_comment(&mut self) {
        self.rest_of_line();
    }

    fn skip_block_comment(&mut self) {
        let mark = self.mark();
        let opened = self.span_from(mark);
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            match (byte, self.byte_after(1)) {
                (b'/', Some(b'*')) => {
                    depth += 1;
                    self.advance(2);
                }
                (b'*', Some(b'/')) => {
                    depth = depth.saturating_sub(1);
                    self.advance(2);
                    if depth == 0 {
                        return;
                    }
                }
                _ => self.advance(1),
            }
        }
        let message = "this comment is not closed: everything up to the end of the file belongs to it";
        self.report.add(Diagnostic::warning(opened, message).with_help("comments inside comments are counted"));
    }

    /// The token that begins here, or None when the bytes made none (an expanded define, a skipped byte).
    fn token(&mut self, byte: u8, mark: Mark, is_glued: bool) -> Option<Token> {
        let (depth, place) = (self.cursors.len(), self.last_place);
        let kind = match byte {
            b'"' | b'\'' => {
                let text = self.string();
                TokenKind::Text(self.substitutions.apply(text))
            }
            b'$' => self.variable(mark),
            b'@' if self.byte_after(1).is_some_and(is_word_start) => self.select(),
            b'%' if self.byte_after(1).is_some_and(is_word_start) => {
                self.advance(1);
                TokenKind::Attribute(self.word())
            }
            _ => match self.ip6() {
                Some(address) => TokenKind::Ip6(address),
                None if byte.is_ascii_digit() => self.number(mark),
                None if is_word_start(byte) => return self.word_token(mark, is_glued),
                None => return self.symbol_token(byte, mark, is_glued),
            },
        };
        // A text that began in a define and went on behind it has the place of the define.
        let span = if self.cursors.len() == depth { self.span_from(mark) } else { place };
        Some(Token { kind, span, is_glued })
    }

    fn word_token(&mut self, mark: Mark, is_glued: bool) -> Option<Token> {
        let mut word = self.word();
        let suffix: &[u8] = match word.as_str() {
            "msg" => b":len",
            "uri" if self.rest().starts_with(b":host") => b":host",
            "uri" => b":port",
            _ => b"",
        };
        let is_whole = !self.byte_after(suffix.len()).is_some_and(is_word_byte);
        if !suffix.is_empty() && self.rest().starts_with(suffix) && is_whole {
            word.push_str(&String::from_utf8_lossy(suffix));
            self.advance(suffix.len());
        }
        let span = self.span_from(mark);
        if (word == "include_file" || word == "import_file") && self.starts_string_after_blanks() {
            self.skip_blanks();
            self.run_include(mark, word == "import_file");
            return None;
        }
        if !reserved::is_reserved(&word) && self.expand(&word, span) {
            return None;
        }
        Some(Token { kind: TokenKind::Word(word), span, is_glued })
    }

    fn starts_string_after_blanks(&self) -> bool {
        self.rest().iter().find(|byte| !is_blank(**byte)) == Some(&b'"')
    }

    /// Reads the text of a define in place of the word; false when it is no define.
    fn expand(&mut self, word: &str, span: Span) -> bool {
        let Some(text) = self.defines.text(word).map(|text| text.cloned()) else {
            return false;
        };
        let Some(text) = text else { return true };
        let mut depth = 0;
        let mut is_recursive = false;
        for cursor in self.cursors.iter().rev() {
            let Origin::Define { name, .. } = &cursor.origin else {
                break;
            };
            depth += 1;
            is_recursive |= name == word;
        }
        if is_recursive || depth >= DEFINE_DEPTH_MAX {
            self.report.add(Diagnostic::error(span, format!("the define {word} contains itself")));
            return true;
        }
        self.expansions += 1;
        if self.expansions > EXPANSIONS_MAX {
            self.report.add(Diagnostic::error(span, format!("more than {EXPANSIONS_MAX} uses of defines")));
            return true;
        }
        self.report.note_expansion(span, word);
        self.cursors.push(Cursor::define(word.to_string(), span, text.as_ref().into()));
        true
    }

    fn symbol_token(&mut self, byte: u8, mark: Mark, is_glued: bool) -> Option<Token> {
        let rest = self.rest();
        let found = SYMBOLS.iter().find(|symbol| rest.starts_with(symbol.as_bytes()));
        let Some(symbol) = found else {
            self.advance(1);
            let place = self.span_from(mark);
            if let Some(seen) = self.skipped_bytes.get_mut(usize::from(byte))
                && !std::mem::replace(seen, true)
            {
                let shown = char::from(byte).escape_default().to_string();
                self.report.add(Diagnostic::warning(place, format!("the byte `{shown}` has no meaning here and is skipped")));
            }
            return None;
        };
        self.advance(symbol.len());
        Some(Token { kind: TokenKind::Symbol(symbol), span: self.span_from(mark), is_glued })
    }

    /// The name of an event between `[` and `]`, read without defines; call it right after the `[` token was taken.
    pub fn event_name(&mut self) -> (String, Span) {
        while self.byte().is_some_and(|byte| is_blank(byte) || byte == b'\n') {
            self.advance(1);
        }
        let mark = self.mark();
        let name = self.take_while(|byte| !matches!(byte, b']' | b'{' | b'}' | b';') && byte > b' ');
        (String::from_utf8_lossy(&name).into_owned(), self.span_from(mark))
    }

    fn word(&mut self) -> String {
        String::from_utf8_lossy(&self.take_while(is_word_byte)).into_owned()
    }

    // The current source, or nothing at the end.

    pub(crate) fn byte(&self) -> Option<u8> {
        self.cursors.last().and_then(Cursor::byte)
    }

    pub(crate) fn byte_after(&self, offset: usize) -> Option<u8> {
        self.cursors.last().and_then(|cursor| cursor.byte_after(offset))
    }

    pub(crate) fn rest(&self) -> &[u8] {
        self.cursors.last().map_or(b"", |cursor| cursor.rest())
    }

    pub(crate) fn advance(&mut self, count: usize) {
        if let Some(cursor) = self.cursors.last_mut() {
            cursor.advance(count);
        }
    }

    pub(crate) fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> Vec<u8> {
        self.cursors.last_mut().map(|cursor| cursor.take_while(accept)).unwrap_or_default()
    }

    pub(crate) fn skip_blanks(&mut self) {
        if let Some(cursor) = self.cursors.last_mut() {
            cursor.skip_blanks();
        }
    }

    /// Consumes the line up to its line feed, which stays; without a carriage return at its end.
    pub(crate) fn rest_of_line(&mut self) -> Vec<u8> {
        let mut line = self.take_while(|byte| byte != b'\n');
        if line.last() == Some(&b'\r') {
            line.pop();
        }
        line
    }

    pub(crate) fn mark(&self) -> Mark {
        self.cursors.last().map_or_else(Mark::default, Cursor::mark)
    }

    pub(crate) fn span_from(&self, mark: Mark) -> Span {
        self.cursors.last().map_or(self.last_place, |cursor| cursor.span_from(mark))
    }

    pub(crate) fn is_in_file(&self) -> bool {
        self.cursors.last().is_some_and(Cursor::is_file)
    }
}

/// All symbols, longer ones before their beginnings.
#[rustfmt::skip]
const SYMBOLS: &[&str] = &[
    "||", "&&", "==", "!=", "=~", "<=", ">=", "<<", ">>", "+=", "-=", "++", "(", ")", "{", "}", "[", "]", ",", ";", ":", ".", "*",
    "+", "-", "/", "=", "<", ">", "|", "&", "^", "~", "!", "%",
];

#[cfg(test)]
mod tests;
