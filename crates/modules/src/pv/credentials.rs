//! Digest credentials of the request: `$au`, `$ar`, `$adu` and the like, and the accounting user `$Au`, `$AU`.

use script::value::{Text, Value};
use sip::HeaderId;
use sip::authorization::DigestCredentials;
use sip::uri::Uri;

use super::answer::non_empty;
use crate::worker::Worker;

/// Proxy credentials first, then those for this host, as the header stands in the request.
fn find(worker: &Worker) -> Option<DigestCredentials<'_>> {
    let message = &worker.run.message;
    [HeaderId::ProxyAuthorization, HeaderId::Authorization]
        .into_iter()
        .flat_map(|id| message.headers_of(id))
        .find_map(|header| DigestCredentials::parse(message.text(header.value)))
}

/// One field; null when there are no credentials or it is empty.
pub(super) fn field(worker: &Worker, pick: for<'a> fn(&DigestCredentials<'a>) -> &'a [u8]) -> Value {
    find(worker).map_or(Value::Null, |credentials| non_empty(pick(&credentials)))
}

/// User and domain of a username that may be `user@domain` or a URI.
fn split(username: &[u8]) -> (&[u8], &[u8]) {
    if let Ok(uri) = Uri::parse(username) {
        return (uri.user, uri.host);
    }
    match username.iter().position(|byte| *byte == b'@') {
        Some(at) => (username.get(..at).unwrap_or(b""), username.get(at + 1..).unwrap_or(b"")),
        None => (username, b""),
    }
}

/// `$au`: the username without its domain.
pub(super) fn user(worker: &Worker) -> Value {
    find(worker).map_or(Value::Null, |credentials| non_empty(split(credentials.username).0))
}

/// `$ad`: the domain of the username.
pub(super) fn domain(worker: &Worker) -> Value {
    find(worker).map_or(Value::Null, |credentials| non_empty(split(credentials.username).1))
}

/// `$Au`: `user@domain` of the From URI; `$AU`: its user (the credentials' user when there is no From user).
pub(super) fn accounting(worker: &Worker, with_domain: bool) -> Value {
    let Some(uri) = worker.run.message.from().and_then(|from| Uri::parse(from.uri).ok()) else { return Value::Null };
    let user = if uri.user.is_empty() { find(worker).map_or(&b""[..], |credentials| split(credentials.username).0) } else { uri.user };
    if !with_domain {
        return non_empty(user);
    }
    Value::Text(Text::from([user, b"@", uri.host].concat()))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn usernames_split_at_their_domain() {
        assert_eq!(split(b"bob@dom"), (&b"bob"[..], &b"dom"[..]));
        assert_eq!(split(b"bob"), (&b"bob"[..], &b""[..]));
        assert_eq!(split(b"sip:bob@dom"), (&b"bob"[..], &b"dom"[..]));
    }
}
