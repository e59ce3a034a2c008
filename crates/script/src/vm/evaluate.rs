//! Reading, writing and formatting through compiled references; a worker implements `Evaluate` with these.

use super::TEXT_BYTES_MAX;
use crate::exports::{Host, Index, Inner, Variable, XavpPath};
use crate::format::{Format, Piece};
use crate::regex::Substitution;
use crate::transform::time::Calendar;
use crate::transform::{Parameter, Transformation, Work};
use crate::value::{Text, Value};
use crate::variable::{IndexText, InnerText, Reference, Target};

/// A transformation refused its input: the read is undefined and prints nothing (spec cfg-language 11.2).
struct Refused;

/// The value of a reference; undefined when a transformation refuses.
pub fn read<H: Host>(host: &mut H, reference: &Reference) -> Value {
    read_transformed(host, reference).unwrap_or_default()
}

fn read_transformed<H: Host>(host: &mut H, reference: &Reference) -> Result<Value, Refused> {
    let mut value = read_plain(host, reference);
    for transformation in &reference.transformations {
        value = transform(host, transformation, value).ok_or(Refused)?;
    }
    Ok(value)
}

fn read_plain<H: Host>(host: &mut H, reference: &Reference) -> Value {
    match &reference.target {
        Target::Null => Value::Null,
        Target::True => Value::Integer(1),
        Target::Dollar => Value::text("$"),
        Target::ReturnCode => Value::Integer(host.return_code()),
        Target::Formatted => match &reference.inner {
            InnerText::Constant(inner) => Value::text(inner.word()),
            InnerText::Format(format) => Value::Text(format_text(host, format)),
            InnerText::Xavp { .. } => Value::Null,
        },
        Target::Declared(named) => match named.variable::<H>() {
            Some(variable) => with_inner(host, reference, |host, inner, index| (variable.read)(host, inner, index)),
            None => Value::Null,
        },
    }
}

/// Assigns through a reference; the error is a sentence.
pub fn write<H: Host>(host: &mut H, reference: &Reference, value: Value) -> Result<(), String> {
    reference.check_writable()?;
    let Target::Declared(named) = &reference.target else { return Err("read only".to_string()) };
    let declared: Option<&'static Variable<H>> = named.variable::<H>();
    let Some(write) = declared.and_then(|variable| variable.write) else {
        return Err(format!("{} is read only", reference.text()));
    };
    with_inner(host, reference, |host, inner, index| write(host, inner, index, value))
}

/// Evaluates inner name and index, then calls.
fn with_inner<H: Host, T>(host: &mut H, reference: &Reference, call: impl FnOnce(&mut H, &Inner, Option<Index>) -> T) -> T {
    let index = reference.index.as_ref().map(|index| evaluate_index(host, index));
    match &reference.inner {
        InnerText::Constant(inner) => call(host, inner, index),
        InnerText::Format(format) => {
            let inner = Inner::Word(format_text(host, format));
            call(host, &inner, index)
        }
        InnerText::Xavp { root, root_index, key } => {
            let path = XavpPath {
                root: format_text(host, root),
                root_index: root_index.as_ref().map(|index| evaluate_index(host, index)),
                key: key.as_ref().map(|(key, index)| (format_text(host, key), index.as_ref().map(|index| evaluate_index(host, index)))),
            };
            call(host, &Inner::Xavp(path), index)
        }
    }
}

fn evaluate_index<H: Host>(host: &mut H, index: &IndexText) -> Index {
    match index {
        IndexText::Constant(index) => *index,
        IndexText::Variable(reference) => Index::At(read(host, reference).to_integer()),
    }
}

fn transform<H: Host>(host: &mut H, transformation: &Transformation, value: Value) -> Option<Value> {
    let mut parameters = Vec::new();
    for parameter in &transformation.parameters {
        parameters.push(match parameter {
            Parameter::Constant(constant) => constant.clone(),
            Parameter::Variable(reference) => read(host, reference),
        });
    }
    match transformation.entry.work {
        Work::Pure(apply) => apply(&value, &parameters),
        Work::FormatTime => {
            let seconds = match &value {
                Value::Null => return None,
                Value::Integer(number) | Value::Number(number, _) => *number,
                Value::Text(text) | Value::Symbol(_, text) => decimal(text)?,
            };
            let format = parameters.first()?.to_text();
            Some(Value::text(Calendar::new(seconds, host.utc_offset(seconds)).format(&format)))
        }
        Work::Substitute => {
            if value.is_null() {
                return None;
            }
            let subject = value.to_text();
            if subject.is_empty() {
                return None;
            }
            match substitute(host, transformation.substitution.as_ref()?, &subject) {
                Some((text, _)) if text.len() > TEXT_BYTES_MAX => None,
                Some((text, _)) => Some(Value::text(text)),
                None => Some(Value::Text(subject)),
            }
        }
    }
}

/// Unix seconds in decimal; the empty text is 0.
fn decimal(text: &[u8]) -> Option<i64> {
    let is_decimal = text.iter().all(u8::is_ascii_digit);
    is_decimal.then(|| Value::Text(Text::from(text)).to_integer())
}

/// Applies a substitution: the new text and the number of replacements, or `None` when nothing matches.
pub fn substitute<H: Host>(host: &mut H, substitution: &Substitution, subject: &[u8]) -> Option<(Vec<u8>, usize)> {
    substitution.apply(subject, |reference, out| append(host, reference, out))
}

fn append<H: Host>(host: &mut H, reference: &Reference, out: &mut Vec<u8>) {
    match read_transformed(host, reference) {
        Ok(Value::Null) => out.extend_from_slice(b"<null>"),
        Ok(value) => value.append_to(out),
        Err(Refused) => {}
    }
}

/// Appends the text of a format; null prints `<null>`, a refused transformation prints nothing. Longer texts are cut at
/// [`TEXT_BYTES_MAX`].
pub fn format<H: Host>(host: &mut H, format: &Format, out: &mut Vec<u8>) {
    let most = out.len() + TEXT_BYTES_MAX;
    for piece in &format.pieces {
        if out.len() >= most {
            break;
        }
        match piece {
            Piece::Text(text) => out.extend_from_slice(text),
            Piece::Variable(reference) => append(host, reference, out),
        }
    }
    out.truncate(most);
}

/// The text of a format.
pub fn format_text<H: Host>(host: &mut H, compiled: &Format) -> Text {
    match compiled.pieces.as_slice() {
        [] => Text::empty(),
        [Piece::Text(text)] => text.clone(),
        [Piece::Variable(reference)] => match read_transformed(host, reference) {
            Ok(Value::Null) => Text::from("<null>"),
            Ok(value) => value.to_text(),
            Err(Refused) => Text::empty(),
        },
        _ => {
            let mut out = host.spare_buffer();
            format(host, compiled, &mut out);
            let text = Text::from(out.as_slice());
            host.keep_buffer(out);
            text
        }
    }
}
