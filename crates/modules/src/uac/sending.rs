//! `uac_req_send()`: a request of the proxy's own, its credentials when it is challenged, and the route that is told
//! (spec proxy-core 11.13).

use std::sync::Arc;

use script::exports::{Argument, Flow, Routes};
use script::syntax::ast::RouteKind;
use script::value::Text;
use sip::message::Message;

use super::authentication;
use super::challenge;
use super::credentials::Credential;
use super::described::{Described, Outcome};
use super::limits::CHALLENGES_MAX;
use super::stored_uri::is_text_of_uri;
use crate::core::made_up;
use crate::tm::{self, LocalRequest, Purpose};
use crate::worker::Worker;

/// CSeq of a request that the script gives no number.
const FIRST_CSEQ: u32 = 10;

/// A request that is out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    described: Described,
    /// It carries credentials: another challenge means that they are wrong.
    is_authenticated: bool,
}

/// `uac_req_send()`
pub(super) fn send(worker: &mut Worker, _: &[Argument]) -> Flow {
    let mut described = worker.run.uac.described.as_deref().cloned().unwrap_or_default();
    described.code = 0;
    described.outcome = Outcome::Open;
    match start(worker, described) {
        Ok(()) => Flow::Code(1),
        Err(reason) => {
            worker.log(-1, "uac", &format!("uac_req_send: {reason}"));
            Flow::Code(-1)
        }
    }
}

/// Gives the request what the script left out, and sends it.
fn start(worker: &mut Worker, mut described: Described) -> Result<(), String> {
    if described.method.is_empty() || described.request_uri.is_empty() {
        return Err(String::from("$uac_req(method) and $uac_req(ruri) have to be set"));
    }
    for uri in [&mut described.to_uri, &mut described.from_uri] {
        if uri.is_empty() {
            *uri = described.request_uri.clone();
        }
    }
    if described.call_id.is_empty() {
        described.call_id = Text::from(&tm::new_call_id(worker)[..]);
    }
    if described.from_tag.is_empty() {
        described.from_tag = Text::from(format!("{:016x}{:016x}", worker.random.next_u64(), worker.random.next_u64()));
    }
    if described.cseq == 0 {
        described.cseq = FIRST_CSEQ;
    }
    check(&described)?;
    put_on_the_wire(worker, described, None)
}

/// Parts that would break the request out of their places are refused.
fn check(described: &Described) -> Result<(), String> {
    let uris = [&described.request_uri, &described.to_uri, &described.from_uri];
    let words = [&described.method, &described.call_id, &described.from_tag];
    let is_word = |text: &[u8]| text.iter().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b';' | b','));
    let are_fit = uris.into_iter().all(|uri| is_text_of_uri(uri))
        && words.into_iter().all(|word| is_word(word))
        && is_word(&described.to_tag)
        && (described.next_hop.is_empty() || is_text_of_uri(&described.next_hop));
    if are_fit { Ok(()) } else { Err(String::from("a URI, tag, Call-ID or method of $uac_req holds what cannot stand there")) }
}

/// `credentials`: a whole header line.
fn put_on_the_wire(worker: &mut Worker, described: Described, credentials: Option<Vec<u8>>) -> Result<(), String> {
    let socket = match &described.socket[..] {
        b"" => None,
        text => Some(worker.node.sockets.find_text(text).ok_or("$uac_req(sock) is no socket of this proxy")?),
    };
    let tag_of = |tag: &[u8]| if tag.is_empty() { Vec::new() } else { [b";tag=", tag].concat() };
    let mut headers = described.headers.to_vec();
    if !headers.is_empty() && !headers.ends_with(b"\r\n") {
        headers.extend_from_slice(b"\r\n");
    }
    let is_authenticated = credentials.is_some();
    headers.extend_from_slice(&credentials.unwrap_or_default());
    let request = LocalRequest {
        method: described.method.to_vec(),
        request_uri: described.request_uri.to_vec(),
        to: [b"<", &described.to_uri[..], b">", &tag_of(&described.to_tag)].concat(),
        from: [b"<", &described.from_uri[..], b">", &tag_of(&described.from_tag)].concat(),
        call_id: described.call_id.to_vec(),
        cseq: described.cseq,
        headers,
        body: described.body.to_vec(),
        socket,
        next_hop: Some(described.next_hop.to_vec()).filter(|next_hop| !next_hop.is_empty()),
        final_response: described.final_response,
        final_response_invite: described.final_response_invite,
        purpose: Purpose::ScriptRequest(Box::new(Sent { described, is_authenticated })),
        ..LocalRequest::default()
    };
    tm::send_local(worker, &request).map(|_| ()).map_err(|code| format!("not sent: {}", crate::sl::error_reply(code, "TM").1))
}

/// The request has a final reply, or none came: `reply` is None for a code made here.
pub fn completed(worker: &mut Worker, sent: &Sent, code: u16, reply: Option<&Message>) {
    if sent.described.is_told {
        tell(worker, &sent.described, code, reply);
    }
    let Some(reply) = reply.filter(|_| matches!(code, 401 | 407) && !sent.is_authenticated) else { return };
    if sent.described.auth_username.is_empty() {
        return;
    }
    if let Err(reason) = send_again(worker, &sent.described, code, reply) {
        worker.log(-1, "uac", &format!("the challenge to a request of uac_req_send() is not answered: {reason}"));
    }
}

fn tell(worker: &mut Worker, described: &Described, code: u16, reply: Option<&Message>) {
    let node = Arc::clone(&worker.node);
    let Some(route) = node.states.uac.reply_route else { return };
    let mut run = made_up::run(worker, made_up::INTERNAL);
    if let Some(reply) = reply {
        run.message.clone_from(reply);
        run.source = worker.run.source;
        run.route_set = Routes::EVENT.or(Routes::ONREPLY);
    }
    run.route = RouteKind::Event;
    let outcome = if reply.is_some() { Outcome::Reply } else { Outcome::MadeHere };
    run.uac.described = Some(Box::new(Described { code, outcome, ..described.clone() }));
    let (_, used) = worker.with_run(run, |worker| worker.run_route_id(route));
    worker.recycle(used);
}

fn send_again(worker: &mut Worker, described: &Described, code: u16, reply: &Message) -> Result<(), String> {
    let (wanted, name) = authentication::headers_of(code).ok_or("it is no challenge")?;
    let mut reason = String::from("the reply holds no challenge");
    let challenges = reply.headers_of(wanted).take(CHALLENGES_MAX).map(|header| challenge::read(reply.text(header.value)));
    let answered = challenges.filter_map(|challenge| challenge.map_err(|unanswerable| reason = unanswerable.to_string()).ok()).next();
    let Some(challenge) = answered else { return Err(reason) };
    let credential = Credential {
        username: described.auth_username.clone(),
        realm: Text::from(challenge.realm),
        password: described.auth_password.0.clone(),
    };
    let request = super::digest::Protected { method: &described.method, uri: &described.request_uri, body: &described.body };
    let client_nonce = worker.random.next_u64();
    let value = authentication::credentials_value(&challenge, &credential, request, described.is_password_hashed, client_nonce)?;
    let line = [name, b": ", &value, b"\r\n"].concat();
    let next = Described { cseq: described.cseq.saturating_add(1), ..described.clone() };
    put_on_the_wire(worker, next, Some(line))
}
