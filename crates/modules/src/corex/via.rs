//! What a script adds to the Via of requests that leave and to the top Via of replies made here: `via_add_srvid` and its kin.

use script::exports::{Argument, Flow};
use script::value::{Text, Value};

use crate::attributes::{Names, Root};
use crate::run::Run;
use crate::worker::Worker;

/// Most bytes that xavp fields add to one Via; beyond, none is added.
pub const PARAMETERS_BYTES_MAX: usize = 1024;

/// `;srvid=` of a request's Via.
const SERVER_ID: u8 = 1;
/// Fields of `xavp_via_params` in a request's Via.
const PARAMETERS: u8 = 2;
/// Address and port of `xavp_via_fields` in a request's Via.
const FIELDS: u8 = 4;
/// Fields of `xavp_via_reply_params` in the top Via of a reply.
const REPLY_PARAMETERS: u8 = 8;

/// The Via parameter that carries `msg_vbflag_set` flags, in hexadecimal (spec proxy-core 3.1).
pub(super) const FLAGS_PARAMETER: &str = "kvf";

/// What the Via of one outgoing request shows besides the usual.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViaExtension {
    /// Whole parameters, each with its semicolon.
    pub parameters: Vec<u8>,
    /// In place of the socket's address.
    pub host: Option<Text>,
    /// In place of the socket's port.
    pub port: Option<u16>,
}

fn wish(worker: &mut Worker, arguments: &[Argument], mask: u8) -> Flow {
    let wishes = &mut worker.run.corex.via_wishes;
    match arguments.first().map_or(0, Argument::integer) {
        0 => *wishes &= !mask,
        _ => *wishes |= mask,
    }
    Flow::Code(1)
}

/// `via_add_srvid(0 or 1)`.
pub(super) fn add_server_identifier(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    wish(worker, arguments, SERVER_ID)
}

/// `via_add_xavp_params(0 or 1)`.
pub(super) fn add_parameters(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    wish(worker, arguments, PARAMETERS)
}

/// `via_use_xavp_fields(0 or 1)`.
pub(super) fn use_fields(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    wish(worker, arguments, FIELDS)
}

/// `via_reply_add_xavp_params(0 or 1)`.
pub(super) fn add_reply_parameters(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    wish(worker, arguments, REPLY_PARAMETERS)
}

/// What the Via of a request of this run shows besides the usual; None: nothing was asked for.
pub fn extension(worker: &Worker) -> Option<Box<ViaExtension>> {
    let wishes = worker.run.corex.via_wishes;
    let flags = worker.run.corex.via_flags;
    if wishes & (SERVER_ID | PARAMETERS | FIELDS) == 0 && flags == 0 {
        return None;
    }
    let core = &worker.node.core;
    let mut extension = ViaExtension::default();
    if wishes & SERVER_ID != 0 && core.server_id != 0 {
        extension.parameters.extend_from_slice(format!(";srvid={}", core.server_id).as_bytes());
    }
    if wishes & PARAMETERS != 0 {
        extension.parameters.extend_from_slice(&parameters(newest(&worker.run, core.via_parameters_xavp.as_ref())));
    }
    if flags != 0 {
        extension.parameters.extend_from_slice(format!(";{FLAGS_PARAMETER}={flags:x}").as_bytes());
    }
    if wishes & FIELDS != 0 {
        let root = newest(&worker.run, core.via_fields_xavp.as_ref());
        extension.host = field(root, b"address").map(Value::to_text).filter(|host| is_host(host));
        extension.port = field(root, b"port").and_then(|port| u16::try_from(port.to_integer()).ok()).filter(|port| *port != 0);
    }
    Some(Box::new(extension))
}

/// Parameters for the top Via of a reply made by this run; empty when none was asked for.
pub fn reply_parameters(run: &Run, xavp: Option<&Text>) -> Vec<u8> {
    if run.corex.via_wishes & REPLY_PARAMETERS == 0 {
        return Vec::new();
    }
    parameters(newest(run, xavp))
}

fn newest<'a>(run: &'a Run, name: Option<&Text>) -> Option<&'a Root> {
    run.attributes.xavps.root(Names::Exact, name?, None)
}

fn field<'a>(root: Option<&'a Root>, name: &[u8]) -> Option<&'a Value> {
    root?.fields().iter().rev().find(|(own, _)| own[..] == *name).map(|(_, value)| value)
}

/// Fields as parameters, the newest first; one that does not fit into a Via is left out (RFC 3261 §25.1, `generic-param`).
fn parameters(root: Option<&Root>) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in root.into_iter().flat_map(|root| root.fields().iter().rev()) {
        let value = value.to_text();
        if !is_token(name) || !(value.is_empty() || is_token(&value) || is_host(&value) || is_quoted(&value)) {
            continue;
        }
        out.push(b';');
        out.extend_from_slice(name);
        if !value.is_empty() {
            out.push(b'=');
            out.extend_from_slice(&value);
        }
    }
    if out.len() > PARAMETERS_BYTES_MAX { Vec::new() } else { out }
}

fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(byte))
}

fn is_host(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_:[]".contains(byte))
}

fn is_quoted(text: &[u8]) -> bool {
    match text {
        [b'"', inner @ .., b'"'] => inner.iter().all(|byte| *byte >= b' ' && !b"\"\\".contains(byte)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attributes::Content;

    fn root(fields: &[(&str, Value)]) -> Root {
        Root {
            name: Text::from("via"),
            content: Content::Fields(fields.iter().map(|(name, value)| (Text::from(*name), value.clone())).collect()),
        }
    }

    #[test]
    fn fields_become_parameters_newest_first() {
        let root = root(&[("one", Value::text("x1")), ("two", Value::Integer(2)), ("three", Value::text(""))]);
        assert_eq!(parameters(Some(&root)), b";three;two=2;one=x1");
        assert_eq!(parameters(None), b"");
    }

    #[test]
    fn what_would_break_the_via_is_left_out() {
        let bad = root(&[("a", Value::text("x\r\nEvil: 1")), ("b;c", Value::text("1")), ("d", Value::text("\"x y\""))]);
        assert_eq!(parameters(Some(&bad)), b";d=\"x y\"");
        let long = root(&[("a", Value::text("x".repeat(PARAMETERS_BYTES_MAX)))]);
        assert_eq!(parameters(Some(&long)), b"");
    }
}
