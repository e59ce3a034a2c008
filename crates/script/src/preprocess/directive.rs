//! The directives: `#!define`, `#!ifdef`, `#!subst`, `#!include_file` and all others (spec cfg-language 2.2).

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::lexer::Lexer;
use crate::lexer::cursor::{Mark, is_blank, is_word_byte, is_word_start};
use crate::limits::{CONDITIONALS_MAX, DEFINES_MAX};
use crate::preprocess::defines::DefineError;
use crate::preprocess::expression::{self, Outcome};
use crate::preprocess::static_variable::unquoted;
use crate::preprocess::substitution::RuleParts;
use crate::source::Span;
use crate::value::Text;

/// The directives after their aliases are resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Directive {
    Define(Manner),
    Undefine { must_exist: bool },
    DefineExpression { quotes: bool },
    DefineEnvironment { quotes: bool, must_exist: bool },
    Ifdef { negated: bool },
    Ifexp,
    Else,
    Endif,
    Substitute(Effect),
    Include { is_optional: bool },
}

/// What an existing name means to a define.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    New,
    Keep,
    Replace,
}

/// What a substitution does beside substituting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// `subst`: nothing.
    Substitute,
    /// `substdef`: defines the pattern as a word.
    Define,
    /// `substdefs`: the same, the text in quotes.
    DefineQuoted,
}

fn directive(word: &[u8]) -> Option<Directive> {
    Some(match word {
        b"define" | b"def" => Directive::Define(Manner::New),
        b"trydefine" | b"trydef" => Directive::Define(Manner::Keep),
        b"redefine" | b"redef" => Directive::Define(Manner::Replace),
        b"undefine" | b"undef" => Directive::Undefine { must_exist: true },
        b"tryundefine" | b"tryundef" => Directive::Undefine { must_exist: false },
        b"defexp" => Directive::DefineExpression { quotes: false },
        b"defexps" => Directive::DefineExpression { quotes: true },
        b"defenv" => Directive::DefineEnvironment { quotes: false, must_exist: true },
        b"defenvs" => Directive::DefineEnvironment { quotes: true, must_exist: true },
        b"trydefenv" => Directive::DefineEnvironment { quotes: false, must_exist: false },
        b"trydefenvs" => Directive::DefineEnvironment { quotes: true, must_exist: false },
        b"ifdef" => Directive::Ifdef { negated: false },
        b"ifndef" => Directive::Ifdef { negated: true },
        b"ifexp" => Directive::Ifexp,
        b"else" => Directive::Else,
        b"endif" => Directive::Endif,
        b"subst" => Directive::Substitute(Effect::Substitute),
        b"substdef" => Directive::Substitute(Effect::Define),
        b"substdefs" => Directive::Substitute(Effect::DefineQuoted),
        b"include_file" => Directive::Include { is_optional: false },
        b"import_file" => Directive::Include { is_optional: true },
        _ => return None,
    })
}

/// The directive that `text`, beginning with `#!` or `!!`, is, and the length up to the end of its word.
pub(crate) fn directive_at(text: &[u8]) -> Option<(Directive, usize)> {
    if !text.starts_with(b"#!") && !text.starts_with(b"!!") {
        return None;
    }
    let after = text.get(2..)?;
    let length = after.iter().take_while(|byte| is_word_byte(**byte)).count();
    let found = directive(after.get(..length)?)?;
    let next = after.get(length).copied();
    let is_complete = match found {
        Directive::Else | Directive::Endif => true,
        Directive::Include { .. } | Directive::Substitute(_) => next.is_some_and(|byte| is_blank(byte) || byte == b'"'),
        _ => next.is_some_and(is_blank),
    };
    is_complete.then_some((found, 2 + length))
}

impl Lexer<'_> {
    /// Carries out the directive whose word ends `length` bytes ahead.
    pub(crate) fn run_directive(&mut self, found: Directive, length: usize) {
        let mark = self.mark();
        self.advance(length);
        match found {
            Directive::Define(manner) => self.run_define(mark, manner),
            Directive::Undefine { must_exist } => self.run_undefine(mark, must_exist),
            Directive::DefineExpression { quotes } => self.run_define_expression(mark, quotes),
            Directive::DefineEnvironment { quotes, must_exist } => self.run_define_environment(mark, quotes, must_exist),
            Directive::Ifdef { .. } | Directive::Ifexp | Directive::Else | Directive::Endif => self.run_conditional(found, mark),
            Directive::Substitute(effect) => self.run_substitution(mark, effect),
            Directive::Include { is_optional } => {
                self.skip_blanks();
                self.run_include(mark, is_optional);
            }
        }
    }

    /// `ifdef`, `else`, `endif` and their like, at their place in active or inactive text.
    fn run_conditional(&mut self, found: Directive, mark: Mark) {
        match found {
            Directive::Ifdef { negated } => {
                let name = self.define_name(mark).unwrap_or_default();
                let place = self.span_from(mark);
                self.rest_of_line();
                let is_true = self.defines.is_defined(&name) != negated;
                self.open_conditional(is_true, place);
            }
            Directive::Ifexp => {
                let place = self.span_from(mark);
                let line = self.rest_of_line();
                let is_active = self.conditionals.is_active();
                let is_true = is_active && self.evaluated(&line, place).is_some_and(|outcome| outcome.is_true());
                self.open_conditional(is_true, place);
            }
            Directive::Else | Directive::Endif => {
                let place = self.span_from(mark);
                let is_else = found == Directive::Else;
                let is_open = if is_else { self.conditionals.invert() } else { self.conditionals.close() };
                let word = if is_else { "#!else" } else { "#!endif" };
                if !is_open {
                    self.report.add(Diagnostic::warning(place, format!("`{word}` without an open `#!ifdef`")));
                }
                let rest = self.rest_of_line();
                if rest.iter().any(|byte| !is_blank(*byte)) {
                    let text = format!("text after `{word}`: Kamailio does not see such a directive at all");
                    self.report.add(Diagnostic::warning(place, text).with_help("put the note on a line of its own"));
                }
            }
            _ => {}
        }
    }

    fn open_conditional(&mut self, is_true: bool, place: Span) {
        if !self.conditionals.open(is_true, place) {
            self.report.add(Diagnostic::error(place, format!("more than {CONDITIONALS_MAX} open conditions")));
        }
    }

    /// Passes over text that a condition switched off; only conditions are seen there, byte by byte (spec 2.4).
    pub(crate) fn skip_inactive(&mut self) {
        while self.is_in_file() && !self.conditionals.is_active() {
            let rest = self.rest();
            let Some(next) = rest.iter().position(|byte| matches!(byte, b'#' | b'!')) else {
                let length = rest.len();
                self.advance(length);
                return;
            };
            let found = directive_at(rest.get(next..).unwrap_or(b""))
                .filter(|(found, _)| matches!(found, Directive::Ifdef { .. } | Directive::Ifexp | Directive::Else | Directive::Endif));
            self.advance(next);
            match found {
                Some((found, length)) => self.run_directive(found, length),
                None => self.advance(1),
            }
        }
    }

    fn run_define(&mut self, mark: Mark, manner: Manner) {
        let Some(name) = self.define_name(mark) else {
            self.rest_of_line();
            return;
        };
        let place = self.span_from(mark);
        let text = self.define_text(place);
        self.add_define(&name, Some(Text::from(text)), manner, place);
    }

    /// Puts a define into the table, with the message that belongs to the outcome.
    pub(crate) fn add_define(&mut self, name: &str, text: Option<Text>, manner: Manner, place: Span) {
        let outcome = match manner {
            Manner::New => self.defines.define(name, text),
            Manner::Replace => self.defines.redefine(name, text),
            Manner::Keep if self.defines.is_defined(name) => Ok(()),
            Manner::Keep => self.defines.define(name, text),
        };
        match outcome {
            Ok(()) => {}
            Err(DefineError::AlreadyDefined) => {
                let help = "write `#!redefine` to replace it, or `#!trydef` to keep the first";
                self.report.add(Diagnostic::error(place, format!("already defined: {name}")).with_help(help));
            }
            Err(_) => self.report.add(Diagnostic::error(place, format!("more than {DEFINES_MAX} defines"))),
        }
    }

    /// The name after a directive word; None (with a message) when there is none.
    fn define_name(&mut self, mark: Mark) -> Option<String> {
        self.skip_blanks();
        let start = self.mark();
        let name = self.take_while(is_word_byte);
        let span = self.span_from(start);
        if !name.first().copied().is_some_and(is_word_start) {
            let place = if name.is_empty() { self.span_from(mark) } else { span };
            self.report.add(Diagnostic::error(place, "a name is missing after the directive"));
            return None;
        }
        if self.byte() == Some(b'-') {
            self.report.add(Diagnostic::error(span, "'-' is not allowed in the name of a define"));
            return None;
        }
        Some(String::from_utf8_lossy(&name).into_owned())
    }

    /// Everything to the end of the line; a backslash before the line feed continues it.
    fn define_text(&mut self, place: Span) -> Vec<u8> {
        self.skip_blanks();
        let mut text = Vec::new();
        while let Some(byte) = self.byte() {
            match (byte, self.byte_after(1), self.byte_after(2)) {
                (b'\n', ..) => break,
                (b'\\', Some(b'\n'), _) => self.advance(2),
                (b'\\', Some(b'\r'), Some(b'\n')) => self.advance(3),
                (b'\r', Some(b'\n') | None, _) => self.advance(1),
                _ => {
                    text.push(byte);
                    self.advance(1);
                }
            }
        }
        if let Some(at) = comment_in(&text) {
            let message = "a comment after a define: Kamailio takes it as part of the text";
            self.report.add(Diagnostic::warning(place, message).with_help("put the comment on a line of its own"));
            text.truncate(at);
        }
        text
    }

    fn run_undefine(&mut self, mark: Mark, must_exist: bool) {
        let name = self.define_name(mark);
        let place = self.span_from(mark);
        let rest = self.rest_of_line();
        let Some(name) = name else { return };
        if rest.iter().any(|byte| !is_blank(*byte)) {
            self.report.add(Diagnostic::error(place, "only blanks may follow the name to undefine"));
        }
        if self.defines.undefine(&name).is_err() && must_exist {
            let help = did_you_mean(&name, self.defines.names());
            self.report.add(Diagnostic::warning(place, format!("not defined: {name}")).with_help_if(help));
        }
    }

    fn run_define_expression(&mut self, mark: Mark, quotes: bool) {
        let name = self.define_name(mark);
        let place = self.span_from(mark);
        let line = self.rest_of_line();
        let (Some(name), Some(outcome)) = (name, self.evaluated(&line, place)) else {
            return;
        };
        let text = if quotes { format!("\"{}\"", outcome.to_text()) } else { outcome.to_text() };
        self.add_define(&name, Some(Text::from(text)), Manner::New, place);
    }

    /// The outcome of an expression; a bad one is reported and counts as false.
    fn evaluated(&mut self, line: &[u8], place: Span) -> Option<Outcome> {
        match expression::evaluate(line, &self.defines) {
            Ok(outcome) => Some(outcome),
            Err(reason) => {
                self.report.add(Diagnostic::error(place, format!("bad preprocessor expression: {reason}")));
                None
            }
        }
    }

    fn run_define_environment(&mut self, mark: Mark, quotes: bool, must_exist: bool) {
        let name = self.define_name(mark);
        let source = if self.byte() == Some(b'=') {
            self.advance(1);
            Some(String::from_utf8_lossy(&self.take_while(|byte| !is_blank(byte) && byte != b'\n')).into_owned())
        } else {
            None
        };
        let place = self.span_from(mark);
        self.rest_of_line();
        let Some(name) = name else { return };
        let source = source.unwrap_or_else(|| name.clone());
        match self.files.environment(&source) {
            Some(value) => {
                let text = if quotes { format!("\"{value}\"") } else { value };
                self.add_define(&name, Some(Text::from(text)), Manner::New, place);
            }
            None if must_exist => {
                let help = "write `#!trydefenv` when it may be missing";
                let message = format!("environment variable `{source}` is not set");
                self.report.add(Diagnostic::error(place, message).with_help(help));
            }
            None => {}
        }
    }

    fn run_substitution(&mut self, mark: Mark, effect: Effect) {
        self.skip_blanks();
        if !matches!(self.byte(), Some(b'"' | b'\'')) {
            let place = self.span_from(mark);
            self.report.add(Diagnostic::error(place, "a quoted substitution is missing after the directive"));
            self.rest_of_line();
            return;
        }
        let text = self.single_string();
        let place = self.span_from(mark);
        self.add_substitution(&text, effect, place);
    }

    /// Adds a substitution given by a directive or on the command line.
    pub(crate) fn add_substitution(&mut self, text: &[u8], effect: Effect, place: Span) {
        if let Err(message) = self.try_add_substitution(text, effect, place) {
            let help = "for example `#!subst \"/pattern/replacement/g\"`";
            self.report.add(Diagnostic::error(place, message).with_help(help));
        }
    }

    fn try_add_substitution(&mut self, text: &[u8], effect: Effect, place: Span) -> Result<(), String> {
        let mut parts = RuleParts::parse(text)?;
        parts.replacement = self.static_text(&parts.replacement)?;
        self.substitutions.add(&parts)?;
        if effect == Effect::Substitute {
            return Ok(());
        }
        let name = std::str::from_utf8(&parts.pattern).unwrap_or("");
        let is_name = name.bytes().next().is_some_and(is_word_start) && name.bytes().all(is_word_byte);
        if !is_name {
            return Err(format!("`{}` cannot be the name of a define", String::from_utf8_lossy(&parts.pattern)));
        }
        let value =
            if effect == Effect::DefineQuoted { [b"\"", unquoted(&parts.replacement), b"\""].concat() } else { parts.replacement.clone() };
        self.add_define(name, Some(Text::from(value)), Manner::New, place);
        Ok(())
    }
}

/// Where a comment begins in the text of a define: outside of quotes and after a blank.
fn comment_in(text: &[u8]) -> Option<usize> {
    let mut quote = None;
    let mut is_escaped = false;
    for (at, byte) in text.iter().enumerate() {
        if is_escaped {
            is_escaped = false;
            continue;
        }
        match (quote, byte) {
            (Some(b'"'), b'\\') => is_escaped = true,
            (Some(open), byte) if open == *byte => quote = None,
            (None, b'"' | b'\'') => quote = Some(*byte),
            (None, b'#' | b'/') => {
                let is_comment = *byte == b'#' || text.get(at + 1) == Some(&b'/');
                let is_after_blank = at > 0 && text.get(at - 1).copied().is_some_and(is_blank);
                if is_comment && is_after_blank {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}
