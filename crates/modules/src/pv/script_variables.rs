//! `$var`, `$vz` (0 when unset) and `$vn` (null when unset), and the parameters that give variables first values.

use script::exports::{Index, Inner};
use script::value::{Text, Value, parse_integer};

use crate::worker::Worker;

/// Most variables of one class in one message.
pub const VARIABLES_MAX: usize = 1024;

/// Reads `name=i:5` and `name=s:text` definitions.
pub(super) fn definitions(parameter: &str, values: &[Text]) -> Result<Vec<(Text, Value)>, String> {
    values
        .iter()
        .map(|value| definition(value).ok_or_else(|| format!("pv: {parameter}: {value} is not name=i:NUMBER or name=s:TEXT")))
        .collect()
}

fn definition(text: &[u8]) -> Option<(Text, Value)> {
    let at = text.iter().position(|byte| *byte == b'=')?;
    let name = text.get(..at)?.trim_ascii();
    let value = text.get(at + 1..)?;
    let value = match (value.first()?, value.get(1)) {
        (b'i' | b'I', Some(b':')) => Value::Integer(parse_integer(value.get(2..)?)?),
        (b's' | b'S', Some(b':')) => Value::text(value.get(2..)?),
        _ => Value::text(value),
    };
    if name.is_empty() { None } else { Some((Text::from(name), value)) }
}

fn find<'a>(variables: &'a [(Text, Value)], name: &[u8]) -> Option<&'a Value> {
    variables.iter().find(|(own, _)| own[..] == *name).map(|(_, value)| value)
}

fn set(variables: &mut Vec<(Text, Value)>, name: &[u8], value: Value) -> Result<(), String> {
    if let Some((_, slot)) = variables.iter_mut().find(|(own, _)| own[..] == *name) {
        *slot = value;
        return Ok(());
    }
    if variables.len() >= VARIABLES_MAX {
        return Err(format!("more than {VARIABLES_MAX} variables"));
    }
    variables.push((Text::from(name), value));
    Ok(())
}

pub(super) fn read(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    let name = inner.word();
    let value = find(&worker.run.variables, name).or_else(|| find(&worker.node.states.pv.initial_variables, name));
    value.cloned().unwrap_or(Value::Integer(0))
}

pub(super) fn write(worker: &mut Worker, inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    let value = if value.is_null() { Value::Integer(0) } else { value.kept() };
    set(&mut worker.run.variables, inner.word(), value)
}

pub(super) fn read_null(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    find(&worker.run.null_variables, inner.word()).cloned().unwrap_or_default()
}

pub(super) fn write_null(worker: &mut Worker, inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    set(&mut worker.run.null_variables, inner.word(), value.kept())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions_have_a_type() {
        let read = definitions("varset", &[Text::from("a=i:5"), Text::from("b=s:te=xt")]).unwrap();
        assert_eq!(read, [(Text::from("a"), Value::Integer(5)), (Text::from("b"), Value::text("te=xt"))]);
        assert!(definitions("varset", &[Text::from("a=i:x")]).is_err());
        assert!(definitions("varset", &[Text::from("nothing")]).is_err());
    }

    #[test]
    fn variables_are_bounded() {
        let mut variables = Vec::new();
        for number in 0..VARIABLES_MAX {
            set(&mut variables, number.to_string().as_bytes(), Value::Null).unwrap();
        }
        assert!(set(&mut variables, b"one more", Value::Null).is_err());
        assert!(set(&mut variables, b"0", Value::Integer(1)).is_ok());
    }
}
