//! Evaluation of a call's arguments (spec cfg-language 14).

use std::sync::Arc;

use super::evaluate::{format_text, read};
use crate::bytecode::{ArgumentPlan, As, CallSite, Program};
use crate::exports::{Argument, Host};
use crate::regex::{Flags, Pattern};
use crate::value::{Text, Value, parse_integer};

/// Fills `arguments` in the order of the call; computed ones are taken from the top of the stack.
pub(super) fn evaluate<H: Host>(
    program: &Program<H>,
    host: &mut H,
    site: &CallSite<H>,
    values: &mut Vec<Value>,
    arguments: &mut Vec<Argument>,
) -> Result<(), String> {
    let mut computed = values.drain(values.len().saturating_sub(site.computed)..);
    for plan in &site.plans {
        let argument = match plan {
            ArgumentPlan::Constant(argument) => argument.clone(),
            ArgumentPlan::Format(format, kind) => {
                let text = format_text(host, format);
                handed(program, Value::Text(text), *kind)?
            }
            ArgumentPlan::Read(reference, kind) => {
                let value = read(host, reference);
                handed(program, value, *kind)?
            }
            ArgumentPlan::Computed(kind) => handed(program, computed.next().unwrap_or_default(), *kind)?,
        };
        arguments.push(argument);
    }
    Ok(())
}

fn handed<H: Host>(program: &Program<H>, value: Value, kind: As) -> Result<Argument, String> {
    Ok(match kind {
        As::Text => Argument::Text(value.to_text()),
        As::Integer => number(value),
        As::Regex => Argument::Regex(Pattern::dynamic(&value.to_text(), Flags::ARGUMENT)?),
        As::Substitution => Argument::Substitution(Arc::new(program.compile_substitution(&value.to_text())?)),
    })
}

/// A number where there is one; what is none stays the text it is, so that a function can tell.
fn number(value: Value) -> Argument {
    match value {
        Value::Null => Argument::Text(Text::empty()),
        Value::Text(text) if text.is_empty() || parse_integer(&text).is_none() => Argument::Text(text),
        value => Argument::Integer(value.to_integer()),
    }
}
