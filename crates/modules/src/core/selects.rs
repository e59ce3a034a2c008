//! Selects: `@from.tag`, `@via[0].host`, `@cfg_get.group.name` (spec cfg-language 13).

use script::syntax::ast::Literal;
use script::value::{Text, Value};
use sip::HeaderId;
use sip::authorization::DigestCredentials;
use sip::message::Message;
use sip::name_address::NameAddress;
use sip::uri::Uri;

use crate::worker::Worker;

/// Most parts a select may have.
pub const PARTS_MAX: usize = 32;

/// One part: a name with an optional index.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    name: Vec<u8>,
    index: Option<i64>,
}

/// The value of a select, written without its `@`; null when it is unknown or absent.
pub fn value(worker: &mut Worker, text: &[u8]) -> Value {
    let Some(parts) = parse(text) else { return Value::Null };
    find(worker, &parts).map_or(Value::Null, Value::Text)
}

/// Splits `a.b[1].c["d"]`: an index in quotes is a part of its own.
fn parse(text: &[u8]) -> Option<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let mut rest = text;
    while let Some(byte) = rest.first() {
        if parts.len() >= PARTS_MAX {
            return None;
        }
        if *byte == b'[' {
            let close = rest.iter().position(|byte| *byte == b']')?;
            let inner = rest.get(1..close)?;
            rest = rest.get(close + 1..)?;
            if let Some(name) = inner.strip_prefix(b"\"").and_then(|inner| inner.strip_suffix(b"\"")) {
                parts.push(Part { name: name.to_vec(), index: None });
            } else {
                let number = std::str::from_utf8(inner).ok()?.trim().parse().ok()?;
                parts.last_mut()?.index = Some(number);
            }
            continue;
        }
        rest = rest.strip_prefix(b".").unwrap_or(rest);
        let end = rest.iter().position(|byte| matches!(byte, b'.' | b'[')).unwrap_or(rest.len());
        let name = rest.get(..end)?.to_vec();
        if name.is_empty() {
            if rest.first() == Some(&b'[') {
                continue;
            }
            return None;
        }
        parts.push(Part { name, index: None });
        rest = rest.get(end..)?;
    }
    if parts.is_empty() { None } else { Some(parts) }
}

fn find(worker: &Worker, parts: &[Part]) -> Option<Text> {
    let (first, rest) = parts.split_first()?;
    let run = &worker.run;
    let message = &run.message;
    match &first.name[..] {
        b"cfg_get" => custom(worker, rest),
        b"ruri" => uri_part(run.request_uri(), rest),
        b"dst_uri" => uri_part(run.target.next_hop.as_deref()?, rest),
        b"next_hop" => uri_part(run.target.next_hop.as_deref().unwrap_or_else(|| run.request_uri()), rest),
        b"from" | b"f" => address_part(message.from()?, rest),
        b"to" | b"t" => address_part(message.to()?, rest),
        b"contact" | b"m" => address_part(message.contacts().next()?, rest),
        b"record_route" | b"rr" => {
            address_part(message.record_routes().nth(position(first, message.record_routes().count())?)?.address, rest)
        }
        b"route" => address_part(message.routes().nth(position(first, message.routes().count())?)?.address, rest),
        b"via" | b"v" => via_part(message, first, rest),
        b"cseq" => cseq_part(message, rest),
        b"callid" | b"call_id" | b"i" => Some(Text::from(message.call_id())),
        b"method" => Some(Text::from(message.method_text())),
        b"msg" => message_part(worker, rest),
        b"src" => endpoint_part(Some(run.source.address), run.source.protocol, rest),
        b"dst" | b"received" => {
            let address = worker.node.sockets.at(run.source.socket).map(|socket| socket.address);
            endpoint_part(address, run.source.protocol, rest)
        }
        b"hf_value" => header_part(message, rest),
        b"authorization" => credentials_part(message, HeaderId::Authorization, rest),
        b"proxy_authorization" => credentials_part(message, HeaderId::ProxyAuthorization, rest),
        b"hf_value_exists" => {
            let header = header_values(message, &rest.first()?.name);
            let wanted = &rest.get(1)?.name;
            Some(Text::from(if header.iter().any(|value| value.eq_ignore_ascii_case(wanted)) { "1" } else { "0" }))
        }
        b"sys" => match &rest.first()?.name[..] {
            b"pid" => Some(Text::from(worker.node.process.pid.to_string())),
            b"unique" => Some(Text::from(format!("{:x}", worker.node.process.started.0))),
            b"now" => Some(Text::from(worker.now.date.seconds().to_string())),
            _ => None,
        },
        name if rest.is_empty() => whole_header(message, name),
        name => address_part(NameAddress::parse(&whole_header(message, name)?)?, rest),
    }
}

fn custom(worker: &Worker, rest: &[Part]) -> Option<Text> {
    let group = rest.first()?;
    let name = rest.get(1)?;
    let found = match group.index {
        None => super::groups::value(worker, &group.name, &name.name),
        Some(instance) => {
            let custom = worker.node.custom.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let at = super::groups::position(&custom, &group.name, &name.name, u32::try_from(instance).ok())?;
            custom.get(at).map(|parameter| parameter.value.clone())
        }
    };
    Some(match found? {
        Literal::Integer(number) => Text::from(number.to_string()),
        Literal::Text(text) => text,
    })
}

fn position(part: &Part, count: usize) -> Option<usize> {
    match part.index.unwrap_or(0) {
        number if number >= 0 => usize::try_from(number).ok(),
        number => count.checked_sub(usize::try_from(-number).ok()?),
    }
}

/// The credentials of a realm, whole or a field of them.
fn credentials_part(message: &Message, id: HeaderId, rest: &[Part]) -> Option<Text> {
    let (realm, rest) = rest.split_first()?;
    let values = message.headers_of(id).map(|header| message.text(header.value));
    let (value, digest) =
        values.filter_map(|value| Some((value, DigestCredentials::parse(value)?))).find(|(_, digest)| digest.realm == realm.name)?;
    let Some((field, rest)) = rest.split_first() else { return some(value) };
    some(match &field.name[..] {
        b"username" => match rest.first().map(|part| &part.name[..]) {
            None => digest.username,
            Some(b"user") => digest.username.split(|byte| *byte == b'@').next()?,
            Some(b"domain") => digest.username.splitn(2, |byte| *byte == b'@').nth(1)?,
            Some(_) => return None,
        },
        b"realm" => digest.realm,
        b"nonce" => digest.nonce,
        b"uri" => digest.uri,
        b"response" => digest.response,
        b"algorithm" => digest.algorithm,
        b"opaque" => digest.opaque,
        b"cnonce" => digest.cnonce,
        b"qop" => digest.qop,
        b"nc" => digest.nc,
        _ => return None,
    })
}

fn some(text: &[u8]) -> Option<Text> {
    if text.is_empty() { None } else { Some(Text::from(text)) }
}

fn uri_part(text: &[u8], rest: &[Part]) -> Option<Text> {
    let Some((first, deeper)) = rest.split_first() else { return some(text) };
    let uri = Uri::parse(text).ok()?;
    match &first.name[..] {
        b"uri" => uri_part(text, deeper),
        b"type" => some(uri.scheme),
        b"user" => some(uri.user),
        b"rn_user" => some(uri.user.split(|byte| *byte == b';').next()?),
        b"pwd" => some(uri.password),
        b"host" => some(uri.host),
        b"port" => some(uri.port_text),
        b"hostport" => {
            let mut out = uri.host.to_vec();
            out.push(b':');
            out.extend_from_slice(uri.port_or_default().to_string().as_bytes());
            Some(Text::from(out))
        }
        b"params" => match deeper.first() {
            Some(name) => uri.param(&name.name).map(Text::from),
            None => some(uri.params),
        },
        b"headers" => some(uri.headers),
        b"transport" => uri.transport().map(Text::from),
        _ => None,
    }
}

fn address_part(address: NameAddress<'_>, rest: &[Part]) -> Option<Text> {
    let Some((first, deeper)) = rest.split_first() else { return some(address.whole) };
    match &first.name[..] {
        b"uri" => uri_part(address.uri, deeper),
        b"name" => some(address.display),
        b"tag" => some(address.tag()),
        b"expires" => address.param(b"expires").and_then(some),
        b"q" => address.param(b"q").and_then(some),
        b"methods" => address.param(b"methods").and_then(some),
        b"received" => address.param(b"received").and_then(some),
        b"instance" => address.param(b"+sip.instance").and_then(some),
        b"params" | b"p" => match deeper.first() {
            Some(name) => address.param(&name.name).map(Text::from),
            None => some(address.params.strip_prefix(b";").unwrap_or(address.params)),
        },
        b"nameaddr" => some(address.whole),
        _ => None,
    }
}

fn via_part(message: &Message, first: &Part, rest: &[Part]) -> Option<Text> {
    // Counted from 1, unlike other headers.
    let at = match first.index {
        Some(number) if number > 0 => usize::try_from(number - 1).ok()?,
        Some(0) => return None,
        _ => position(first, message.vias().count())?,
    };
    let via = message.vias().nth(at)?;
    let Some((field, deeper)) = rest.split_first() else { return some(via.whole) };
    match &field.name[..] {
        b"name" => some(via.protocol),
        b"version" => some(via.version),
        b"transport" => some(via.transport),
        b"host" => some(via.host),
        b"port" => some(via.port_text),
        b"branch" => some(via.branch),
        b"received" => some(via.received),
        b"rport" => via.rport.map(Text::from),
        b"params" | b"p" => match deeper.first() {
            Some(name) => via.param(&name.name).map(Text::from),
            None => some(via.params.strip_prefix(b";").unwrap_or(via.params)),
        },
        other => via.param(other).map(Text::from),
    }
}

fn cseq_part(message: &Message, rest: &[Part]) -> Option<Text> {
    let cseq = message.cseq()?;
    match rest.first().map(|part| &part.name[..]) {
        Some(b"num") => some(cseq.number_text),
        Some(b"method") => some(cseq.method_text),
        Some(_) => None,
        None => message.value(sip::HeaderId::CSeq).and_then(some),
    }
}

fn message_part(worker: &Worker, rest: &[Part]) -> Option<Text> {
    let message = &worker.run.message;
    let Some(first) = rest.first() else { return some(message.bytes()) };
    match &first.name[..] {
        b"id" => Some(Text::from(worker.run.message_number.to_string())),
        b"type" => Some(Text::from(if message.is_request() { "request" } else { "reply" })),
        b"len" => Some(Text::from(message.bytes().len().to_string())),
        b"flags" => Some(Text::from(worker.run.flags.to_string())),
        b"first_line" => some(message.text(message.first_line())),
        b"body" => some(message.body()),
        b"header" | b"content_length" => whole_header(message, &first.name),
        _ => None,
    }
}

fn endpoint_part(address: Option<std::net::SocketAddr>, protocol: transaction::Protocol, rest: &[Part]) -> Option<Text> {
    let address = address?;
    match &rest.first()?.name[..] {
        b"ip" => Some(Text::from(address.ip().to_string())),
        b"port" => Some(Text::from(address.port().to_string())),
        b"ip_port" => Some(Text::from(address.to_string())),
        b"proto" => Some(Text::from(crate::sockets::word(protocol))),
        b"proto_ip_port" => Some(Text::from(format!("{}:{address}", crate::sockets::word(protocol)))),
        _ => None,
    }
}

/// Underscores of select names stand for the hyphens of header names.
fn header_name(name: &[u8]) -> Vec<u8> {
    name.iter().map(|byte| if *byte == b'_' { b'-' } else { *byte }).collect()
}

/// The elements of all headers of a name, comma lists split.
fn header_values<'a>(message: &'a Message, name: &[u8]) -> Vec<&'a [u8]> {
    let wanted = header_name(name);
    message.headers_named(&wanted).flat_map(|header| crate::pv::elements(message.text(header.value))).collect()
}

/// `hf_value.NAME[n]`: the nth value, counted from 1 and over all headers of that name; all of them without an index.
fn header_part(message: &Message, rest: &[Part]) -> Option<Text> {
    let (first, deeper) = rest.split_first()?;
    let values = header_values(message, &first.name);
    if first.index.is_none() && deeper.is_empty() {
        return (!values.is_empty()).then(|| Text::from(values.join(&b","[..])));
    }
    let from_zero = Part { name: first.name.clone(), index: first.index.map(|number| if number > 0 { number - 1 } else { number }) };
    let value = *values.get(position(&from_zero, values.len())?)?;
    let Some((field, more)) = deeper.split_first() else { return Some(Text::from(value)) };
    match &field.name[..] {
        b"p" | b"param" => NameAddress::parse(value).and_then(|address| address.param(&more.first()?.name).map(Text::from)),
        _ => address_part(NameAddress::parse(value)?, deeper),
    }
}

fn whole_header(message: &Message, name: &[u8]) -> Option<Text> {
    let wanted = header_name(name);
    let header = message.headers_named(&wanted).next()?;
    Some(Text::from(message.text(header.value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<(String, Option<i64>)> {
        parse(text.as_bytes())
            .unwrap_or_default()
            .into_iter()
            .map(|part| (String::from_utf8_lossy(&part.name).into_owned(), part.index))
            .collect()
    }

    #[test]
    fn parts_have_names_and_indexes() {
        assert_eq!(names("from.uri.user"), [("from".into(), None), ("uri".into(), None), ("user".into(), None)]);
        assert_eq!(names("via[-1].host"), [("via".into(), Some(-1)), ("host".into(), None)]);
        assert_eq!(
            names("hf_value[\"X-A\"].p.x"),
            [("hf_value".into(), None), ("X-A".into(), None), ("p".into(), None), ("x".into(), None)]
        );
        assert!(names("").is_empty());
        assert!(names("a..b").is_empty());
        assert!(names("a[").is_empty());
        assert!(names("[1]").is_empty());
    }

    #[test]
    fn parts_of_addresses_are_found() {
        let address = NameAddress::parse(b"\"Bob\" <sip:bob@example.com:5070;x=1>;tag=t1").unwrap();
        let part = |text: &str| address_part(address, &parse(text.as_bytes()).unwrap()).map(|text| text.to_string());
        assert_eq!(part("tag").as_deref(), Some("t1"));
        assert_eq!(part("name").as_deref(), Some("\"Bob\""));
        assert_eq!(part("uri.host").as_deref(), Some("example.com"));
        assert_eq!(part("uri.port").as_deref(), Some("5070"));
        assert_eq!(part("uri.params.x").as_deref(), Some("1"));
        assert_eq!(part("nothing"), None);
    }
}
