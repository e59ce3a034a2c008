//! `uac_auth()`: answers the challenge that the best reply holds, so that the next relay sends the request again with
//! credentials (RFC 3261 §22.2, §22.3; spec proxy-core 11.13).

use script::exports::{Argument, Flow};
use script::value::Text;
use sip::header::HeaderId;
use sip::message::Message;

use super::challenge::{self, Challenge};
use super::credentials::{self, Credential};
use super::digest::{self, Protected, Secret};
use super::limits::CHALLENGES_MAX;
use crate::dialog::cseq;
use crate::worker::Worker;

/// The password of a credential is already hashed.
const MODE_HASHED: i64 = 1;

/// `uac_auth([mode])`, `uac_auth_mode(mode)`: in a failure route, after a 401 or 407.
pub(super) fn authenticate(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let is_hashed = arguments.first().is_some_and(|mode| mode.integer() == MODE_HASHED);
    match answer(worker, is_hashed) {
        Ok(()) => Flow::Code(1),
        Err(reason) => {
            worker.log(-1, "uac", &format!("uac_auth: {reason}"));
            Flow::Code(-1)
        }
    }
}

/// The failed branch as it was sent.
struct Failed {
    uri: Text,
    /// Its `$du`, if it had one.
    next_hop: Option<Text>,
    body: Vec<u8>,
}

/// The header of a challenge, and the one that answers it.
pub(super) fn headers_of(code: u16) -> Option<(HeaderId, &'static [u8])> {
    match code {
        401 => Some((HeaderId::WwwAuthenticate, b"Authorization")),
        407 => Some((HeaderId::ProxyAuthenticate, b"Proxy-Authorization")),
        _ => None,
    }
}

fn answer(worker: &mut Worker, is_hashed: bool) -> Result<(), String> {
    let code = worker.run.tm.reply.code;
    let (wanted, name) = headers_of(code).ok_or_else(|| format!("the reply {code} is no challenge"))?;
    let reply = worker.run.tm.winner.take().ok_or("the challenge was made here, there is nothing to answer")?;
    let chosen = choose(worker, &reply, wanted);
    let line = chosen.and_then(|(challenge, credential)| {
        let failed = failed_branch(worker).ok_or("there is no failed branch")?;
        let client_nonce = worker.random.next_u64();
        let request = Protected { method: worker.run.message.method_text(), uri: &failed.uri, body: &failed.body };
        Ok((credentials_value(&challenge, &credential, request, is_hashed, client_nonce)?, failed))
    });
    worker.run.tm.winner = Some(reply);
    let (value, failed) = line?;
    crate::textops::append_header_line(&mut worker.run, &[name, b": ", &value].concat());
    send_again(worker, failed);
    worker.run.corex.internal_flags |= crate::corex::message_flags::UAC_AUTH;
    cseq::authenticated(worker);
    Ok(())
}

/// The next relay adds a branch like the failed one, unless the script has chosen another next hop.
fn send_again(worker: &mut Worker, failed: Failed) {
    let run = &mut worker.run;
    let received = run.tm.transaction.as_ref().and_then(|transaction| transaction.data.next_hop.as_ref());
    if run.target.next_hop.as_ref() == received {
        run.target.next_hop = failed.next_hop;
    }
    run.target.uri = Some(failed.uri);
    run.is_target_consumed = false;
}

/// The first challenge, in the order of the peer's preference (RFC 8760 §2.3), that can be answered and has a credential.
fn choose<'a>(worker: &mut Worker, reply: &'a Message, wanted: HeaderId) -> Result<(Challenge<'a>, Credential), String> {
    let mut reason = String::from("the reply holds no challenge");
    for header in reply.headers_of(wanted).take(CHALLENGES_MAX) {
        match challenge::read(reply.text(header.value)) {
            Err(unanswerable) => reason = unanswerable.to_string(),
            Ok(challenge) => match credentials::find(worker, challenge.realm) {
                Some(credential) => return Ok((challenge, credential)),
                None => reason = format!("no credential for realm \"{}\"", String::from_utf8_lossy(challenge.realm)),
            },
        }
    }
    Err(reason)
}

fn failed_branch(worker: &Worker) -> Option<Failed> {
    let branch = worker.run.tm.transaction.as_ref()?.branches.get(worker.run.tm.reply.branch?)?;
    let sent = Message::from_bytes(&branch.sent).ok();
    let body = sent.map_or_else(|| worker.run.message.body().to_vec(), |sent| sent.body().to_vec());
    let next_hop = Some(Text::from(&branch.start.destination_uri[..])).filter(|text| !text.is_empty());
    Some(Failed { uri: Text::from(&branch.start.request_uri[..]), next_hop, body })
}

/// The value of the header that answers a challenge.
pub(super) fn credentials_value(
    challenge: &Challenge<'_>,
    credential: &Credential,
    request: Protected<'_>,
    is_hashed: bool,
    client_nonce: u64,
) -> Result<Vec<u8>, String> {
    let is_unfit = |byte: &u8| byte.is_ascii_control() || matches!(byte, b'"' | b'\\');
    for (text, what) in [(&credential.username[..], "username"), (request.uri, "request URI")] {
        if text.iter().any(is_unfit) {
            return Err(format!("the {what} holds quotes or control characters"));
        }
    }
    let secret = if is_hashed { Secret::Hashed(&credential.password) } else { Secret::Password(&credential.password) };
    let client_nonce = format!("{client_nonce:016x}").into_bytes();
    let response = digest::response(challenge, &credential.username, secret, request, &client_nonce);
    Ok(digest::header_value(challenge, &credential.username, request.uri, &client_nonce, &response))
}

#[cfg(test)]
mod tests {
    use super::super::digest::{Algorithm, Protection};
    use super::*;

    #[test]
    fn nothing_that_would_end_its_quotes_is_written_between_them() {
        let challenge = Challenge { realm: b"x", nonce: b"abc", opaque: b"", algorithm: Algorithm::Md5, protection: Protection::None };
        let value = |username: &str, uri: &[u8]| {
            let credential = Credential { username: Text::from(username), realm: Text::from("x"), password: Text::from("secret") };
            credentials_value(&challenge, &credential, Protected { method: b"INVITE", uri, body: b"" }, false, 1)
        };
        assert!(value("alice", b"sip:bob@example.com").is_ok());
        assert!(value("al\"ice", b"sip:bob@example.com").is_err());
        assert!(value("alice", b"sip:bob\",realm=\"y@example.com").is_err());
        assert!(value("alice", b"sip:bob\\@example.com").is_err());
    }
}
