//! Parameters of the request URI.

use script::exports::{Argument, Evaluate, Flow};
use script::value::{Text, Value};
use sip::params::Params;
use sip::uri::Uri;

use crate::worker::Worker;

fn text(arguments: &[Argument], index: usize) -> Text {
    arguments.get(index).map(Argument::text).unwrap_or_default()
}

/// `uri_param(name)`: present without value; `uri_param(name, value)`: present with this value.
pub(super) fn uri_param(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Ok(uri) = Uri::parse(worker.run.request_uri()) else { return Flow::Code(-1) };
    let name = text(arguments, 0);
    Flow::from(match (uri.param(&name), arguments.get(1)) {
        (Some(found), Some(value)) => found == &*value.text(),
        (Some(found), None) => found.is_empty(),
        (None, _) => false,
    })
}

/// `uri_param_any(name)`: present, with or without value.
pub(super) fn uri_param_any(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let Ok(uri) = Uri::parse(worker.run.request_uri()) else { return Flow::Code(-1) };
    Flow::from(uri.param(&text(arguments, 0)).is_some())
}

/// `get_uri_param(name, $variable)`.
pub(super) fn get_uri_param(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = text(arguments, 0);
    let value = Uri::parse(worker.run.request_uri()).ok().and_then(|uri| uri.param(&name)).map(Text::from);
    match (value, arguments.get(1)) {
        (Some(value), Some(Argument::Variable(reference))) => Flow::from(worker.write(reference, Value::Text(value)).is_ok()),
        _ => Flow::Code(-1),
    }
}

/// A URI split before and behind its parameters (headers start with `?`).
fn split_parameters<'a>(uri: &Uri<'a>) -> (&'a [u8], &'a [u8]) {
    let tail = if uri.headers.is_empty() { 0 } else { uri.headers.len().saturating_add(1) };
    let (front, headers) = uri.whole.split_at(uri.whole.len().saturating_sub(tail));
    let list = if uri.params.is_empty() { 0 } else { uri.params.len().saturating_add(1) };
    (front.get(..front.len().saturating_sub(list)).unwrap_or(front), headers)
}

fn with_parameter(uri: &Uri<'_>, parameter: &[u8]) -> Vec<u8> {
    let (front, headers) = split_parameters(uri);
    let mut made = front.to_vec();
    if !uri.params.is_empty() {
        made.push(b';');
        made.extend_from_slice(uri.params);
    }
    made.push(b';');
    made.extend_from_slice(parameter);
    made.extend_from_slice(headers);
    made
}

/// A URI without the parameter. None: it has none of that name.
pub(super) fn without_parameter(uri: &Uri<'_>, name: &[u8]) -> Option<Vec<u8>> {
    uri.param(name)?;
    let (front, headers) = split_parameters(uri);
    let mut made = front.to_vec();
    for parameter in Params::new(uri.params).filter(|parameter| !parameter.name.eq_ignore_ascii_case(name)) {
        made.push(b';');
        made.extend_from_slice(parameter.whole);
    }
    made.extend_from_slice(headers);
    Some(made)
}

/// `add_uri_param(name=value)`.
pub(super) fn add_uri_param(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let parameter = text(arguments, 0);
    if parameter.is_empty() {
        return Flow::Code(1);
    }
    let made = match Uri::parse(worker.run.request_uri()) {
        Ok(uri) => with_parameter(&uri, &parameter),
        Err(_) => return Flow::Code(-1),
    };
    worker.run.set_request_uri(&made);
    Flow::Code(1)
}

/// `uri_param_rm(name)`: true also when there is no such parameter.
pub(super) fn uri_param_rm(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let name = text(arguments, 0);
    let made = match Uri::parse(worker.run.request_uri()) {
        Ok(uri) => without_parameter(&uri, &name),
        Err(_) => return Flow::Code(-1),
    };
    if let Some(made) = made {
        worker.run.set_request_uri(&made);
    }
    Flow::Code(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_added_before_the_headers_and_removed_without_a_trace() {
        let uri = Uri::parse(b"sip:a@h;lr;x=1?s=t").expect("a uri");
        assert_eq!(with_parameter(&uri, b"y=2"), b"sip:a@h;lr;x=1;y=2?s=t");
        assert_eq!(without_parameter(&uri, b"x").as_deref(), Some(&b"sip:a@h;lr?s=t"[..]));
        assert_eq!(without_parameter(&uri, b"z"), None);
    }
}
