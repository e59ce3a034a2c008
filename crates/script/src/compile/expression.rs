//! Expressions (spec cfg-language 8).

use super::{Compiler, Scope, index};
use crate::bytecode::{CodeAs, Instruction};
use crate::exports::Host;
use crate::regex::{Flags, Pattern};
use crate::syntax::ast::{BinaryOperator, Expression, ExpressionKind, MatchOperand, UnaryOperator};
use crate::syntax::types::{self, StaticType};
use crate::value::{Text, Value};

impl<H: Host> Compiler<H> {
    /// Can evaluation fail as a whole (division by something that may be zero)?
    pub(super) fn may_fail(expression: &Expression) -> bool {
        match &expression.kind {
            ExpressionKind::Binary(BinaryOperator::Divide | BinaryOperator::Modulo, left, right) => {
                !matches!(right.kind, ExpressionKind::Integer(number) if number != 0) || Self::may_fail(left)
            }
            ExpressionKind::Binary(_, left, right) => Self::may_fail(left) || Self::may_fail(right),
            ExpressionKind::Unary(_, inner) | ExpressionKind::Assign(_, inner) => Self::may_fail(inner),
            ExpressionKind::SelectValue(condition, yes, no) => Self::may_fail(condition) || Self::may_fail(yes) || Self::may_fail(no),
            ExpressionKind::Call(call) => call.arguments.iter().any(Self::may_fail),
            ExpressionKind::Match(matched) => {
                matches!(&matched.right, MatchOperand::Expression(right) if Self::may_fail(right))
            }
            _ => false,
        }
    }

    /// Emits code that pushes the value; `code_as` says how a call, block or assignment at the top is read.
    pub(super) fn value(&mut self, expression: &Expression, code_as: CodeAs) {
        let outer = self.span;
        if expression.span.line != 0 {
            self.span = expression.span;
        }
        if self.nested(expression.span, |compiler| compiler.value_of(expression, code_as)).is_none() {
            self.emit(Instruction::Null);
        }
        self.span = outer;
    }

    fn operand(&mut self, expression: &Expression) {
        self.value(expression, CodeAs::Truth);
    }

    /// Where an integer is wanted `+` adds, whatever a variable on its left holds: `$var(a) + 5 > 9` with "10" compares 15.
    /// A left side that is a text by its form joins first: `(int)("1" + 5)` is 15.
    pub(super) fn integer(&mut self, expression: &Expression) {
        match &expression.kind {
            ExpressionKind::Binary(BinaryOperator::Add, left, right) if types::static_type(left) != StaticType::Text => {
                let made = self.nested(expression.span, |compiler| {
                    compiler.integer(left);
                    compiler.emit(Instruction::Unary(UnaryOperator::CastInteger));
                    compiler.integer(right);
                    compiler.emit(Instruction::Binary(BinaryOperator::Add));
                });
                if made.is_none() {
                    self.emit(Instruction::Null);
                }
            }
            _ => self.operand(expression),
        }
    }

    fn value_of(&mut self, expression: &Expression, code_as: CodeAs) {
        match &expression.kind {
            ExpressionKind::Integer(number) => {
                self.emit(Instruction::Integer(*number));
            }
            ExpressionKind::Text(text) => {
                let at = self.constant(Value::Text(text.clone()));
                self.emit(Instruction::Constant(at));
            }
            ExpressionKind::Variable(variable) => {
                let instruction = self.reference(variable).map_or(Instruction::Null, Instruction::Read);
                self.emit(instruction);
            }
            ExpressionKind::Select(name) => {
                self.select(name);
                // A select that is not there is the empty text, not null; only `defined` tells.
                self.emit(Instruction::Unary(UnaryOperator::CastText));
            }
            ExpressionKind::Call(call) => {
                self.call(call, false);
                self.emit(Instruction::Code(code_as));
            }
            ExpressionKind::Assign(target, value) => {
                self.assignment(target, value);
                self.emit(Instruction::ClearReturnCode);
                self.emit(Instruction::Code(code_as));
            }
            ExpressionKind::Block(body) => {
                self.scopes.push(Scope { breaks: Vec::new() });
                self.blocks = self.blocks.saturating_add(1);
                self.emit(Instruction::ClearReturnCode);
                self.emit(Instruction::SetCode(1));
                self.statements(body);
                self.blocks = self.blocks.saturating_sub(1);
                self.end_scope();
                self.emit(Instruction::Code(code_as));
            }
            ExpressionKind::Unary(operator, inner) => self.unary(*operator, inner),
            ExpressionKind::Binary(operator, left, right) => self.binary(*operator, left, right),
            ExpressionKind::Match(matched) => self.core_match(matched, expression.span),
            ExpressionKind::SelectValue(condition, yes, no) => {
                self.integer(condition);
                let decision = self.emit(Instruction::JumpUnless(0));
                self.value(yes, code_as);
                let over = self.emit(Instruction::Jump(0));
                self.patch(decision);
                self.value(no, code_as);
                self.patch(over);
            }
        }
    }

    fn select(&mut self, name: &Text) {
        let at = self.constant(Value::Text(name.clone()));
        self.emit(Instruction::Select(at));
    }

    fn unary(&mut self, operator: UnaryOperator, inner: &Expression) {
        match (operator, &inner.kind) {
            (UnaryOperator::Defined, _) => self.defined(inner),
            (UnaryOperator::Negate, ExpressionKind::Integer(number)) => {
                self.emit(Instruction::Integer(number.wrapping_neg()));
            }
            (UnaryOperator::CastText | UnaryOperator::TextLength | UnaryOperator::TextEmpty, _) => {
                self.operand(inner);
                self.emit(Instruction::Unary(operator));
            }
            _ => {
                self.integer(inner);
                self.emit(Instruction::Unary(operator));
            }
        }
    }

    /// 1 unless it is a single variable or select that is null.
    fn defined(&mut self, expression: &Expression) {
        match &expression.kind {
            ExpressionKind::Variable(variable) => {
                let instruction = self.reference(variable).map_or(Instruction::Null, Instruction::Defined);
                self.emit(instruction);
            }
            ExpressionKind::Select(name) => {
                self.select(name);
                self.emit(Instruction::DefinedTop);
            }
            ExpressionKind::Integer(_) | ExpressionKind::Text(_) => {
                self.emit(Instruction::Integer(1));
            }
            _ => {
                self.operand(expression);
                self.emit(Instruction::Pop);
                self.emit(Instruction::Integer(1));
            }
        }
    }

    fn is_null_constant(&mut self, expression: &Expression) -> bool {
        match &expression.kind {
            ExpressionKind::Variable(variable) => {
                matches!(&*variable.text, b"$null" | b"$(null)")
            }
            _ => false,
        }
    }

    fn binary(&mut self, operator: BinaryOperator, left: &Expression, right: &Expression) {
        match operator {
            // `x && 1` and `x || 0` are the integer x, as 5.6.3 makes them.
            BinaryOperator::And | BinaryOperator::Or if is_neutral(operator, right) && !is_constant(left) => self.as_integer(left),
            BinaryOperator::And | BinaryOperator::Or if is_neutral(operator, left) && !is_constant(right) => self.as_integer(right),
            BinaryOperator::And | BinaryOperator::Or => {
                self.integer(left);
                let is_and = operator == BinaryOperator::And;
                let decision = self.emit(if is_and { Instruction::AndJump(0) } else { Instruction::OrJump(0) });
                self.integer(right);
                self.emit(Instruction::Boolean);
                self.patch(decision);
            }
            BinaryOperator::Equal if self.is_null_constant(right) => {
                self.defined(left);
                self.emit(Instruction::Unary(UnaryOperator::Not));
            }
            BinaryOperator::NotEqual if self.is_null_constant(right) => self.defined(left),
            // `== ""` asks whether the text is empty, so the integer 0 is not; `!= ""` compares integers beside an integer.
            BinaryOperator::Equal if matches!(&right.kind, ExpressionKind::Text(text) if text.is_empty()) => {
                self.operand(left);
                self.emit(Instruction::Unary(UnaryOperator::TextEmpty));
            }
            BinaryOperator::Matches => {
                self.operand(left);
                if let ExpressionKind::Text(text) = &right.kind {
                    if let Some(at) = self.pattern(text, Flags::OPERATOR, right) {
                        self.emit(Instruction::Matches(at));
                    }
                } else {
                    self.operand(right);
                    self.emit(Instruction::Binary(operator));
                }
            }
            _ => {
                let is_by_value = matches!(
                    operator,
                    BinaryOperator::Add
                        | BinaryOperator::Equal
                        | BinaryOperator::NotEqual
                        | BinaryOperator::TextEqual
                        | BinaryOperator::TextNotEqual
                );
                let side = if is_by_value { Self::operand } else { Self::integer };
                side(self, left);
                match &right.kind {
                    ExpressionKind::Integer(number) => {
                        let at = self.constant(Value::Integer(*number));
                        self.emit(Instruction::BinaryConstant(operator, at));
                    }
                    ExpressionKind::Text(text) => {
                        let at = self.constant(Value::Text(text.clone()));
                        self.emit(Instruction::BinaryConstant(operator, at));
                    }
                    _ if is_by_value && is_sum_of_any_type(right) => {
                        self.right_by_left_type(operator, left, right);
                        self.emit(Instruction::Binary(operator));
                    }
                    _ => {
                        side(self, right);
                        self.emit(Instruction::Binary(operator));
                    }
                }
            }
        }
    }

    fn as_integer(&mut self, expression: &Expression) {
        self.integer(expression);
        self.emit(Instruction::Unary(UnaryOperator::CastInteger));
    }

    /// The right side of `+`, `==` and `!=` is computed as the left side turns out: beside an integer its sums add, beside a
    /// text they join. `$var(n) + ($var(s) + 5)` is 18 with 3 and "10".
    fn right_by_left_type(&mut self, operator: BinaryOperator, left: &Expression, right: &Expression) {
        let is_text_wanted = matches!(operator, BinaryOperator::TextEqual | BinaryOperator::TextNotEqual);
        match types::static_type(left) {
            StaticType::Integer if !is_text_wanted => self.integer(right),
            StaticType::Dynamic if !is_text_wanted => {
                let decision = self.emit(Instruction::JumpUnlessInteger(0));
                self.integer(right);
                let over = self.emit(Instruction::Jump(0));
                self.patch(decision);
                self.operand(right);
                self.patch(over);
            }
            _ => self.operand(right),
        }
    }

    fn pattern(&mut self, text: &[u8], flags: Flags, place: &Expression) -> Option<u32> {
        match Pattern::compile(text, flags) {
            Ok(pattern) => {
                self.program.patterns.push(pattern);
                Some(index(self.program.patterns.len() - 1))
            }
            Err(error) => {
                self.error(place.span, error);
                None
            }
        }
    }
}

/// `&& 1` and `|| 0` say nothing about the other side.
fn is_neutral(operator: BinaryOperator, side: &Expression) -> bool {
    let neutral = i64::from(operator == BinaryOperator::And);
    matches!(side.kind, ExpressionKind::Integer(number) if number == neutral)
}

/// What 5.6.3 computes at start.
fn is_constant(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Integer(_) | ExpressionKind::Text(_) => true,
        ExpressionKind::Unary(_, inner) => is_constant(inner),
        ExpressionKind::Binary(_, left, right) => is_constant(left) && is_constant(right),
        _ => false,
    }
}

/// A sum whose type only running tells: whether it adds or joins depends on where it stands.
fn is_sum_of_any_type(expression: &Expression) -> bool {
    matches!(expression.kind, ExpressionKind::Binary(BinaryOperator::Add, ..)) && types::static_type(expression) == StaticType::Dynamic
}
