//! TEL URIs as SIP URIs (RFC 3261 §19.1.6).

use script::exports::{Argument, Evaluate, Flow};
use script::value::{Text, Value};
use sip::params::Params;
use sip::uri::Uri;

use crate::worker::Worker;

/// `sip:NUMBER[;params]@host;user=phone` for a TEL URI. None: it is no TEL URI. Visual separators go.
fn converted(uri: &Uri<'_>, host: &[u8]) -> Option<Vec<u8>> {
    if !uri.is_tel() {
        return None;
    }
    let mut made = b"sip:".to_vec();
    made.extend(uri.user.iter().copied().filter(|byte| !matches!(byte, b'-' | b'.' | b'(' | b')')));
    let mut parameters: Vec<&[u8]> = Params::new(uri.params).map(|parameter| parameter.whole).collect();
    parameters.sort_by_key(|parameter| {
        let is_first = |name: &[u8]| {
            parameter.len() >= name.len() && parameter.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
        };
        if is_first(b"ext=") || is_first(b"isub=") { (0, parameter.to_ascii_lowercase()) } else { (1, parameter.to_ascii_lowercase()) }
    });
    for parameter in parameters {
        made.push(b';');
        made.extend_from_slice(&parameter.to_ascii_lowercase());
    }
    made.push(b'@');
    made.extend_from_slice(host);
    made.extend_from_slice(b";user=phone");
    Some(made)
}

/// `tel2sip(uri, host, $result)`: 1 converted, 2 not a TEL URI (the result stays as it is), -1 error.
pub(super) fn tel2sip(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let source = arguments.first().map(Argument::text).unwrap_or_default();
    let host = arguments.get(1).map(Argument::text).unwrap_or_default();
    let Some(Argument::Variable(result)) = arguments.get(2) else { return Flow::Code(-1) };
    let is_tel = source.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"tel:"));
    let made = match Uri::parse(&source) {
        Ok(uri) => converted(&uri, &host).map(Text::from),
        Err(_) if is_tel => return Flow::Code(-1),
        Err(_) => None,
    };
    match made {
        Some(made) => Flow::from(worker.write(result, Value::Text(made)).is_ok()),
        None => Flow::Code(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn visual_separators_go_and_parameters_move_into_the_user_part() {
        let uri = Uri::parse(b"tel:+358-555-1234567;postd=pp22;isub=1411").expect("a uri");
        assert_eq!(converted(&uri, b"foo.com").as_deref(), Some(&b"sip:+3585551234567;isub=1411;postd=pp22@foo.com;user=phone"[..]));
    }

    #[test]
    fn other_uris_are_left_alone() {
        let uri = Uri::parse(b"sip:a@b").expect("a uri");
        assert_eq!(converted(&uri, b"foo.com"), None);
    }
}
