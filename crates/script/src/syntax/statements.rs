//! Statements inside of blocks: calls, assignments, `if`, `while`, `switch`, and the ways out (spec cfg-language 7).

use crate::diagnostic::{Diagnostic, did_you_mean};
use crate::lexer::reserved::{core_function_names, is_bare_function};
use crate::lexer::token::TokenKind;
use crate::limits::ELSE_IF_MAX;
use crate::source::Span;
use crate::syntax::ast::{Case, CaseLabel, Expression, ExpressionKind, Leave, Literal, Statement, StatementKind, VariableText};
use crate::syntax::parser::{Parsed, Parser};
use crate::syntax::types::{self, StaticType};
use crate::value::Text;

const STATEMENT_WORDS: &[&str] = &["if", "else", "while", "switch", "return", "exit", "drop", "break", "route"];

impl Parser<'_> {
    /// The statements up to the closing brace; errors inside are reported and passed over.
    pub(crate) fn block_after(&mut self, opened: Span) -> Parsed<Vec<Statement>> {
        if self.peek_is("}") {
            self.next();
            let span = self.span_since(opened);
            let help = "`{ ; }` does nothing";
            self.report(Diagnostic::error(span, "syntax error: a block must hold at least one action").with_help(help));
            return Ok(Vec::new());
        }
        self.enter()?;
        let mut statements = Vec::new();
        while !self.take("}") {
            if self.peek().is_end() || self.is_route_header() {
                if self.unclosed_at != Some(self.taken()) {
                    self.unclosed_at = Some(self.taken());
                    self.error(opened, "this block is not closed: a `}` is missing");
                }
                break;
            }
            let before = self.taken();
            match self.statement() {
                Ok(statement) => statements.push(statement),
                Err(_) => self.skip_statement(),
            }
            if self.taken() == before && !self.peek_is("}") && !self.is_route_header() {
                self.next();
            }
        }
        self.leave();
        Ok(statements)
    }

    /// One action or a block: the body of `if`, `else`, `while`.
    fn body(&mut self) -> Parsed<Vec<Statement>> {
        if self.peek_is("{") {
            let opened = self.next().span;
            return self.block_after(opened);
        }
        self.enter()?;
        let statement = self.statement();
        self.leave();
        Ok(vec![statement?])
    }

    pub(crate) fn statement(&mut self) -> Parsed<Statement> {
        let start = self.peek().span;
        let kind = self.statement_kind()?;
        Ok(Statement { kind, span: self.span_since(start) })
    }

    fn statement_kind(&mut self) -> Parsed<StatementKind> {
        let token = self.peek().clone();
        match &token.kind {
            TokenKind::Symbol(";") => {
                self.next();
                Ok(StatementKind::Empty)
            }
            TokenKind::Variable(text) => self.assignment(text, token.span),
            TokenKind::Word(word) => self.word_statement(word, token.span),
            TokenKind::Symbol("{") => {
                self.next();
                let message = "syntax error: a block is not a statement of its own";
                self.report(Diagnostic::error(token.span, message).with_help("write its actions without the braces"));
                self.block_after(token.span)?;
                Ok(StatementKind::Empty)
            }
            _ => Err(self.unexpected("a statement: a call, an assignment, `if`, `while`, `switch`, `return`, `exit`, `drop` or `break`")),
        }
    }

    fn word_statement(&mut self, word: &str, span: Span) -> Parsed<StatementKind> {
        match word {
            "if" => self.if_statement(),
            "while" => self.while_statement(),
            "switch" => self.switch_statement(),
            "return" => self.leave_statement(Leave::Return),
            "exit" => self.leave_statement(Leave::Exit),
            "drop" => self.leave_statement(Leave::Drop),
            "break" => self.leave_statement(Leave::Break),
            "else" => {
                self.next();
                let help = "a `;` after the `}` of the `if` ends it";
                Err(self.report(Diagnostic::error(span, "syntax error: `else` without an `if`").with_help(help)))
            }
            "case" | "default" if !self.peek_at(1).is("(") => {
                self.next();
                Err(self.error(span, format!("syntax error: `{word}` outside of a `switch`")))
            }
            _ if is_bare_function(word) || self.peek_at(1).is("(") => {
                let call = self.call()?;
                self.end_of_statement()?;
                Ok(StatementKind::Call(call))
            }
            _ => {
                let help = did_you_mean(word, STATEMENT_WORDS.iter().copied().chain(core_function_names()))
                    .or_else(|| did_you_mean(word, self.lexer.defines.names()));
                let message = format!("syntax error: `{word}` is no statement");
                let help = help.or_else(|| Some("a call needs parentheses, a variable begins with `$`".to_string()));
                self.next();
                Err(self.report(Diagnostic::error(span, message).with_help_if(help)))
            }
        }
    }

    /// The `;`; where it is missing reading goes on as if it were there.
    fn end_of_statement(&mut self) -> Parsed<()> {
        if self.take(";") {
            return Ok(());
        }
        let place = self.place_after_last();
        let found = self.peek().clone();
        let starts_statement = found.is("}") || found.is_end() || found.word().is_some() || matches!(found.kind, TokenKind::Variable(_));
        if starts_statement {
            let message = format!("syntax error: a `;` is missing before {}", found.description());
            self.report(Diagnostic::error(place, message));
            return Ok(());
        }
        Err(self.unexpected("`;` after the statement"))
    }

    fn assignment(&mut self, text: &[u8], span: Span) -> Parsed<StatementKind> {
        self.next();
        let target = VariableText { text: Text::from(text), span };
        if !self.peek_is("=") {
            return Err(self.unexpected("`=` after the variable"));
        }
        self.next();
        let value = self.expression()?;
        self.end_of_statement()?;
        Ok(StatementKind::Assign { target, value })
    }

    /// `if expr body [else body]`; chains of `else if` are read in a loop.
    fn if_statement(&mut self) -> Parsed<StatementKind> {
        let mut arms = Vec::new();
        let mut otherwise = Vec::new();
        loop {
            let span = self.next().span;
            let condition = self.condition()?;
            let then = self.body()?;
            arms.push((condition, then, self.span_since(span)));
            if !self.peek_is_word("else") {
                break;
            }
            self.next();
            if !self.peek_is_word("if") {
                otherwise = self.body()?;
                break;
            }
            if arms.len() >= ELSE_IF_MAX {
                let place = self.peek().span;
                return Err(self.error(place, format!("more than {ELSE_IF_MAX} arms of one `if`")));
            }
        }
        let mut nested: Option<StatementKind> = None;
        while let Some((condition, then, span)) = arms.pop() {
            if let Some(kind) = nested.take() {
                otherwise = vec![Statement { kind, span }];
            }
            nested = Some(StatementKind::If { condition, then, otherwise: std::mem::take(&mut otherwise) });
        }
        Ok(nested.unwrap_or(StatementKind::Empty))
    }

    fn while_statement(&mut self) -> Parsed<StatementKind> {
        self.next();
        let condition = self.expression()?;
        self.warn_of_text_condition(&condition);
        let body = self.body()?;
        Ok(StatementKind::While { condition, body })
    }

    /// The condition of an `if`, with the warnings of spec 7.2.
    fn condition(&mut self) -> Parsed<Expression> {
        let condition = self.expression()?;
        if types::constant(&condition).is_some() {
            self.warn(condition.span, "constant value in if(...)");
        } else {
            self.warn_of_text_condition(&condition);
        }
        if matches!(condition.kind, ExpressionKind::Assign(..)) {
            let help = "`==` compares";
            self.report(Diagnostic::warning(condition.span, "this assignment is always true").with_help(help));
        }
        Ok(condition)
    }

    fn warn_of_text_condition(&mut self, condition: &Expression) {
        if types::static_type(condition) == StaticType::Text {
            let help = "a text is true when it is a number above 0";
            self.report(Diagnostic::warning(condition.span, "non-int expression (you might want to use casts)").with_help(help));
        }
    }

    fn leave_statement(&mut self, how: Leave) -> Parsed<StatementKind> {
        self.next();
        if self.peek_is("(") && self.peek_at(1).is(")") {
            self.next();
            self.next();
        }
        if self.peek_is(";") || self.peek_is("}") || how == Leave::Break {
            self.end_of_statement()?;
            return Ok(StatementKind::Leave { how, code: None });
        }
        let code = self.expression()?;
        if types::static_type(&code) == StaticType::Text {
            self.warn(code.span, "a return code is an integer: a text that is no number counts as 0");
        }
        self.end_of_statement()?;
        Ok(StatementKind::Leave { how, code: Some(code) })
    }

    fn switch_statement(&mut self) -> Parsed<StatementKind> {
        let start = self.next().span;
        let subject = self.expression()?;
        let opened = self.expect("{", "before the cases of the `switch`")?;
        self.enter()?;
        let cases = self.cases(opened);
        self.leave();
        let cases = cases?;
        if cases.is_empty() {
            let span = self.span_since(start);
            self.warn(span, "a `switch` without cases does nothing");
        }
        self.check_labels(&cases);
        Ok(StatementKind::Switch { subject, cases })
    }

    fn cases(&mut self, opened: Span) -> Parsed<Vec<Case>> {
        let mut cases: Vec<Case> = Vec::new();
        while !self.take("}") {
            if self.peek().is_end() || self.is_route_header() {
                self.unclosed_at = Some(self.taken());
                return Err(self.error(opened, "this `switch` is not closed: a `}` is missing"));
            }
            let before = self.taken();
            if self.is_label() {
                match self.label() {
                    Ok((label, span)) => cases.push(Case { label, body: Vec::new(), span }),
                    Err(_) => self.skip_statement(),
                }
            } else {
                let span = self.peek().span;
                match self.statement() {
                    Ok(statement) => match cases.last_mut() {
                        Some(case) => case.body.push(statement),
                        None => {
                            self.error(span, "syntax error: expected `case` or `default`");
                        }
                    },
                    Err(_) => self.skip_statement(),
                }
            }
            if self.taken() == before && !self.peek_is("}") && !self.is_route_header() {
                self.next();
            }
        }
        Ok(cases)
    }

    fn is_label(&mut self) -> bool {
        self.peek_is_word("case") || (self.peek_is_word("default") && self.peek_at(1).is(":"))
    }

    fn label(&mut self) -> Parsed<(CaseLabel, Span)> {
        let start = self.peek().span;
        if self.next().is_word("default") {
            self.expect(":", "after `default`")?;
            return Ok((CaseLabel::Default, self.span_since(start)));
        }
        let is_regex = self.take("/");
        let value = self.expression()?;
        let label = match (types::constant(&value), is_regex) {
            (Some(Literal::Text(text)), true) => CaseLabel::Regex(text),
            (Some(Literal::Text(text)), false) => CaseLabel::Text(text),
            (Some(Literal::Integer(number)), false) => CaseLabel::Integer(number),
            (Some(Literal::Integer(_)), true) => {
                return Err(self.error(value.span, "the expression of `case /` is a text"));
            }
            (None, _) => return Err(self.error(value.span, "the value of a `case` is a constant")),
        };
        self.expect(":", "after the value of the `case`")?;
        Ok((label, self.span_since(start)))
    }

    /// Cases are all numbers or all texts, and there is one `default` at most.
    fn check_labels(&mut self, cases: &[Case]) {
        let mut has_default = false;
        let mut are_texts = None;
        for case in cases {
            let is_text = match case.label {
                CaseLabel::Default => {
                    if std::mem::replace(&mut has_default, true) {
                        self.error(case.span, "more than one `default` in a `switch`");
                    }
                    continue;
                }
                CaseLabel::Integer(_) => false,
                CaseLabel::Text(_) | CaseLabel::Regex(_) => true,
            };
            if *are_texts.get_or_insert(is_text) != is_text {
                self.error(case.span, "the cases of a `switch` are all numbers or all texts");
            }
        }
    }
}
