//! Expressions: operators by strength, casts, and what they are made of (spec cfg-language 8.1-8.3).

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::lexer::reserved::is_bare_function;
use crate::lexer::token::{Token, TokenKind, word_number};
use crate::limits::OPERATORS_MAX;
use crate::source::Span;
use crate::syntax::ast::{BinaryOperator, Expression, ExpressionKind, UnaryOperator, VariableText};
use crate::syntax::matches::core_word;
use crate::syntax::parser::{Parsed, Parser};
use crate::syntax::types;
use crate::value::Text;

/// The operator a token is, and its strength (spec 8.2: 1 loosest, 11 tightest).
fn binary_operator(token: &Token) -> Option<(BinaryOperator, u8)> {
    let symbol = match &token.kind {
        TokenKind::Symbol(symbol) => symbol,
        TokenKind::Word(word) => word.as_str(),
        _ => return None,
    };
    Some(match symbol {
        "||" | "or" => (BinaryOperator::Or, 1),
        "&&" | "and" => (BinaryOperator::And, 2),
        "|" => (BinaryOperator::BitOr, 3),
        "&" => (BinaryOperator::BitAnd, 4),
        "^" => (BinaryOperator::BitXor, 5),
        "<<" => (BinaryOperator::ShiftLeft, 6),
        ">>" => (BinaryOperator::ShiftRight, 7),
        "==" => (BinaryOperator::Equal, 8),
        "!=" => (BinaryOperator::NotEqual, 8),
        "=~" => (BinaryOperator::Matches, 8),
        "eq" => (BinaryOperator::TextEqual, 8),
        "ne" => (BinaryOperator::TextNotEqual, 8),
        "ieq" => (BinaryOperator::IntegerEqual, 8),
        "ine" => (BinaryOperator::IntegerNotEqual, 8),
        ">" => (BinaryOperator::Greater, 9),
        "<" => (BinaryOperator::Less, 9),
        ">=" => (BinaryOperator::GreaterEqual, 9),
        "<=" => (BinaryOperator::LessEqual, 9),
        "+" => (BinaryOperator::Add, 10),
        "-" => (BinaryOperator::Subtract, 10),
        "*" => (BinaryOperator::Multiply, 11),
        "/" => (BinaryOperator::Divide, 11),
        "mod" => (BinaryOperator::Modulo, 11),
        _ => return None,
    })
}

/// Strength of comparisons: the right side of a core match element is read above it.
pub(crate) const COMPARISON_STRENGTH: u8 = 8;

impl Parser<'_> {
    pub(crate) fn expression(&mut self) -> Parsed<Expression> {
        self.binary(0)
    }

    /// Operators stronger than `strength`, all from left to right.
    pub(crate) fn binary(&mut self, strength: u8) -> Parsed<Expression> {
        let start = self.peek().span;
        let mut left = self.unary()?;
        let mut count = 0;
        loop {
            let token = self.peek();
            let Some((operator, own)) = binary_operator(token).filter(|(_, own)| *own > strength) else {
                return Ok(left);
            };
            let place = self.next().span;
            count += 1;
            if count > OPERATORS_MAX {
                return Err(self.error(place, format!("more than {OPERATORS_MAX} operators in a row")));
            }
            let right = self.binary(own)?;
            if let Err(message) = types::check_binary(operator, &left, &right) {
                self.error(place, format!("bad expression: type mismatch: {message}"));
            }
            let span = self.span_since(start);
            left = Expression { kind: ExpressionKind::Binary(operator, Box::new(left), Box::new(right)), span };
        }
    }

    fn unary(&mut self) -> Parsed<Expression> {
        self.enter()?;
        let expression = self.unary_within();
        self.leave();
        expression
    }

    fn unary_within(&mut self) -> Parsed<Expression> {
        let token = self.peek().clone();
        let operator = match &token.kind {
            TokenKind::Symbol("!") => UnaryOperator::Not,
            TokenKind::Symbol("~") => UnaryOperator::BitNot,
            TokenKind::Symbol("-") => UnaryOperator::Negate,
            TokenKind::Word(word) if word == "not" => UnaryOperator::Not,
            TokenKind::Word(word) if word == "defined" => UnaryOperator::Defined,
            TokenKind::Symbol("(") => match self.cast() {
                Some(operator) => operator,
                None => return self.primary(token),
            },
            _ => return self.primary(token),
        };
        self.next();
        let operand = self.unary()?;
        if operator == UnaryOperator::Negate
            && let ExpressionKind::Integer(number) = operand.kind
        {
            return Ok(Expression { kind: ExpressionKind::Integer(number.wrapping_neg()), span: self.span_since(token.span) });
        }
        self.unary_of(operator, operand, token.span)
    }

    fn unary_of(&mut self, operator: UnaryOperator, operand: Expression, start: Span) -> Parsed<Expression> {
        if let Err(message) = types::check_unary(operator, &operand) {
            self.error(operand.span, format!("bad expression: type mismatch: {message}"));
        }
        Ok(Expression { kind: ExpressionKind::Unary(operator, Box::new(operand)), span: self.span_since(start) })
    }

    /// `(int)` and `(str)`: takes all but the closing parenthesis.
    fn cast(&mut self) -> Option<UnaryOperator> {
        let operator = match self.peek_at(1).word() {
            Some("int") => UnaryOperator::CastInteger,
            Some("str") => UnaryOperator::CastText,
            _ => return None,
        };
        if !self.peek_at(2).is(")") {
            return None;
        }
        self.next();
        self.next();
        Some(operator)
    }

    fn primary(&mut self, token: Token) -> Parsed<Expression> {
        let kind = match token.kind {
            TokenKind::Integer(number, _) => ExpressionKind::Integer(number),
            TokenKind::Text(bytes) => ExpressionKind::Text(Text::from(bytes)),
            TokenKind::Variable(bytes) => ExpressionKind::Variable(VariableText { text: Text::from(bytes), span: token.span }),
            TokenKind::Select(bytes) => ExpressionKind::Select(Text::from(bytes)),
            TokenKind::Symbol("(") => return self.parenthesised(token.span),
            TokenKind::Symbol("{") => {
                self.next();
                let body = self.block_after(token.span)?;
                return Ok(Expression { kind: ExpressionKind::Block(body), span: self.span_since(token.span) });
            }
            TokenKind::Word(word) => return self.word_primary(&word, token.span),
            _ => return Err(self.unexpected("a value")),
        };
        self.next();
        Ok(Expression { kind, span: token.span })
    }

    fn parenthesised(&mut self, start: Span) -> Parsed<Expression> {
        self.next();
        if matches!(self.peek().kind, TokenKind::Variable(_)) && self.peek_at(1).is("=") {
            let token = self.next();
            self.next();
            let value = self.expression()?;
            self.expect(")", "after the assignment")?;
            let TokenKind::Variable(bytes) = token.kind else {
                return Err(self.unexpected("a variable"));
            };
            let target = VariableText { text: Text::from(bytes), span: token.span };
            return Ok(Expression { kind: ExpressionKind::Assign(target, Box::new(value)), span: self.span_since(start) });
        }
        let mut inner = self.expression()?;
        self.expect(")", "after the expression")?;
        inner.span = self.span_since(start);
        Ok(inner)
    }

    fn word_primary(&mut self, word: &str, span: Span) -> Parsed<Expression> {
        if let Some(number) = word_number(word) {
            self.next();
            return Ok(Expression { kind: ExpressionKind::Integer(number), span });
        }
        let is_call = self.peek_at(1).is("(");
        match word {
            "strlen" | "strempty" if is_call => {
                self.next();
                self.next();
                let operand = self.expression()?;
                self.expect(")", &format!("after the argument of `{word}`"))?;
                let operator = if word == "strlen" { UnaryOperator::TextLength } else { UnaryOperator::TextEmpty };
                return self.unary_of(operator, operand, span);
            }
            "selval" if is_call => return self.select_value(span),
            "myself" => return self.myself_match(span),
            _ => {}
        }
        if let Some(core) = core_word(word)
            && !is_call
        {
            return self.core_match(core, word, span);
        }
        if is_call || is_bare_function(word) {
            let call = self.call()?;
            return Ok(Expression { kind: ExpressionKind::Call(call), span: self.span_since(span) });
        }
        let help = did_you_mean(word, self.lexer.defines.names())
            .unwrap_or_else(|| "a text needs quotes, a variable begins with `$`, a call needs parentheses".to_string());
        Err(self.report(Diagnostic::error(span, format!("syntax error: `{word}` is no value")).with_help(help)))
    }

    /// `selval(condition, yes, no)`
    fn select_value(&mut self, span: Span) -> Parsed<Expression> {
        self.next();
        self.next();
        let condition = self.expression()?;
        self.expect(",", "after the condition of `selval`")?;
        let yes = self.expression()?;
        self.expect(",", "after the second argument of `selval`")?;
        let no = self.expression()?;
        self.expect(")", "after the third argument of `selval`")?;
        let kind = ExpressionKind::SelectValue(Box::new(condition), Box::new(yes), Box::new(no));
        Ok(Expression { kind, span: self.span_since(span) })
    }
}
