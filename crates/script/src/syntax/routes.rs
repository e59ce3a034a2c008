//! Route blocks: their kinds, names and bodies (spec cfg-language 6).

use crate::diagnostic::Diagnostic;
use crate::lexer::reserved::is_reserved;
use crate::lexer::token::TokenKind;
use crate::preprocess::unquoted;
use crate::source::Span;
use crate::syntax::ast::{RouteBlock, RouteKind, Statement};
use crate::syntax::parser::{Parsed, Parser};

/// The name that stands for the block without a name.
const DEFAULT_NAME: &str = "0";

impl Parser<'_> {
    /// A route block, its keyword not taken yet.
    pub(crate) fn route_block(&mut self, word: &str) -> Parsed<()> {
        let start = self.next().span;
        let (kind, name) = self.route_header(word, start)?;
        let span = self.span_since(start);
        self.route_kind = Some(kind);
        let body = self.route_body()?;
        self.add_route(kind, name, body, span);
        Ok(())
    }

    fn route_header(&mut self, word: &str, start: Span) -> Parsed<(RouteKind, String)> {
        if word == "event_route" {
            return self.event_name().map(|name| (RouteKind::Event, name));
        }
        let name = self.route_name(word)?;
        let is_default = name.as_deref().is_none_or(|name| name == DEFAULT_NAME);
        let named = |default: &str| name.clone().unwrap_or_else(|| default.to_string());
        Ok(match word {
            "request_route" if name.is_some() => {
                let message = "`request_route` has no name";
                return Err(self.report(Diagnostic::error(start, message).with_help("write `route[NAME] { ... }`")));
            }
            "reply_route" if name.is_some() => {
                let message = "`reply_route` has no name";
                return Err(self.report(Diagnostic::error(start, message).with_help("write `onreply_route[NAME] { ... }`")));
            }
            "route" | "request_route" if is_default => (RouteKind::Request, String::new()),
            "route" => (RouteKind::Request, named("")),
            "reply_route" | "onreply_route" if is_default => (RouteKind::CoreReply, String::new()),
            "onreply_route" => (RouteKind::OnReply, named("")),
            "failure_route" => (RouteKind::Failure, named(DEFAULT_NAME)),
            "branch_route" => (RouteKind::Branch, named(DEFAULT_NAME)),
            _ => (RouteKind::OnSend, String::new()),
        })
    }

    /// `[NAME]`, if it is there.
    fn route_name(&mut self, word: &str) -> Parsed<Option<String>> {
        if !self.take("[") {
            return Ok(None);
        }
        let token = self.next();
        let name = match &token.kind {
            TokenKind::Word(name) => {
                if is_reserved(name) {
                    self.warn(token.span, format!("`{name}` is a reserved word in Kamailio: there the name needs quotes"));
                }
                name.clone()
            }
            TokenKind::NumberWord(name) => {
                self.warn(token.span, format!("the route name `{name}` begins with a digit: in Kamailio it needs quotes"));
                name.clone()
            }
            TokenKind::Integer(number, _) => number.to_string(),
            TokenKind::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            _ => {
                let message = format!("syntax error: expected the name of the {word}, found {}", token.description());
                return Err(self.error(token.span, message));
            }
        };
        if !self.peek_is("]") {
            return Err(self.unexpected("`]` after the name (a name with other characters needs quotes)"));
        }
        self.next();
        Ok(Some(name))
    }

    /// `[module:event]`, read without defines.
    fn event_name(&mut self) -> Parsed<String> {
        self.expect("[", "after `event_route`")?;
        let (quoted, span) = self.lexer.event_name();
        let name = String::from_utf8_lossy(unquoted(quoted.as_bytes())).into_owned();
        let mut words = name.split(':');
        let is_first_valid = words.next().is_some_and(|word| is_event_word(word, false));
        let mut later = words.peekable();
        let is_valid = is_first_valid && later.peek().is_some() && later.all(|word| is_event_word(word, true));
        if !is_valid {
            let help = "an event is named `module:event`, for example `dialog:end`";
            return Err(self.report(Diagnostic::error(span, format!("`{name}` is no name of an event")).with_help(help)));
        }
        self.expect("]", "after the name of the event")?;
        Ok(name)
    }

    fn route_body(&mut self) -> Parsed<Vec<Statement>> {
        let opened = self.expect("{", "before the body of the route")?;
        self.block_after(opened)
    }

    fn add_route(&mut self, kind: RouteKind, name: String, body: Vec<Statement>, span: Span) {
        let existing = self.configuration.routes.iter_mut().find(|route| route.kind == kind && route.name == name);
        let Some(existing) = existing else {
            self.configuration.routes.push(RouteBlock { kind, name, body, span });
            return;
        };
        let is_default = name.is_empty() || (name == DEFAULT_NAME && kind != RouteKind::Event);
        if is_default {
            existing.body.extend(body);
            return;
        }
        let first = existing.span.line;
        let path = self.lexer.sources.path(existing.span.file).to_string();
        let message = format!("duplicate route `{name}`");
        self.report(Diagnostic::error(span, message).with_help(format!("the first one is at {path}:{first}")));
    }
}

fn is_event_word(word: &str, is_later: bool) -> bool {
    let may_start = |byte: u8| byte.is_ascii_alphabetic() || (is_later && (byte.is_ascii_digit() || byte == b'_'));
    let may_follow = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    word.bytes().next().is_some_and(may_start) && word.bytes().all(may_follow)
}
