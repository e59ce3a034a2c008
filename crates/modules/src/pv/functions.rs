//! Functions on one variable: `pv_isset`, `is_int`, `typeof`, `not_empty`, `pv_evalx`.

use script::exports::{Argument, Evaluate, Flow};
use script::value::Value;

use crate::worker::Worker;

/// The value of a variable argument; null when the argument is none.
fn read(worker: &mut Worker, argument: Option<&Argument>) -> Value {
    match argument {
        Some(Argument::Variable(reference)) => worker.read(reference),
        _ => Value::Null,
    }
}

pub(super) fn is_set(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    Flow::from(!read(worker, arguments.first()).is_null())
}

pub(super) fn unset(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Some(Argument::Variable(reference)) = arguments.first() else { return Flow::Code(-1) };
    write(worker, reference, Value::Null)
}

pub(super) fn is_integer(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    Flow::from(read(worker, arguments.first()).is_integer())
}

/// `typeof(variable, "int" | "str" | "null")`.
pub(super) fn type_of(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let value = read(worker, arguments.first());
    let wanted = arguments.get(1).map(Argument::text).unwrap_or_default();
    Flow::from(match &wanted.to_ascii_lowercase()[..] {
        b"int" => value.is_integer(),
        b"str" => matches!(value, Value::Text(_) | Value::Symbol(..)),
        b"null" => value.is_null(),
        _ => false,
    })
}

/// True for text that is not empty and integers that are not 0.
pub(super) fn not_empty(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    Flow::from(match read(worker, arguments.first()) {
        Value::Null => false,
        Value::Integer(number) | Value::Number(number, _) => number != 0,
        Value::Text(text) | Value::Symbol(_, text) => !text.is_empty(),
    })
}

/// `pv_evalx(variable, text)`: evaluates the text, then once more what came out.
pub(super) fn evaluate_twice(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let (Some(Argument::Variable(target)), Some(text)) = (arguments.first(), arguments.get(1).map(Argument::text)) else {
        return Flow::Code(-1);
    };
    let dictionary = script::variable::Known(&worker.node.loaded);
    match script::format::Format::parse(&text, &dictionary) {
        Ok(format) => {
            let value = Value::Text(worker.format(&format));
            write(worker, target, value)
        }
        Err(error) => {
            worker.log(-1, "pv", &error);
            Flow::Code(-1)
        }
    }
}

/// Writes through a reference; logs and answers -1 when it is refused.
pub(super) fn write(worker: &mut Worker, reference: &script::variable::Reference, value: Value) -> Flow {
    match worker.write(reference, value) {
        Ok(()) => Flow::Code(1),
        Err(error) => {
            let line = format!("{}: {error}", reference.text());
            worker.log(-1, "pv", &line);
            Flow::Code(-1)
        }
    }
}
