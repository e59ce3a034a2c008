//! Calls: module functions, `route(...)`, and the core functions with their bare hosts, flags and protocols (spec 14, 16.1).

use crate::diagnostic::Diagnostic;
use crate::lexer::reserved::{is_bare_function, is_core_function};
use crate::lexer::token::TokenKind;
use crate::limits::ARGUMENTS_MAX;
use crate::syntax::ast::{Call, Expression, ExpressionKind};
use crate::syntax::parser::{Parsed, Parser};
use crate::syntax::types::contains_call;
use crate::value::Text;

impl Parser<'_> {
    /// A call, its name not taken yet.
    pub(crate) fn call(&mut self) -> Parsed<Call> {
        let token = self.next();
        let name = token.word().unwrap_or("").to_string();
        if is_bare_function(&name) && !self.peek_is("(") {
            return Ok(Call { name, arguments: Vec::new(), span: token.span });
        }
        self.expect("(", &format!("after `{name}`"))?;
        let mut arguments = Vec::new();
        if !self.take(")") {
            loop {
                if arguments.len() >= ARGUMENTS_MAX {
                    let place = self.peek().span;
                    return Err(self.error(place, format!("more than {ARGUMENTS_MAX} arguments")));
                }
                let argument = self.argument(&name)?;
                arguments.push(argument);
                if !self.take(",") {
                    break;
                }
            }
            if !self.peek_is(")") {
                return Err(self.unexpected(&format!("`,` or `)` after an argument of `{name}`")));
            }
            self.next();
        }
        let span = self.span_since(token.span);
        if name == "route" && arguments.len() != 1 {
            return Err(self.error(span, "`route` takes exactly one argument: the name of a route"));
        }
        Ok(Call { name, arguments, span })
    }

    fn argument(&mut self, name: &str) -> Parsed<Expression> {
        let is_core = is_core_function(name);
        if (is_core || name == "route") && self.is_bare_argument(is_core) {
            return Ok(self.bare_argument());
        }
        let is_bare_word = self.peek().word().is_some_and(|word| crate::lexer::token::word_number(word).is_none())
            && (self.peek_at(1).is(",") || self.peek_at(1).is(")"));
        if is_bare_word {
            let token = self.next();
            let word = token.word().unwrap_or("");
            let message = format!("syntax error: `{word}` is no argument: names and levels are texts");
            self.report(Diagnostic::error(token.span, message).with_help(format!("write \"{word}\"")));
            return Ok(Expression { kind: ExpressionKind::Text(Text::from(word)), span: token.span });
        }
        let argument = self.expression()?;
        if name != "route" && !is_core && contains_call(&argument) {
            let message = "use of function execution inside params not allowed";
            let help = "call the function before and keep its code in a variable";
            self.report(Diagnostic::error(argument.span, message).with_help(help));
        }
        Ok(argument)
    }

    /// Does an unquoted name, host or address begin here?
    fn is_bare_argument(&mut self, is_core: bool) -> bool {
        let token = self.peek().clone();
        let (is_call, is_end, is_dotted) = {
            let after = self.peek_at(1);
            (after.is("("), after.is(",") || after.is(")"), after.is("."))
        };
        match &token.kind {
            TokenKind::Word(word) if crate::lexer::token::word_number(word).is_some() => false,
            TokenKind::Word(word) if matches!(word.as_str(), "strlen" | "strempty" | "selval" | "defined" | "not") => false,
            TokenKind::Word(_) => {
                if is_core {
                    !is_call
                } else {
                    is_end
                }
            }
            TokenKind::Integer(..) => {
                if is_core {
                    is_dotted
                } else {
                    is_end
                }
            }
            TokenKind::Ip6(_) | TokenKind::NumberWord(_) => true,
            TokenKind::Text(_) => is_core && self.peek_at(1).is(":"),
            TokenKind::Symbol("[") => is_core,
            _ => false,
        }
    }

    /// The tokens up to the next comma or parenthesis as one text.
    fn bare_argument(&mut self) -> Expression {
        let start = self.peek().span;
        let mut text = String::new();
        if let TokenKind::Text(bytes) = &self.peek().kind {
            text.push_str(&String::from_utf8_lossy(bytes));
            self.next();
        }
        while let Some(part) = self.peek().host_text() {
            let number = match &self.peek().kind {
                TokenKind::Integer(number, _) => Some(number.to_string()),
                _ => None,
            };
            text.push_str(number.as_deref().unwrap_or(&part));
            self.next();
        }
        // A host in quotes may follow the protocol: `tcp:"10.0.0.1":5060`.
        if text.ends_with(':')
            && let TokenKind::Text(bytes) = &self.peek().kind
        {
            text.push_str(&String::from_utf8_lossy(bytes));
            self.next();
            while let Some(part) = self.peek().host_text() {
                text.push_str(&part);
                self.next();
            }
        }
        Expression { kind: ExpressionKind::Text(Text::from(text)), span: self.span_since(start) }
    }
}
