//! Statements outside of blocks: core parameters, custom parameters, flags, and the way to modules, sockets and routes.

use crate::core_parameters::{self, Former, Kind};
use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::lexer::reserved::is_reserved;
use crate::lexer::token::{TokenKind, word_number};
use crate::source::Span;
use crate::syntax::ast::{CoreParameter, CustomParameter, FlagDeclaration, Literal};
use crate::syntax::parser::{Parsed, Parser, ROUTE_WORDS};
use crate::value::Text;

/// Highest number of a message flag.
const FLAG_NUMBER_MAX: u32 = 31;
/// As many as fit into the flags of one attribute.
const ATTRIBUTE_FLAGS_MAX: usize = 32;

impl Parser<'_> {
    /// Reads to the end of the last file; all errors are in the report.
    pub(crate) fn parse(&mut self) {
        while !self.peek().is_end() {
            let before = self.taken();
            if self.top_statement().is_err() {
                self.skip_to_top();
            }
            if self.taken() == before {
                self.next();
            }
            if self.lexer.report.is_full() {
                return;
            }
        }
    }

    fn top_statement(&mut self) -> Parsed<()> {
        if self.take(";") {
            return Ok(());
        }
        let token = self.peek().clone();
        let Some(word) = token.word() else {
            if token.is("}") {
                self.next();
                return Err(self.error(token.span, "syntax error: this `}` closes nothing"));
            }
            return Err(self.unexpected("a parameter, a module statement or a route block"));
        };
        let (is_assignment, is_member, is_indexed) = {
            let after = self.peek_at(1);
            (after.is("="), after.is("."), after.is("["))
        };
        match word {
            "loadmodule" | "loadmodulex" => self.load_module(word == "loadmodulex"),
            "loadpath" | "mpath" => self.module_path(),
            "modparam" | "modparamx" => self.module_parameter(word == "modparamx"),
            "cfgengine" => self.engine(),
            "flags" | "bool" if !is_assignment && !is_member => self.flags(),
            "avpflags" => self.attribute_flags(),
            _ if ROUTE_WORDS.contains(&word) && !is_assignment && !is_member => self.route_block(word),
            "listen" if is_assignment => self.listen(),
            "alias" | "domain" if is_assignment => self.alias(),
            "socket" if is_assignment => self.socket(),
            "coreparam" if is_indexed => self.indexed_parameter(),
            "kemi" if is_member => self.kemi(),
            _ if is_assignment => self.core_parameter(word, token.span),
            _ if is_member || is_indexed => self.custom_parameter(word, token.span),
            _ => {
                let names =
                    core_parameters::names().chain(ROUTE_WORDS.iter().copied()).chain(crate::syntax::parser::MODULE_WORDS.iter().copied());
                let help = did_you_mean(word, names);
                self.next();
                Err(self.report(Diagnostic::error(token.span, format!("syntax error: unexpected `{word}`")).with_help_if(help)))
            }
        }
    }

    /// `name = value`, the word not taken yet.
    fn core_parameter(&mut self, word: &str, span: Span) -> Parsed<()> {
        let mut known = core_parameters::find(word);
        self.next();
        self.next();
        if known.is_none() {
            match core_parameters::former(word) {
                Some(Former::Renamed(new)) => {
                    self.warn(span, format!("`{word}` is now called `{new}`"));
                    known = core_parameters::find(new);
                }
                Some(Former::Removed) => {
                    self.warn(span, format!("`{word}` of older releases has no effect any more"));
                    self.any_value()?;
                    return Ok(());
                }
                None => {
                    let help = did_you_mean(word, core_parameters::names());
                    self.report(Diagnostic::error(span, format!("unknown config variable `{word}`")).with_help_if(help));
                    self.any_value()?;
                    return Ok(());
                }
            }
        }
        let Some(known) = known else { return Ok(()) };
        let value = self.core_value(known.kind, known.name)?;
        if known.name == "socket_workers" {
            if let Literal::Integer(number) = value {
                self.workers = u32::try_from(number).ok();
            }
            return Ok(());
        }
        let span = self.span_since(span);
        self.configuration.parameters.push(CoreParameter { name: known.name.to_string(), value, span });
        Ok(())
    }

    fn core_value(&mut self, kind: Kind, name: &str) -> Parsed<Literal> {
        match kind {
            Kind::Integer => self.integer_value(false, name),
            Kind::SignedInteger => self.integer_value(true, name),
            Kind::Text => self.text_value(name, false),
            Kind::Word => self.text_value(name, true),
            Kind::IntegerOrText | Kind::IntegerOrWord => match &self.peek().kind {
                TokenKind::Text(_) => self.text_value(name, false),
                TokenKind::Word(word) if word_number(word).is_none() => self.text_value(name, kind == Kind::IntegerOrWord),
                _ => self.integer_value(true, name),
            },
            Kind::Host | Kind::Address => {
                let start = self.peek().span;
                let host = self.host()?;
                if kind == Kind::Address && host.parse::<std::net::IpAddr>().is_err() {
                    let span = self.span_since(start);
                    return Err(self.error(span, format!("`{name}` needs an IP address, `{host}` is none")));
                }
                Ok(Literal::Text(Text::from(host)))
            }
            Kind::Protocol => {
                let token = self.next();
                let is_protocol =
                    token.word().is_some_and(|word| matches!(word.to_ascii_lowercase().as_str(), "udp" | "tcp" | "tls" | "sctp"));
                match token.word() {
                    Some(word) if is_protocol => Ok(Literal::Text(Text::from(word.to_ascii_lowercase()))),
                    _ => Err(self.error(token.span, format!("`{name}` needs one of udp, tcp, tls, sctp"))),
                }
            }
            Kind::Special => self.any_value(),
        }
    }

    /// A number; texts are refused as Kamailio does.
    fn integer_value(&mut self, may_be_negative: bool, name: &str) -> Parsed<Literal> {
        let start = self.peek().span;
        let is_negative = self.take("-");
        let number = match &self.peek().kind {
            TokenKind::Integer(number, _) => Some(*number),
            TokenKind::Word(word) => word_number(word),
            _ => None,
        };
        let Some(number) = number else {
            return Err(self.unexpected(&format!("a number (or yes, no) for `{name}`")));
        };
        self.next();
        if is_negative && !may_be_negative {
            let span = self.span_since(start);
            return Err(self.error(span, format!("`{name}` cannot be negative")));
        }
        Ok(Literal::Integer(if is_negative { -number } else { number }))
    }

    fn text_value(&mut self, name: &str, may_be_word: bool) -> Parsed<Literal> {
        let token = self.peek().clone();
        match &token.kind {
            TokenKind::Text(bytes) => {
                self.next();
                Ok(Literal::Text(Text::from(bytes.as_slice())))
            }
            TokenKind::Word(word) if may_be_word => {
                self.next();
                Ok(Literal::Text(Text::from(word.as_str())))
            }
            _ => Err(self.unexpected(&format!("a text in quotes for `{name}`"))),
        }
    }

    /// A value of a parameter nobody knows.
    fn any_value(&mut self) -> Parsed<Literal> {
        let is_negative = self.take("-");
        let token = self.peek().clone();
        let literal = match &token.kind {
            TokenKind::Integer(number, _) => Literal::Integer(if is_negative { -number } else { *number }),
            TokenKind::Text(bytes) => Literal::Text(Text::from(bytes.as_slice())),
            TokenKind::Word(word) => word_number(word).map_or_else(|| Literal::Text(Text::from(word.as_str())), Literal::Integer),
            _ => return Err(self.unexpected("a value")),
        };
        self.next();
        while self.peek().is_glued && (self.peek_is(".") || self.peek_is("-")) {
            self.next();
            self.next();
        }
        Ok(literal)
    }

    /// `coreparam["name"] = value`
    fn indexed_parameter(&mut self) -> Parsed<()> {
        let span = self.next().span;
        self.expect("[", "after `coreparam`")?;
        let token = self.next();
        let name = match &token.kind {
            TokenKind::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            TokenKind::Word(word) => word.clone(),
            _ => {
                return Err(self.error(token.span, "syntax error: expected the name of a parameter"));
            }
        };
        self.expect("]", "after the name of the parameter")?;
        self.expect("=", "after `coreparam[...]`")?;
        let value = self.any_value()?;
        let span = self.span_since(span);
        self.configuration.parameters.push(CoreParameter { name: format!("coreparam.{name}"), value, span });
        Ok(())
    }

    /// `group.name = value desc "text"`, `group[instance].name = value`
    fn custom_parameter(&mut self, group: &str, span: Span) -> Parsed<()> {
        self.next();
        if is_reserved(group) {
            self.warn(span, format!("`{group}` is a reserved word in Kamailio and cannot name a group there"));
        }
        let mut instance = None;
        if self.take("[") {
            let token = self.next();
            instance = match token.kind {
                TokenKind::Integer(number, _) => u32::try_from(number).ok(),
                _ => None,
            };
            if instance.is_none() {
                return Err(self.error(token.span, "syntax error: expected the number of an instance"));
            }
            self.expect("]", "after the number of the instance")?;
        }
        self.expect(".", "after the name of the group")?;
        let token = self.next();
        let Some(name) = token.word().map(str::to_string) else {
            return Err(self.error(token.span, "syntax error: expected the name of a custom parameter"));
        };
        if is_reserved(&name) && name != "default" {
            self.warn(token.span, format!("`{name}` is a reserved word in Kamailio and cannot name a custom parameter there"));
        }
        if !self.peek_is("=") {
            return Err(self.unexpected(&format!("`=` after `{group}.{name}`")));
        }
        self.next();
        let value = match &self.peek().kind {
            TokenKind::Text(_) => self.text_value(&name, false)?,
            _ => self.integer_value(true, &format!("{group}.{name}"))?,
        };
        let mut description = None;
        if self.peek().word().is_some_and(|word| matches!(word, "desc" | "descr" | "description")) {
            self.next();
            let (text, _) = self.expect_text("a description")?;
            description = Some(String::from_utf8_lossy(&text).into_owned());
        }
        let span = self.span_since(span);
        let parameter = CustomParameter { group: group.to_string(), instance, name, value, description, span };
        self.configuration.custom_parameters.push(parameter);
        Ok(())
    }

    /// `flags name[:number], ...`
    fn flags(&mut self) -> Parsed<()> {
        self.next();
        loop {
            let token = self.next();
            let name = match &token.kind {
                TokenKind::Word(word) => word.clone(),
                TokenKind::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
                _ => {
                    return Err(self.error(token.span, "syntax error: expected the name of a flag"));
                }
            };
            if token.word().is_some_and(is_reserved) {
                self.warn(token.span, format!("`{name}` is a reserved word in Kamailio and cannot name a flag there"));
            }
            let mut number = None;
            if self.take(":") {
                let token = self.next();
                match token.kind {
                    TokenKind::Integer(value, _) => number = Some((value, token.span)),
                    _ => {
                        return Err(self.error(token.span, "syntax error: expected the number of the flag"));
                    }
                }
            }
            self.declare_flag(&name, number, token.span);
            if !self.take(",") {
                return Ok(());
            }
        }
    }

    /// Declares a flag, without number the lowest free one; returns its number.
    pub(crate) fn declare_flag(&mut self, name: &str, number: Option<(i64, Span)>, span: Span) -> Option<u32> {
        if self.configuration.flags.iter().any(|flag| flag.name == name) {
            self.error(span, format!("the flag `{name}` is declared twice"));
            return None;
        }
        let number = match number {
            Some((value, place)) => match u32::try_from(value).ok().filter(|value| *value <= FLAG_NUMBER_MAX) {
                Some(value) => value,
                None => {
                    self.error(place, format!("bad flag value {value}: flags are numbered from 0 to {FLAG_NUMBER_MAX}"));
                    return None;
                }
            },
            None => {
                let free = (0..=FLAG_NUMBER_MAX).find(|number| self.configuration.flags.iter().all(|flag| flag.number != *number));
                let Some(free) = free else {
                    self.error(span, "all flag numbers are taken");
                    return None;
                };
                free
            }
        };
        if let Some(other) = self.configuration.flags.iter().find(|flag| flag.number == number) {
            let message = format!("the flags `{}` and `{name}` have the same number {number}", other.name);
            self.warn(span, message);
        }
        self.configuration.flags.push(FlagDeclaration { name: name.to_string(), number, span });
        Some(number)
    }

    fn attribute_flags(&mut self) -> Parsed<()> {
        self.next();
        loop {
            let token = self.next();
            let Some(name) = token.word().map(str::to_owned) else {
                return Err(self.error(token.span, "syntax error: expected the name of a flag"));
            };
            if self.configuration.attribute_flags.len() >= ATTRIBUTE_FLAGS_MAX {
                return Err(self.error(token.span, format!("more than {ATTRIBUTE_FLAGS_MAX} flags of attributes")));
            }
            if !self.configuration.attribute_flags.contains(&name) {
                self.configuration.attribute_flags.push(name);
            }
            if !self.take(",") {
                return Ok(());
            }
        }
    }

    /// `cfgengine "native"`; other engines are out of reach.
    fn engine(&mut self) -> Parsed<()> {
        self.next();
        self.take("=");
        let (name, span) = self.expect_text("the name of an engine")?;
        if name != b"native" && name != b"default" {
            let message = format!("the engine \"{}\" is not supported", String::from_utf8_lossy(&name));
            let help = "routing logic is written in this language; KEMI scripts (Lua, Python, JavaScript, ...) are not run";
            return Err(self.report(Diagnostic::error(span, message).with_help(help)));
        }
        Ok(())
    }

    /// `kemi.x_callback = "..."`
    fn kemi(&mut self) -> Parsed<()> {
        let span = self.next().span;
        self.expect(".", "after `kemi`")?;
        self.next();
        self.expect("=", "after the name of the callback")?;
        self.expect_text("the name of a function")?;
        self.warn(span, "KEMI callbacks have no effect: KEMI engines are not supported");
        Ok(())
    }
}
