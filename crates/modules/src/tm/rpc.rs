//! RPC commands of tm (spec proxy-core 7.16).

use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use script::exports::{Argument, Flow};
use sip::message::Message;
use sip::method::Method;
use transaction::{Delivery, Event, TransactionId};

use super::data::Purpose;
use super::local::{LocalRequest, send_local};
use crate::rpc::{Command, Fault, Item, Parameters, Reply};
use crate::worker::Worker;

/// Most transactions `tm.list` shows.
const LISTED_MAX: usize = 10_000;
/// CSeq of requests outside a dialog.
const FIRST_CSEQ: u32 = 10;

/// Every command.
pub static COMMANDS: &[Command] = &[
    Command { name: "tm.stats", help: "Transaction statistics.", is_array: false, run: stats },
    Command { name: "tm.hash_stats", help: "Not compiled in, as in Kamailio.", is_array: false, run: hash_stats },
    Command { name: "tm.list", help: "Lists the transactions.", is_array: true, run: list },
    Command { name: "tm.clean", help: "Nothing gets stuck; no effect.", is_array: false, run: clean },
    Command { name: "tm.cancel", help: "Cancels a pending INVITE: Call-ID, CSeq.", is_array: false, run: cancel },
    Command { name: "tm.reply", help: "Replies to a transaction: code, reason, index:label, to-tag, body.", is_array: false, run: reply },
    Command { name: "tm.reply_callid", help: "Replies to a transaction: code, reason, Call-ID, CSeq.", is_array: false, run: reply_callid },
    Command { name: "tm.retransmit_reply", help: "Sends the last reply again: index:label.", is_array: false, run: retransmit_reply },
    Command {
        name: "tm.retransmit_reply_callid",
        help: "Sends the last reply again: Call-ID, CSeq.",
        is_array: false,
        run: retransmit_reply_callid,
    },
    Command {
        name: "tm.t_uac_start",
        help: "Sends a request: method, ruri, nexthop, socket, headers, body.",
        is_array: false,
        run: uac_start,
    },
    Command {
        name: "tm.t_uac_start_hex",
        help: "Sends a request: method, ruri, nexthop, socket, headers, body.",
        is_array: false,
        run: uac_start,
    },
    Command {
        name: "tm.t_uac_start_noack",
        help: "Sends a request: method, ruri, nexthop, socket, headers, body.",
        is_array: false,
        run: uac_start_without_ack,
    },
    Command {
        name: "tm.t_uac_start_noack_hex",
        help: "Sends a request: method, ruri, nexthop, socket, headers, body.",
        is_array: false,
        run: uac_start_without_ack,
    },
    Command { name: "tm.t_uac_wait", help: "As tm.t_uac_start: answers when the request is sent.", is_array: false, run: uac_start },
    Command { name: "tm.t_uac_wait_hex", help: "As tm.t_uac_start: answers when the request is sent.", is_array: false, run: uac_start },
    Command {
        name: "tm.t_uac_wait_noack",
        help: "As tm.t_uac_start: answers when the request is sent.",
        is_array: false,
        run: uac_start_without_ack,
    },
    Command {
        name: "tm.t_uac_wait_noack_hex",
        help: "As tm.t_uac_start: answers when the request is sent.",
        is_array: false,
        run: uac_start_without_ack,
    },
    Command { name: "tm.t_uac_wait_block", help: "As tm.t_uac_start: answers when the request is sent.", is_array: false, run: uac_start },
    Command {
        name: "tm.t_uac_wait_block_hex",
        help: "As tm.t_uac_start: answers when the request is sent.",
        is_array: false,
        run: uac_start,
    },
    Command {
        name: "tm.t_uac_wait_block_noack",
        help: "As tm.t_uac_start: answers when the request is sent.",
        is_array: false,
        run: uac_start_without_ack,
    },
    Command {
        name: "tm.t_uac_wait_block_noack_hex",
        help: "As tm.t_uac_start: answers when the request is sent.",
        is_array: false,
        run: uac_start_without_ack,
    },
];

fn field(name: &'static str, value: u64) -> (Cow<'static, str>, Item) {
    (Cow::Borrowed(name), Item::Integer(i64::try_from(value).unwrap_or(i64::MAX)))
}

fn stats(worker: &mut Worker, _: &mut Parameters) -> Result<Reply, Fault> {
    let reading = worker.node.transactions.statistics().reading();
    let class = |code: usize| reading.completed.get(code - 2).copied().unwrap_or(0);
    Ok(Reply::one(Item::Structure(vec![
        field("current", reading.current),
        field("waiting", reading.waiting),
        field("total", reading.total),
        field("total_local", reading.total_local),
        field("rpl_received", reading.rpl_received),
        field("rpl_generated", reading.rpl_generated),
        field("rpl_sent", reading.rpl_sent),
        field("6xx", class(6)),
        field("5xx", class(5)),
        field("4xx", class(4)),
        field("3xx", class(3)),
        field("2xx", class(2)),
        field("created", reading.created),
        field("freed", reading.freed),
        field("delayed_free", reading.delayed_free),
    ])))
}

fn hash_stats(_: &mut Worker, _: &mut Parameters) -> Result<Reply, Fault> {
    Err(Fault::new(500, "Not supported (recompile)"))
}

fn clean(_: &mut Worker, _: &mut Parameters) -> Result<Reply, Fault> {
    Ok(Reply::empty())
}

fn list(worker: &mut Worker, _: &mut Parameters) -> Result<Reply, Fault> {
    let now = worker.now.time;
    let mut items = Vec::new();
    worker.node.transactions.for_each(|transaction| {
        if items.len() >= LISTED_MAX {
            return;
        }
        let request = &transaction.request;
        let value = |bytes: &[u8]| Item::text(bytes);
        let uri = |address: Option<sip::NameAddress<'_>>| address.map_or_else(|| Item::text(""), |address| Item::text(address.uri));
        items.push(Item::Structure(vec![
            (Cow::Borrowed("cell"), Item::Text(format!("0x{:x}", transaction.id().slot).into_bytes())),
            field("tindex", u64::from(transaction.id().slot)),
            field("tlabel", u64::from(transaction.id().generation)),
            (Cow::Borrowed("method"), value(request.method_text())),
            (Cow::Borrowed("from"), uri(request.from())),
            (Cow::Borrowed("to"), uri(request.to())),
            (Cow::Borrowed("callid"), value(request.call_id())),
            (Cow::Borrowed("cseq"), value(request.cseq().map_or(b"", |cseq| cseq.number_text))),
            (Cow::Borrowed("uas_request"), Item::text(if transaction.is_local() { "no" } else { "yes" })),
            field("tflags", 0),
            field("outgoings", transaction.branches.len() as u64),
            field("ref_count", 1),
            field("lifetime", now.0.saturating_sub(transaction.created().0) / 1000),
        ]));
    });
    Ok(Reply::many(items))
}

fn find_by_call(worker: &Worker, call_id: &[u8], cseq: u32) -> Option<TransactionId> {
    let node = &worker.node;
    let call = transaction::key::call_hash_of(node.transactions.secret(), call_id, cseq);
    let mut found = Vec::new();
    node.transactions.find_by_call(call, Method::Invite, &mut found);
    found.first().copied()
}

/// Gives an event to a transaction, whoever holds it. False: it is gone.
pub fn deliver(worker: &mut Worker, id: TransactionId, event: Event) -> bool {
    let node = Arc::clone(&worker.node);
    match node.transactions.deliver(id, event) {
        Delivery::Queued => true,
        Delivery::Dropped | Delivery::Gone(_) => false,
        Delivery::Taken(transaction, event) => {
            let run = worker.fresh_run();
            let ((), used) = worker.with_run(run, |worker| {
                super::settle::attach(worker, transaction);
                super::settle::process_queued(worker, event);
                super::settle::check_in(worker);
            });
            worker.recycle(used);
            true
        }
    }
}

fn cancel(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let call_id = parameters.text_converted()?;
    let cseq = number(&parameters.text_converted()?);
    let missing = || Fault::new(400, "Transaction not found");
    let id = find_by_call(worker, &call_id, cseq).ok_or_else(missing)?;
    if deliver(worker, id, Event::CancelBranches { branch: None, cause: None }) { Ok(Reply::empty()) } else { Err(missing()) }
}

fn number(text: &[u8]) -> u32 {
    std::str::from_utf8(text).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

fn answer(code: i64, reason: Vec<u8>) -> Result<Event, Fault> {
    let code = u16::try_from(code).ok().filter(|code| (100..700).contains(code)).ok_or_else(|| Fault::new(400, "Invalid reply code"))?;
    Ok(Event::Answer {
        code,
        reason: String::from_utf8_lossy(&reason).into_owned().into_boxed_str(),
        to_tag: Box::default(),
        headers: Box::default(),
        body: Box::default(),
    })
}

fn reply(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let code = parameters.integer()?;
    let reason = parameters.text_converted()?;
    let name = parameters.text_converted()?;
    let id = identity(&name)?;
    if deliver(worker, id, answer(code, reason)?) { Ok(Reply::empty()) } else { Err(Fault::new(404, "Transaction not found")) }
}

fn reply_callid(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let code = parameters.integer()?;
    let reason = parameters.text_converted()?;
    let call_id = parameters.text_converted()?;
    let cseq = number(&parameters.text_converted()?);
    let missing = || Fault::new(404, "Transaction not found");
    let id = find_by_call(worker, &call_id, cseq).ok_or_else(missing)?;
    if deliver(worker, id, answer(code, reason)?) { Ok(Reply::empty()) } else { Err(missing()) }
}

/// `index:label`
fn identity(name: &[u8]) -> Result<TransactionId, Fault> {
    let bad = || Fault::new(400, "Invalid trans_id");
    let name = std::str::from_utf8(name).map_err(|_| bad())?;
    let (slot, generation) = name.split_once(':').ok_or_else(bad)?;
    Ok(TransactionId { slot: slot.parse().map_err(|_| bad())?, generation: generation.parse().map_err(|_| bad())? })
}

fn retransmit(worker: &mut Worker, id: Option<TransactionId>) -> Result<Reply, Fault> {
    match id {
        Some(id) if deliver(worker, id, Event::Retransmission) => Ok(Reply::empty()),
        _ => Err(Fault::new(404, "Transaction not found")),
    }
}

fn retransmit_reply(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let id = identity(&parameters.text_converted()?)?;
    retransmit(worker, Some(id))
}

fn retransmit_reply_callid(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let call_id = parameters.text_converted()?;
    let cseq = number(&parameters.text_converted()?);
    let id = find_by_call(worker, &call_id, cseq);
    retransmit(worker, id)
}

fn uac_start(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    uac(worker, parameters, false)
}

fn uac_start_without_ack(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    uac(worker, parameters, true)
}

fn uac(worker: &mut Worker, parameters: &mut Parameters, without_ack: bool) -> Result<Reply, Fault> {
    let method = parameters.text_converted()?;
    let request_uri = parameters.text_converted()?;
    let next_hop = parameters.text_converted()?;
    let socket = parameters.text_converted()?;
    let headers = parameters.text_converted()?;
    let body = parameters.text_if_given()?.unwrap_or_default();
    send_out_of_dialog(worker, Outside { method, request_uri, next_hop, socket, headers, body, without_ack })
        .map_err(|text| Fault::new(400, text))?;
    Ok(Reply::empty())
}

/// `t_uac_send(method, ruri, nexthop, socket, headers, body)`
pub fn t_uac_send(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = |index: usize| arguments.get(index).map(|argument| argument.text().to_vec()).unwrap_or_default();
    let (method, request_uri, next_hop, socket, headers, body) = (text(0), text(1), text(2), text(3), text(4), text(5));
    match send_out_of_dialog(worker, Outside { method, request_uri, next_hop, socket, headers, body, without_ack: false }) {
        Ok(()) => Flow::Code(1),
        Err(reason) => {
            worker.log(-1, "tm", &reason);
            Flow::Code(-1)
        }
    }
}

/// A request outside any dialog as a caller gives it.
struct Outside {
    method: Vec<u8>,
    request_uri: Vec<u8>,
    next_hop: Vec<u8>,
    socket: Vec<u8>,
    headers: Vec<u8>,
    body: Vec<u8>,
    /// A 2xx to an INVITE is not acknowledged here.
    without_ack: bool,
}

/// Sends a request outside any dialog; From and To come with the headers, Call-ID and CSeq are made when absent.
fn send_out_of_dialog(worker: &mut Worker, outside: Outside) -> Result<(), String> {
    let Outside { method, request_uri, next_hop, socket, headers, body, without_ack } = outside;
    let given = |text: &[u8]| !text.is_empty() && text != b"." && text != b"_";
    let probe = [b"OPTIONS sip:probe SIP/2.0\r\n".as_slice(), &headers, b"\r\n"].concat();
    let probe = Message::from_bytes(&probe).map_err(|_| "Invalid headers".to_owned())?;
    let (Some(from), Some(to)) = (probe.from(), probe.to()) else { return Err("Invalid headers".to_owned()) };
    let mut rest = Vec::new();
    for header in probe.headers() {
        use sip::HeaderId;
        let own = [HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq, HeaderId::Via, HeaderId::ContentLength];
        if !own.contains(&header.id) {
            rest.extend_from_slice(probe.text(header.line));
        }
    }
    let mut from_value = from.whole.to_vec();
    if probe.from_tag().is_empty() {
        from_value.extend_from_slice(format!(";tag={:032x}-{:08x}", worker.random.next_u64(), worker.random.next_u64() as u32).as_bytes());
    }
    let call_id = if probe.call_id().is_empty() { new_call_id(worker) } else { probe.call_id().to_vec() };
    let cseq = probe.cseq().map_or(FIRST_CSEQ, |cseq| cseq.number);
    let request = LocalRequest {
        method,
        request_uri,
        to: to.whole.to_vec(),
        from: from_value,
        call_id,
        cseq,
        route_set: Vec::new(),
        headers: rest,
        body,
        socket: if given(&socket) { worker.node.sockets.find_text(&socket) } else { None },
        next_hop: given(&next_hop).then_some(next_hop),
        purpose: Purpose::None,
        without_ack,
    };
    send_local(worker, &request).map(|_| ()).map_err(|code| crate::sl::error_reply(code, "TM").1)
}

/// A Call-ID made here: counter from a random start, process id, first socket's address.
pub fn new_call_id(worker: &mut Worker) -> Vec<u8> {
    let counter = worker.node.states.tm.call_ids.fetch_add(1, Ordering::Relaxed);
    let host = worker.node.sockets.at(0).map_or_else(|| "localhost".to_owned(), |socket| socket.address.ip().to_string());
    format!("{:016x}-{}@{host}", worker.random.next_u64().wrapping_add(counter), worker.node.process.pid).into_bytes()
}
