//! The operators on values (spec cfg-language 8.4, 8.5).

use super::TEXT_BYTES_MAX;
use crate::regex::Pattern;
use crate::syntax::ast::{BinaryOperator, UnaryOperator};
use crate::value::Value;

pub(super) fn matches(left: &Value, pattern: &Pattern) -> bool {
    match left {
        Value::Text(text) | Value::Number(_, text) | Value::Symbol(_, text) => pattern.is_match(text),
        other => pattern.is_match(&other.to_text()),
    }
}

pub(super) fn unary(operator: UnaryOperator, value: Value) -> Value {
    match operator {
        UnaryOperator::Not => Value::Integer(i64::from(value.to_integer() == 0)),
        UnaryOperator::BitNot => Value::Integer(!value.to_integer()),
        UnaryOperator::Negate => Value::Integer(value.to_integer().wrapping_neg()),
        UnaryOperator::Defined => Value::Integer(i64::from(!value.is_null())),
        UnaryOperator::CastInteger => Value::Integer(value.to_integer()),
        UnaryOperator::CastText => Value::Text(value.to_text()),
        UnaryOperator::TextLength => Value::Integer(i64::try_from(text_length(&value)).unwrap_or(i64::MAX)),
        UnaryOperator::TextEmpty => Value::Integer(i64::from(text_length(&value) == 0)),
    }
}

fn text_length(value: &Value) -> usize {
    match value {
        Value::Null => 0,
        Value::Text(text) | Value::Number(_, text) | Value::Symbol(_, text) => text.len(),
        Value::Integer(_) => value.to_text().len(),
    }
}

/// The left side decides: integer, text, or the kind of the right side when it is undefined.
fn equal(left: &Value, right: &Value) -> bool {
    match left {
        Value::Integer(number) | Value::Number(number, _) => *number == right.to_integer(),
        Value::Text(_) | Value::Symbol(..) => text_equal(left, right),
        Value::Null => match right {
            Value::Null => true,
            Value::Integer(number) | Value::Number(number, _) => *number == 0,
            Value::Text(text) | Value::Symbol(_, text) => text.is_empty(),
        },
    }
}

fn text_equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (
            Value::Text(left) | Value::Number(_, left) | Value::Symbol(_, left),
            Value::Text(right) | Value::Number(_, right) | Value::Symbol(_, right),
        ) => left == right,
        _ => left.to_text() == right.to_text(),
    }
}

fn shift(number: i64, by: i64, is_left: bool) -> i64 {
    match u32::try_from(by) {
        Ok(by) if by < 64 && is_left => number.wrapping_shl(by),
        Ok(by) if by < 64 => number.wrapping_shr(by),
        _ => 0,
    }
}

/// Would joining make a text beyond the bound?
pub(super) fn is_sum_too_long(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Text(left) | Value::Symbol(_, left), Value::Text(right) | Value::Number(_, right) | Value::Symbol(_, right)) => {
            left.len() + right.len() > TEXT_BYTES_MAX
        }
        (Value::Text(left) | Value::Symbol(_, left), _) => left.len() + 20 > TEXT_BYTES_MAX,
        _ => false,
    }
}

fn add(left: Value, right: &Value) -> Value {
    match left {
        Value::Integer(number) | Value::Number(number, _) => Value::Integer(number.wrapping_add(right.to_integer())),
        Value::Null => Value::Text(right.to_text()),
        Value::Text(text) | Value::Symbol(_, text) => {
            let mut joined = Vec::with_capacity(text.len() + 20);
            joined.extend_from_slice(&text);
            right.append_to(&mut joined);
            Value::text(joined)
        }
    }
}

/// `None`: division by zero. `&&`, `||` and `=~` are not done here.
pub(super) fn binary(operator: BinaryOperator, left: Value, right: &Value) -> Option<Value> {
    let truth = |is_true: bool| Value::Integer(i64::from(is_true));
    let numbers = || (left.to_integer(), right.to_integer());
    Some(match operator {
        BinaryOperator::Add => add(left, right),
        BinaryOperator::Equal => truth(equal(&left, right)),
        BinaryOperator::NotEqual => truth(!equal(&left, right)),
        BinaryOperator::TextEqual => truth(text_equal(&left, right)),
        BinaryOperator::TextNotEqual => truth(!text_equal(&left, right)),
        _ => {
            let (a, b) = numbers();
            match operator {
                BinaryOperator::BitOr => Value::Integer(a | b),
                BinaryOperator::BitAnd => Value::Integer(a & b),
                BinaryOperator::BitXor => Value::Integer(a ^ b),
                BinaryOperator::ShiftLeft => Value::Integer(shift(a, b, true)),
                BinaryOperator::ShiftRight => Value::Integer(shift(a, b, false)),
                BinaryOperator::IntegerEqual => truth(a == b),
                BinaryOperator::IntegerNotEqual => truth(a != b),
                BinaryOperator::Greater => truth(a > b),
                BinaryOperator::Less => truth(a < b),
                BinaryOperator::GreaterEqual => truth(a >= b),
                BinaryOperator::LessEqual => truth(a <= b),
                BinaryOperator::Subtract => Value::Integer(a.wrapping_sub(b)),
                BinaryOperator::Multiply => Value::Integer(a.wrapping_mul(b)),
                BinaryOperator::Divide if b == 0 => return None,
                BinaryOperator::Divide => Value::Integer(a.wrapping_div(b)),
                BinaryOperator::Modulo if b == 0 => return None,
                BinaryOperator::Modulo => Value::Integer(a.wrapping_rem(b)),
                BinaryOperator::And => truth(a != 0 && b != 0),
                _ => truth(a != 0 || b != 0),
            }
        }
    })
}
