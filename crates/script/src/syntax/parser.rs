//! The parser's hands: looking ahead, taking tokens, reporting, and finding the next safe place after an error.

use std::collections::{BTreeSet, VecDeque};

use crate::diagnostic::Diagnostic;
use crate::lexer::Lexer;
use crate::lexer::token::{Token, TokenKind};
use crate::limits::NESTING_MAX;
use crate::load::ModuleCatalogue;
use crate::source::Span;
use crate::syntax::ast::{Configuration, RouteKind};

/// An error that is already in the report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reported;

/// What parsing a piece yields.
pub(crate) type Parsed<T> = Result<T, Reported>;

/// Reads one configuration.
pub(crate) struct Parser<'a> {
    pub(crate) lexer: Lexer<'a>,
    pub(crate) modules: &'a dyn ModuleCatalogue,
    pub(crate) configuration: Configuration,
    /// Modules that could not be loaded: their parameters are not reported again.
    pub(crate) missing_modules: BTreeSet<String>,
    /// `socket_workers` waiting for the next `listen`.
    pub(crate) workers: Option<u32>,
    /// The kind of the block being read.
    pub(crate) route_kind: Option<RouteKind>,
    buffer: VecDeque<Token>,
    last: Span,
    taken: u64,
    depth: usize,
    /// Where an unclosed block was noticed, so that the blocks around it are not reported too.
    pub(crate) unclosed_at: Option<u64>,
}

impl<'a> Parser<'a> {
    pub(crate) fn new(lexer: Lexer<'a>, modules: &'a dyn ModuleCatalogue) -> Parser<'a> {
        Parser {
            lexer,
            modules,
            configuration: Configuration::default(),
            missing_modules: BTreeSet::new(),
            workers: None,
            route_kind: None,
            buffer: VecDeque::new(),
            last: Span::default(),
            taken: 0,
            depth: 0,
            unclosed_at: None,
        }
    }

    /// The token `offset` after the next one.
    pub(crate) fn peek_at(&mut self, offset: usize) -> &Token {
        while self.buffer.len() <= offset {
            let token = self.lexer.next_token();
            self.buffer.push_back(token);
        }
        &self.buffer[offset]
    }

    pub(crate) fn peek(&mut self) -> &Token {
        self.peek_at(0)
    }

    /// Takes the next token; the end stays.
    pub(crate) fn next(&mut self) -> Token {
        let token = self.buffer.pop_front().unwrap_or_else(|| self.lexer.next_token());
        if !token.is_end() {
            self.taken += 1;
            self.last = token.span;
        }
        token
    }

    /// Number of tokens taken so far, to see progress.
    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }

    /// Place of the token taken last.
    pub(crate) fn last_span(&self) -> Span {
        self.last
    }

    pub(crate) fn peek_is(&mut self, symbol: &str) -> bool {
        self.peek().is(symbol)
    }

    pub(crate) fn peek_is_word(&mut self, word: &str) -> bool {
        self.peek().is_word(word)
    }

    /// Takes the symbol if it is next.
    pub(crate) fn take(&mut self, symbol: &str) -> bool {
        let is_next = self.peek_is(symbol);
        if is_next {
            self.next();
        }
        is_next
    }

    /// Takes the symbol or reports what is there instead.
    pub(crate) fn expect(&mut self, symbol: &str, context: &str) -> Parsed<Span> {
        if self.peek_is(symbol) {
            return Ok(self.next().span);
        }
        Err(self.unexpected(&format!("`{symbol}` {context}")))
    }

    /// Takes a text or reports.
    pub(crate) fn expect_text(&mut self, what: &str) -> Parsed<(Vec<u8>, Span)> {
        if let TokenKind::Text(bytes) = &self.peek().kind {
            let bytes = bytes.clone();
            return Ok((bytes, self.next().span));
        }
        Err(self.unexpected(&format!("{what} in quotes")))
    }

    /// Reports that something else was expected here.
    pub(crate) fn unexpected(&mut self, expected: &str) -> Reported {
        let token = self.peek().clone();
        let help = match &token.kind {
            TokenKind::Symbol("=") => Some("`==` compares; `=` assigns and needs its own parentheses inside an expression"),
            TokenKind::Symbol("%") => Some("the remainder is written `mod`"),
            TokenKind::Symbol("!") => Some("there is no `!~`: write `!($x =~ \"...\")`"),
            TokenKind::Symbol("+=" | "-=" | "++") => Some("write `$var(x) = $var(x) + 1`"),
            TokenKind::Symbol("[") => Some("an index needs the long form: `$(hdr(X)[1])`"),
            TokenKind::Text(_) => Some("only texts in double quotes join; is an operator or a comma missing?"),
            TokenKind::Attribute(_) => Some("attributes (`%name`) of old releases are not supported: use `$avp(name)`"),
            _ => None,
        };
        let description = token.description();
        self.report(
            Diagnostic::error(token.span, format!("syntax error: expected {expected}, found {description}"))
                .with_help_if(help.map(String::from)),
        )
    }

    /// Adds a message.
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        self.lexer.report.add(diagnostic);
        Reported
    }

    pub(crate) fn error(&mut self, span: Span, message: impl Into<String>) -> Reported {
        self.report(Diagnostic::error(span, message))
    }

    pub(crate) fn warn(&mut self, span: Span, message: impl Into<String>) {
        self.report(Diagnostic::warning(span, message));
    }

    /// From the beginning of `start` to the token taken last.
    pub(crate) fn span_since(&self, start: Span) -> Span {
        let is_ordered = self.last.file == start.file && (self.last.end_line, self.last.end_column) >= (start.line, start.column);
        if is_ordered { Span { end_line: self.last.end_line, end_column: self.last.end_column, ..start } } else { start }
    }

    /// The place right behind the token taken last.
    pub(crate) fn place_after_last(&self) -> Span {
        Span {
            line: self.last.end_line,
            column: self.last.end_column,
            end_line: self.last.end_line,
            end_column: self.last.end_column.saturating_add(1),
            ..self.last
        }
    }

    /// Goes one level deeper; an error at the bound.
    pub(crate) fn enter(&mut self) -> Parsed<()> {
        if self.depth >= NESTING_MAX {
            let place = self.peek().span;
            return Err(self.error(place, format!("more than {NESTING_MAX} levels inside one another")));
        }
        self.depth += 1;
        Ok(())
    }

    pub(crate) fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// Does a route block begin here?
    pub(crate) fn is_route_header(&mut self) -> bool {
        let is_keyword = self.peek().word().is_some_and(|word| ROUTE_WORDS.contains(&word));
        is_keyword && {
            let after = self.peek_at(1);
            after.is("[") || after.is("{")
        }
    }

    /// After an error in a block: to behind the next `;`, or to the `}` that ends the block.
    pub(crate) fn skip_statement(&mut self) {
        let mut depth = 0_usize;
        loop {
            if self.peek().is_end() || (depth == 0 && self.is_route_header()) {
                return;
            }
            if depth == 0 && self.peek_is("}") {
                return;
            }
            let token = self.next();
            match token.kind {
                TokenKind::Symbol("{") => depth += 1,
                TokenKind::Symbol("}") => {
                    depth = depth.saturating_sub(1);
                    if depth == 0 && !self.peek_is_word("else") {
                        return;
                    }
                }
                TokenKind::Symbol(";") if depth == 0 && !self.peek_is_word("else") => return,
                _ => {}
            }
        }
    }

    /// After an error outside of blocks: to the next word that begins a statement there.
    pub(crate) fn skip_to_top(&mut self) {
        let mut depth = 0_usize;
        loop {
            if self.peek().is_end() || self.is_route_header() {
                return;
            }
            if depth == 0 {
                let starts = self.peek().word().is_some_and(|word| MODULE_WORDS.contains(&word));
                let is_word = self.peek().word().is_some();
                if starts || (is_word && self.peek_at(1).is("=")) {
                    return;
                }
            }
            match self.next().kind {
                TokenKind::Symbol("{") => depth += 1,
                TokenKind::Symbol("}") => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
    }
}

/// Words that begin a route block.
pub(crate) const ROUTE_WORDS: &[&str] =
    &["route", "request_route", "reply_route", "onreply_route", "failure_route", "branch_route", "onsend_route", "event_route"];

/// Words that begin a module statement.
pub(crate) const MODULE_WORDS: &[&str] =
    &["loadmodule", "loadmodulex", "loadpath", "mpath", "modparam", "modparamx", "cfgengine", "flags", "bool", "avpflags"];
