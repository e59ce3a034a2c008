//! RPC commands of tm (spec proxy-core 7.16).

use std::borrow::Cow;
use std::sync::Arc;

use sip::header::HeaderId;
use sip::method::Method;
use transaction::{Delivery, Event, Transaction, TransactionId};

use super::data::TransactionData;
use super::uac_rpc;
use crate::rpc::{Command, Fault, Item, Parameters, Reply};
use crate::worker::Worker;

/// Most transactions `tm.list` shows.
const LISTED_MAX: usize = 10_000;

/// Every command.
pub static COMMANDS: &[Command] = &{
    let mut all = [OWN[0]; OWN.len() + uac_rpc::COMMANDS.len()];
    let mut index = 0;
    while index < all.len() {
        all[index] = if index < OWN.len() { OWN[index] } else { uac_rpc::COMMANDS[index - OWN.len()] };
        index += 1;
    }
    all
};

const OWN: [Command; 9] = [
    Command::new("tm.stats", "Transaction statistics.", stats),
    Command::new("tm.hash_stats", "Not compiled in, as in Kamailio.", hash_stats),
    Command::new("tm.list", "Lists the transactions.", list).array(),
    Command::new("tm.clean", "Does what is due on the transactions.", clean),
    Command::new("tm.cancel", "Cancels a pending INVITE: Call-ID, CSeq.", cancel),
    Command::new("tm.reply", "Replies to a transaction: code, reason, index:label, to-tag, headers, body.", reply),
    Command::new("tm.reply_callid", "Replies to a transaction: code, reason, Call-ID, CSeq, to-tag, headers, body.", reply_callid),
    Command::new("tm.retransmit_reply", "Sends the last reply again: index:label.", retransmit_reply),
    Command::new("tm.retransmit_reply_callid", "Sends the last reply again: Call-ID, CSeq.", retransmit_reply_callid),
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
    Err(Fault::new(500, "Hash statistics not supported (tryrecompiling with -DTM_HASH_STATS)"))
}

/// `tm.clean`: looks at every transaction that is due and has not been looked at yet.
fn clean(worker: &mut Worker, _: &mut Parameters) -> Result<Reply, Fault> {
    let node = Arc::clone(&worker.node);
    let mut due = Vec::new();
    node.transactions.due(worker.now.time, &mut due);
    for id in due {
        super::on_due(worker, id);
    }
    Ok(Reply::empty())
}

fn list(worker: &mut Worker, _: &mut Parameters) -> Result<Reply, Fault> {
    let mut items = Vec::new();
    worker.node.transactions.for_each(|transaction| {
        if items.len() < LISTED_MAX {
            items.push(listed(transaction));
        }
    });
    Ok(Reply::many(items))
}

fn listed(transaction: &Transaction<TransactionData>) -> Item {
    let request = &transaction.request;
    let line = |id: HeaderId| {
        let header = request.header(id).map(|header| request.text(header.line));
        Item::text(header.unwrap_or_default())
    };
    let cseq = request.cseq().map_or_else(Vec::new, |cseq| [b"CSeq: ", cseq.number_text].concat());
    let id = transaction.id();
    let ends = transaction.created().0.saturating_add(u64::from(transaction.lifetime()));
    Item::Structure(vec![
        (Cow::Borrowed("cell"), Item::Text(format!("0x{:08x}{:08x}", id.generation, id.slot).into_bytes())),
        field("tindex", u64::from(id.slot)),
        field("tlabel", u64::from(id.generation)),
        (Cow::Borrowed("method"), Item::text(request.method_text())),
        (Cow::Borrowed("from"), line(HeaderId::From)),
        (Cow::Borrowed("to"), line(HeaderId::To)),
        (Cow::Borrowed("callid"), line(HeaderId::CallId)),
        (Cow::Borrowed("cseq"), Item::Text(cseq)),
        (Cow::Borrowed("uas_request"), Item::text(if transaction.is_local() { "no" } else { "yes" })),
        field("tflags", flag_bits(transaction)),
        field("outgoings", transaction.branches.len() as u64),
        // One for the table; a transaction that somebody holds is not listed.
        field("ref_count", 1),
        field("lifetime", ends / 1_000),
    ])
}

/// The flags of a transaction as Kamailio numbers them.
fn flag_bits(transaction: &Transaction<TransactionData>) -> u64 {
    let flags = &transaction.flags;
    let bits = [
        (transaction.is_invite(), 0),
        (flags.local, 1),
        (flags.canceled, 3),
        (flags.stopped_by_6xx, 4),
        (flags.auto_100 && transaction.is_invite() && !flags.local, 6),
        (flags.disable_6xx, 8),
        (flags.disable_failover, 9),
        (flags.no_cancel_reason, 10),
        (flags.disable_internal_reply, 13),
        (flags.admin_reply, 14),
        (transaction.suspension().is_suspended(), 15),
    ];
    bits.iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| 1 << bit).sum()
}

/// Methods a reply from outside is looked for, the likeliest first.
pub const ANSWERED_METHODS: &[Method] = &[
    Method::Invite,
    Method::Bye,
    Method::Options,
    Method::Register,
    Method::Message,
    Method::Info,
    Method::Update,
    Method::Subscribe,
    Method::Notify,
    Method::Refer,
    Method::Publish,
    Method::Prack,
];

/// The transaction of a Call-ID and CSeq number; of several methods the first.
pub fn find_by_call(worker: &Worker, call_id: &[u8], cseq: u32, methods: &[Method]) -> Option<TransactionId> {
    let node = &worker.node;
    let call = transaction::key::call_hash_of(node.transactions.secret(), call_id, cseq);
    let mut found = Vec::new();
    methods.iter().find_map(|method| {
        node.transactions.find_by_call(call, *method, &mut found);
        found.first().copied()
    })
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

/// A parameter that has to be there, with the fault that tells its name.
fn expected(parameters: &mut Parameters, fault: &str) -> Result<Vec<u8>, Fault> {
    parameters.text().map_err(|_| Fault::new(400, fault))
}

fn cancel(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    const MISSING: &str = "Callid and CSeq expected as parameters";
    let call_id = expected(parameters, MISSING)?;
    let cseq = number(&expected(parameters, MISSING)?);
    let unknown = || Fault::new(400, "Transaction not found");
    let id = find_by_call(worker, &call_id, cseq, &[Method::Invite]).ok_or_else(unknown)?;
    if deliver(worker, id, Event::CancelBranches { branch: None, cause: None }) { Ok(Reply::empty()) } else { Err(unknown()) }
}

/// The number of a CSeq, with or without a method behind it.
fn number(text: &[u8]) -> u32 {
    let digits = text.trim_ascii().split(|byte| !byte.is_ascii_digit()).next().unwrap_or_default();
    std::str::from_utf8(digits).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// The reply with header lines (`.`: none) and body.
fn answer(code: i64, reason: Vec<u8>, to_tag: Vec<u8>, parameters: &mut Parameters) -> Result<Event, Fault> {
    let code = u16::try_from(code).ok().filter(|code| (100..700).contains(code)).ok_or_else(|| Fault::new(400, "Invalid reply code"))?;
    let given = |text: Option<Vec<u8>>| text.filter(|text| text != b".").unwrap_or_default();
    let headers = given(parameters.text_if_given()?);
    let body = given(parameters.text_if_given()?);
    if !headers.is_empty() && !headers.ends_with(b"\r\n") {
        return Err(Fault::new(400, "Invalid headers"));
    }
    Ok(Event::Answer {
        code,
        reason: String::from_utf8_lossy(&reason).into_owned().into_boxed_str(),
        to_tag: given(Some(to_tag)).into_boxed_slice(),
        headers: headers.into_boxed_slice(),
        body: body.into_boxed_slice(),
    })
}

fn status(parameters: &mut Parameters) -> Result<(i64, Vec<u8>), Fault> {
    let code = parameters.integer().map_err(|_| Fault::new(400, "Reply code expected"))?;
    Ok((code, expected(parameters, "Reason phrase expected")?))
}

fn reply(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (code, reason) = status(parameters)?;
    let name = expected(parameters, "Transaction ID expected")?;
    let to_tag = expected(parameters, "To tag expected")?;
    let id = identity(&name)?;
    let event = answer(code, reason, to_tag, parameters)?;
    if deliver(worker, id, event) { Ok(Reply::empty()) } else { Err(Fault::new(481, "No such transaction")) }
}

fn reply_callid(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (code, reason) = status(parameters)?;
    let call_id = expected(parameters, "Call-ID expected")?;
    let cseq = number(&expected(parameters, "CSeq expected")?);
    let to_tag = expected(parameters, "To tag expected")?;
    let unknown = || Fault::new(404, "Transaction not found");
    let id = find_by_call(worker, &call_id, cseq, ANSWERED_METHODS).ok_or_else(unknown)?;
    let event = answer(code, reason, to_tag, parameters)?;
    if deliver(worker, id, event) { Ok(Reply::empty()) } else { Err(unknown()) }
}

/// `index:label`
fn identity(name: &[u8]) -> Result<TransactionId, Fault> {
    let bad = || Fault::new(400, "Invalid transaction ID");
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
    let id = identity(&expected(parameters, "Transaction ID expected")?)?;
    retransmit(worker, Some(id))
}

fn retransmit_reply_callid(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let call_id = expected(parameters, "Call-ID expected")?;
    let cseq = number(&expected(parameters, "CSeq expected")?);
    let id = find_by_call(worker, &call_id, cseq, ANSWERED_METHODS);
    retransmit(worker, id)
}
