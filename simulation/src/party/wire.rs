//! Texts a user agent reads from and writes into messages.

use std::net::SocketAddr;

use sip::message::Message;
use sip::uri::Uri;

/// Bytes as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The address in the URI of a `Contact`, `Route` or request line; None when it names no address.
pub fn address_of(element: &str) -> Option<SocketAddr> {
    let start = element.find('<').map_or(0, |place| place + 1);
    let rest = element.get(start..)?;
    let uri = rest.get(..rest.find('>').unwrap_or(rest.len()))?;
    let uri = Uri::parse(uri.as_bytes()).ok()?;
    let host = std::str::from_utf8(uri.host).ok()?;
    Some(SocketAddr::new(host.parse().ok()?, uri.port.unwrap_or(5060)))
}

/// Where replies to a request go (RFC 3261 §18.2.2).
pub fn reply_address(request: &Message) -> Option<SocketAddr> {
    let via = request.top_via()?;
    let host = if via.received.is_empty() { via.host } else { via.received };
    let port = via.rport.and_then(|port| text(port).parse().ok()).or(via.port).unwrap_or(5060);
    Some(SocketAddr::new(text(host).parse().ok()?, port))
}

/// A reply that copies what RFC 3261 §8.2.6.2 says, byte for byte: a liar's headers need not be text.
pub fn reply(request: &Message, code: u16, reason: &str, to_tag: &str, more: &str) -> Vec<u8> {
    let mut out = format!("SIP/2.0 {code} {reason}\r\n").into_bytes();
    let mut copy = |name: &str| {
        for header in request.headers_named(name.as_bytes()) {
            out.extend_from_slice(format!("{name}: ").as_bytes());
            out.extend_from_slice(request.text(header.value));
            if name == "To" && request.to_tag().is_empty() && !to_tag.is_empty() {
                out.extend_from_slice(format!(";tag={to_tag}").as_bytes());
            }
            out.extend_from_slice(b"\r\n");
        }
    };
    for name in ["Via", "From", "To", "Call-ID", "CSeq"] {
        copy(name);
    }
    if code > 100 && code < 300 {
        copy("Record-Route");
    }
    out.extend_from_slice(more.as_bytes());
    out.extend_from_slice(b"Content-Length: 0\r\n\r\n");
    out
}

/// The head of a message as one of its own.
pub fn without_body(message: &str) -> String {
    let head = message.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.split("\r\n").map(|line| if line.starts_with("Content-Length:") { "Content-Length: 0" } else { line });
    let mut out = lines.collect::<Vec<_>>().join("\r\n");
    out.push_str("\r\n\r\n");
    out
}
