//! What is known of an expression without running it: its type, and its value when it is constant (spec cfg-language 8.3).

use crate::syntax::ast::{BinaryOperator, Expression, ExpressionKind, Literal, UnaryOperator};
use crate::value::Text;

/// The type an expression has in every run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StaticType {
    Integer,
    Text,
    /// Only running tells.
    Dynamic,
}

pub(crate) fn static_type(expression: &Expression) -> StaticType {
    match &expression.kind {
        ExpressionKind::Integer(_)
        | ExpressionKind::Call(_)
        | ExpressionKind::Match(_)
        | ExpressionKind::Assign(..)
        | ExpressionKind::Block(_) => StaticType::Integer,
        ExpressionKind::Text(_) | ExpressionKind::Select(_) | ExpressionKind::Unary(UnaryOperator::CastText, _) => StaticType::Text,
        ExpressionKind::Unary(..) => StaticType::Integer,
        ExpressionKind::Binary(BinaryOperator::Add, left, _) => static_type(left),
        ExpressionKind::Binary(..) => StaticType::Integer,
        ExpressionKind::Variable(_) => StaticType::Dynamic,
        ExpressionKind::SelectValue(_, yes, no) => {
            let (yes, no) = (static_type(yes), static_type(no));
            if yes == no { yes } else { StaticType::Dynamic }
        }
    }
}

const TEXT_FOR_INTEGER: &str = "a text instead of an integer";
const INTEGER_FOR_TEXT: &str = "an integer instead of a text";

/// The type errors of an operator with two sides.
pub(crate) fn check_binary(operator: BinaryOperator, left: &Expression, right: &Expression) -> Result<(), &'static str> {
    let (left, right) = (static_type(left), static_type(right));
    match operator {
        BinaryOperator::Equal | BinaryOperator::NotEqual | BinaryOperator::Add => {
            if (left, right) == (StaticType::Integer, StaticType::Text) { Err(TEXT_FOR_INTEGER) } else { Ok(()) }
        }
        BinaryOperator::TextEqual | BinaryOperator::TextNotEqual => {
            let is_wrong = left == StaticType::Integer || (left, right) == (StaticType::Text, StaticType::Integer);
            if is_wrong { Err(INTEGER_FOR_TEXT) } else { Ok(()) }
        }
        BinaryOperator::Matches if left == StaticType::Integer => Err(INTEGER_FOR_TEXT),
        BinaryOperator::Matches => Ok(()),
        _ if left == StaticType::Text || right == StaticType::Text => Err(TEXT_FOR_INTEGER),
        _ => Ok(()),
    }
}

/// The type errors of an operator with one side.
pub(crate) fn check_unary(operator: UnaryOperator, operand: &Expression) -> Result<(), &'static str> {
    match (operator, static_type(operand)) {
        (UnaryOperator::CastInteger | UnaryOperator::CastText, _) => Ok(()),
        (UnaryOperator::Not | UnaryOperator::BitNot | UnaryOperator::Negate, StaticType::Text) => Err(TEXT_FOR_INTEGER),
        (UnaryOperator::Defined | UnaryOperator::TextLength | UnaryOperator::TextEmpty, StaticType::Integer) => Err(INTEGER_FOR_TEXT),
        _ => Ok(()),
    }
}

/// Does a call hide in this expression?
pub(crate) fn contains_call(expression: &Expression) -> bool {
    match &expression.kind {
        ExpressionKind::Call(_) | ExpressionKind::Block(_) => true,
        ExpressionKind::Unary(_, operand) | ExpressionKind::Assign(_, operand) => contains_call(operand),
        ExpressionKind::Binary(_, left, right) => contains_call(left) || contains_call(right),
        ExpressionKind::SelectValue(condition, yes, no) => [condition, yes, no].into_iter().any(|part| contains_call(part)),
        _ => false,
    }
}

/// The value of an expression that is the same in every run.
pub(crate) fn constant(expression: &Expression) -> Option<Literal> {
    match &expression.kind {
        ExpressionKind::Integer(number) => Some(Literal::Integer(*number)),
        ExpressionKind::Text(text) => Some(Literal::Text(text.clone())),
        ExpressionKind::Unary(operator, operand) => constant_unary(*operator, constant(operand)?),
        ExpressionKind::Binary(operator, left, right) => constant_binary(*operator, constant(left)?, constant(right)?),
        _ => None,
    }
}

fn constant_unary(operator: UnaryOperator, operand: Literal) -> Option<Literal> {
    Some(match (operator, operand) {
        (UnaryOperator::Not, Literal::Integer(number)) => Literal::Integer(i64::from(number == 0)),
        (UnaryOperator::BitNot, Literal::Integer(number)) => Literal::Integer(!number),
        (UnaryOperator::Negate, Literal::Integer(number)) => Literal::Integer(number.wrapping_neg()),
        (UnaryOperator::CastInteger, Literal::Text(text)) => Literal::Integer(crate::value::parse_integer(&text).unwrap_or(0)),
        (UnaryOperator::CastText, Literal::Integer(number)) => Literal::Text(Text::from(number.to_string())),
        (UnaryOperator::CastInteger | UnaryOperator::CastText, same) => same,
        (UnaryOperator::TextLength, Literal::Text(text)) => Literal::Integer(i64::try_from(text.len()).ok()?),
        (UnaryOperator::TextEmpty, Literal::Text(text)) => Literal::Integer(i64::from(text.is_empty())),
        _ => return None,
    })
}

fn constant_binary(operator: BinaryOperator, left: Literal, right: Literal) -> Option<Literal> {
    let (left, right) = match (left, right) {
        (Literal::Integer(left), Literal::Integer(right)) => (left, right),
        (Literal::Text(left), right) if operator == BinaryOperator::Add => {
            let right = match right {
                Literal::Text(right) => right,
                Literal::Integer(right) => Text::from(right.to_string()),
            };
            return Some(Literal::Text(Text::from([left.as_ref(), right.as_ref()].concat())));
        }
        _ => return None,
    };
    let shift = u32::try_from(right).unwrap_or(64);
    Some(Literal::Integer(match operator {
        BinaryOperator::Or => i64::from(left != 0 || right != 0),
        BinaryOperator::And => i64::from(left != 0 && right != 0),
        BinaryOperator::BitOr => left | right,
        BinaryOperator::BitAnd => left & right,
        BinaryOperator::BitXor => left ^ right,
        BinaryOperator::ShiftLeft => left.checked_shl(shift).unwrap_or(0),
        BinaryOperator::ShiftRight => left.checked_shr(shift).unwrap_or(0),
        BinaryOperator::Equal | BinaryOperator::IntegerEqual => i64::from(left == right),
        BinaryOperator::NotEqual | BinaryOperator::IntegerNotEqual => i64::from(left != right),
        BinaryOperator::Greater => i64::from(left > right),
        BinaryOperator::Less => i64::from(left < right),
        BinaryOperator::GreaterEqual => i64::from(left >= right),
        BinaryOperator::LessEqual => i64::from(left <= right),
        BinaryOperator::Add => left.wrapping_add(right),
        BinaryOperator::Subtract => left.wrapping_sub(right),
        BinaryOperator::Multiply => left.wrapping_mul(right),
        BinaryOperator::Divide => left.checked_div(right)?,
        BinaryOperator::Modulo => left.checked_rem(right)?,
        BinaryOperator::Matches | BinaryOperator::TextEqual | BinaryOperator::TextNotEqual => {
            return None;
        }
    }))
}
