//! RPC commands that send a request and tell its outcome: `tm.t_uac_*` (spec proxy-core 7.16).

use std::borrow::Cow;

use sip::message::Message;

use super::data::{AnswerForm, Purpose};
use super::outside::{self, Outside, Refusal};
use crate::outbox::Effect;
use crate::rpc::{Command, Fault, Item, Parameter, Parameters, Reply};
use crate::worker::Worker;

/// Parameters every command of the family needs; the body may be left out.
const PARAMETERS_MIN: usize = 5;

/// What a command does beside sending.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Mode {
    /// None: the call is answered when the request was sent.
    waits_for: Option<AnswerForm>,
    without_ack: bool,
    /// The body comes in hexadecimal.
    is_hexadecimal: bool,
}

const START: Mode = Mode { waits_for: None, without_ack: false, is_hexadecimal: false };
const WAIT: Mode = Mode { waits_for: Some(AnswerForm::Reply), ..START };
const BLOCK: Mode = Mode { waits_for: Some(AnswerForm::Status), ..START };

const fn hexadecimal(mode: Mode) -> Mode {
    Mode { is_hexadecimal: true, ..mode }
}

const fn without_ack(mode: Mode) -> Mode {
    Mode { without_ack: true, ..mode }
}

macro_rules! command {
    ($name:literal, $mode:expr, $help:literal) => {
        Command::new($name, $help, |worker, parameters| call(worker, parameters, $mode))
    };
}

/// The family.
pub const COMMANDS: [Command; 13] = [
    command!("tm.t_uac_start", START, "Sends a request: method, ruri, nexthop, socket, headers, body."),
    command!("tm.t_uac_start_hex", hexadecimal(START), "As tm.t_uac_start with the body in hexadecimal."),
    command!("tm.t_uac_start_noack", without_ack(START), "As tm.t_uac_start; a 2xx to an INVITE is not acknowledged."),
    command!("tm.t_uac_start_noack_hex", hexadecimal(without_ack(START)), "As tm.t_uac_start_noack with the body in hexadecimal."),
    command!("tm.t_uac_wait", WAIT, "As tm.t_uac_start; answers with the final reply.").array(),
    command!("tm.t_uac_wait_hex", hexadecimal(WAIT), "As tm.t_uac_wait with the body in hexadecimal.").array(),
    command!("tm.t_uac_wait_noack", without_ack(WAIT), "As tm.t_uac_wait; a 2xx to an INVITE is not acknowledged.").array(),
    command!("tm.t_uac_wait_noack_hex", hexadecimal(without_ack(WAIT)), "As tm.t_uac_wait_noack with the body in hexadecimal.").array(),
    command!("tm.t_uac_wait_block", BLOCK, "As tm.t_uac_start; answers with code and text of the final reply."),
    command!("tm.t_uac_wait_block_hex", hexadecimal(BLOCK), "As tm.t_uac_wait_block with the body in hexadecimal."),
    command!("tm.t_uac_wait_block_noack", without_ack(BLOCK), "As tm.t_uac_wait_block; a 2xx to an INVITE is not acknowledged."),
    command!(
        "tm.t_uac_wait_block_noack_hex",
        hexadecimal(without_ack(BLOCK)),
        "As tm.t_uac_wait_block_noack with the body in hexadecimal."
    ),
    Command::new(
        "tm.t_uac_attrs",
        "Any of the family: mode=start|wait|block;cbflags=noack;rpflags=1;fr_timeout=MS;fr_inv_timeout=MS, then as tm.t_uac_start.",
        with_attributes,
    )
    .array(),
];

fn call(worker: &mut Worker, parameters: &mut Parameters, mode: Mode) -> Result<Reply, Fault> {
    send(worker, parameters, mode, (0, 0))
}

/// `tm.t_uac_attrs`
fn with_attributes(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let text = parameters.text()?;
    let (mode, timers) = attributes(&text)?;
    send(worker, parameters, mode, timers)
}

/// `name=value;...`: the mode, and `fr_timeout` and `fr_inv_timeout` in milliseconds.
fn attributes(text: &[u8]) -> Result<(Mode, (u32, u32)), Fault> {
    let text = std::str::from_utf8(text).map_err(|_| Fault::new(400, "Invalid attributes"))?;
    let (mut mode, mut timers) = (START, (0, 0));
    for attribute in text.split(';').map(str::trim).filter(|attribute| !attribute.is_empty()) {
        let bad = || Fault::new(400, format!("Invalid attribute \"{attribute}\""));
        let (name, value) = attribute.split_once('=').ok_or_else(bad)?;
        match (name.trim(), value.trim()) {
            ("mode" | "reply", "start") => mode.waits_for = None,
            ("mode" | "reply", "wait") => mode.waits_for = Some(AnswerForm::Reply),
            ("mode" | "reply", "block") => mode.waits_for = Some(AnswerForm::Status),
            ("cbflags", "noack") => mode.without_ack = true,
            ("cbflags", "") => mode.without_ack = false,
            ("rpflags", flags) => mode.is_hexadecimal = flags.parse::<u32>().map_err(|_| bad())? & 1 != 0,
            ("fr_timeout", milliseconds) => timers.0 = milliseconds.parse().map_err(|_| bad())?,
            ("fr_inv_timeout", milliseconds) => timers.1 = milliseconds.parse().map_err(|_| bad())?,
            _ => return Err(bad()),
        }
    }
    Ok((mode, timers))
}

fn send(worker: &mut Worker, parameters: &mut Parameters, mode: Mode, timers: (u32, u32)) -> Result<Reply, Fault> {
    if mode.waits_for.is_some() && !parameters.may_wait {
        return Err(Fault::new(600, "Reply wait/async mode not supported by this rpc transport"));
    }
    // As far as they are texts: a number ends them.
    let given = parameters.values.iter().skip(parameters.position()).take_while(|value| matches!(value, Parameter::Text(_))).count();
    if given < PARAMETERS_MIN {
        let given = i64::try_from(given).unwrap_or(0);
        return Err(Fault::new(400, format!("too few parameters ({}/{PARAMETERS_MIN})", -given)));
    }
    let method = parameters.text()?;
    let request_uri = parameters.text()?;
    let next_hop = parameters.text()?;
    let socket = parameters.text()?;
    let headers = parameters.text()?;
    let body = parameters.text_if_given()?.unwrap_or_default();
    let body = if mode.is_hexadecimal { from_hexadecimal(&body)? } else { body };
    let mut outside = Outside {
        method,
        request_uri,
        next_hop,
        socket,
        headers,
        body,
        without_ack: mode.without_ack,
        final_response: timers.0,
        final_response_invite: timers.1,
        purpose: Purpose::None,
    };
    let awaited = mode.waits_for.map(|form| (worker.take_ticket(), form));
    if let Some((ticket, form)) = awaited {
        outside.purpose = Purpose::RemoteCall { ticket, form };
    }
    outside::send(worker, outside).map_err(|refusal| match refusal {
        Refusal::Bad(text) => Fault::new(400, text),
        Refusal::NotSent(code) => {
            let (status, text) = crate::sl::error_reply(code, "RPC/UAC");
            Fault::new(i32::from(status), text)
        }
    })?;
    Ok(awaited.map_or_else(Reply::empty, |(ticket, _)| Reply::later(ticket)))
}

/// Bytes written as two digits each; white space is skipped.
fn from_hexadecimal(text: &[u8]) -> Result<Vec<u8>, Fault> {
    let bad = || Fault::new(400, "Invalid hexadecimal body");
    let digits = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    let digits: Option<Vec<u32>> = digits.map(|byte| char::from(*byte).to_digit(16)).collect();
    let digits = digits.ok_or_else(bad)?;
    if digits.len() % 2 != 0 {
        return Err(bad());
    }
    Ok(digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| (byte << 4) | digit) as u8).collect())
}

/// Tells a waiting call how its request ended; `reply` None: it was not answered.
pub fn answer(worker: &mut Worker, ticket: u64, form: AnswerForm, code: u16, reply: Option<&Message>) {
    let reason = match reply {
        Some(reply) => reply.reason().to_vec(),
        None if code == 408 => worker.node.states.tm.settings.timeout_reason.as_bytes().to_vec(),
        None => transaction::decision::reason_phrase(code).as_bytes().to_vec(),
    };
    let status = Item::Integer(i64::from(code));
    let answer = match form {
        AnswerForm::Status => {
            Reply::one(Item::Structure(vec![(Cow::Borrowed("code"), status), (Cow::Borrowed("text"), Item::Text(reason))]))
        }
        AnswerForm::Reply => Reply::many([vec![status, Item::Text(reason)], details(code, reply)].concat()),
    };
    worker.outbox.effects.push(Effect::Answer { ticket, answer: Ok(answer) });
}

/// After a 2xx what further requests of the dialog need: target, next hop, routes; then the reply below its first line.
fn details(code: u16, reply: Option<&Message>) -> Vec<Item> {
    let Some(reply) = reply else { return vec![Item::text(""), Item::text(""), Item::text(""), Item::text("")] };
    let rest = reply.bytes().get(reply.first_line().end as usize..).unwrap_or_default();
    let mut items = if (200..300).contains(&code) { dialog_items(reply) } else { Vec::new() };
    items.push(Item::text(rest));
    items
}

fn dialog_items(reply: &Message) -> Vec<Item> {
    let contact = reply.contacts().next().map(|contact| contact.uri).unwrap_or_default();
    let mut routes: Vec<(Vec<u8>, &[u8])> = reply.record_routes().map(|entry| (entry.whole.to_vec(), entry.address.uri)).collect();
    routes.reverse();
    let first = routes.first().map(|(_, uri)| *uri);
    let is_strict = first.is_some_and(|uri| !sip::Uri::parse(uri).is_ok_and(|uri| uri.is_lr()));
    let mut lines: Vec<Vec<u8>> = routes.into_iter().map(|(whole, _)| whole).collect();
    // A strict router gets the request in its own name; the contact becomes the last route (RFC 3261 §12.2.1.1).
    let target = match first.filter(|_| is_strict) {
        Some(first) => {
            lines.remove(0);
            lines.push([b"<", contact, b">"].concat());
            first
        }
        None => contact,
    };
    let line = if lines.is_empty() { Vec::new() } else { [b"Route: ".as_slice(), &lines.join(&b", "[..])].concat() };
    vec![Item::text(target), Item::text(first.unwrap_or(contact)), Item::Text(line)]
}

#[cfg(test)]
mod tests;
