//! RPC commands about the process: run time, threads, memory, TCP.

use script::transform::time::Calendar;
use sip::time::Date;

use super::rpc::{NAME, VERSION, field};
use crate::node::Thread;
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::worker::Worker;

const SECONDS_PER_DAY: u64 = 86_400;

/// A date as C's `ctime` writes it, in local time, without the line end.
pub(super) fn date_text(worker: &Worker, date: Date) -> Item {
    let seconds = i64::try_from(date.seconds()).unwrap_or(i64::MAX);
    Item::Text(Calendar::new(seconds, worker.node.process.utc_offset_seconds).format(b"%a %b %e %H:%M:%S %Y"))
}

fn uptime_seconds(worker: &Worker) -> u64 {
    worker.now.date.seconds().saturating_sub(worker.node.process.started.seconds())
}

fn integer(value: u64) -> Item {
    Item::Integer(i64::try_from(value).unwrap_or(i64::MAX))
}

pub(super) fn run_info(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let uptime = uptime_seconds(worker);
    let in_day = uptime % SECONDS_PER_DAY;
    let days = format!("{}d {}h {}m {}s", uptime / SECONDS_PER_DAY, in_day / 3600, in_day / 60 % 60, in_day % 60);
    Ok(Reply::one(Item::Structure(vec![
        field("name", Item::text(NAME)),
        field("version", Item::text(VERSION)),
        field("sourceid", Item::text(VERSION)),
        field("compiler", Item::text("rustc")),
        field("compiled", Item::text("")),
        field("time_now", date_text(worker, worker.now.date)),
        field("time_started", date_text(worker, worker.node.process.started)),
        field("uptime_secs", integer(uptime)),
        field("utime_days", Item::text(days)),
    ])))
}

pub(super) fn uptime(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Ok(Reply::one(Item::Structure(vec![
        field("now", date_text(worker, worker.now.date)),
        field("up_since", date_text(worker, worker.node.process.started)),
        field("uptime", integer(uptime_seconds(worker))),
    ])))
}

/// Threads with their index.
fn threads(worker: &Worker) -> impl Iterator<Item = (&Thread, i64)> {
    worker.node.process.threads.iter().zip(0_i64..)
}

/// `core.ps`: id and description in turn.
pub(super) fn threads_flat(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let both = |(thread, _): (&Thread, i64)| [Item::Integer(i64::from(thread.id)), Item::text(&thread.name)];
    Ok(Reply::many(threads(worker).flat_map(both).collect()))
}

/// `core.psx`.
pub(super) fn threads_short(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let one = |(thread, index): (&Thread, i64)| {
        Item::Structure(vec![
            field("IDX", Item::Integer(index)),
            field("PID", Item::Integer(i64::from(thread.id))),
            field("DSC", Item::text(&thread.name)),
        ])
    };
    Ok(Reply::many(threads(worker).map(one).collect()))
}

/// `core.psa`.
pub(super) fn threads_full(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    let one = |(thread, index): (&Thread, i64)| {
        Item::Structure(vec![
            field("index", Item::Integer(index)),
            field("pid", Item::Integer(i64::from(thread.id))),
            field("status", Item::Integer(1)),
            field("rank", Item::Integer(i64::from(thread.rank))),
            field("description", Item::text(&thread.name)),
        ])
    };
    Ok(Reply::many(threads(worker).map(one).collect()))
}

pub(super) fn working_directory(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Ok(Reply::one(Item::text(&worker.node.process.working_directory)))
}

pub(super) fn arguments(worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Ok(Reply::many(worker.node.process.arguments.iter().map(Item::text).collect()))
}

/// The values of `core.shmmem` and `shm.stats`, divided by a unit.
pub fn memory_structure(worker: &Worker, divisor: u64, make: fn(i64) -> Item) -> Item {
    let memory = worker.node.states.core.memory.read();
    let value = |bytes: u64| make(i64::try_from(bytes / divisor.max(1)).unwrap_or(i64::MAX));
    Item::Structure(vec![
        field("total", value(memory.total)),
        field("free", value(memory.free())),
        field("used", value(memory.used)),
        field("real_used", value(memory.used)),
        field("max_used", value(memory.most_used)),
        field("fragments", make(0)),
    ])
}

pub(super) fn memory(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let divisor = match parameters.text_or_none().as_deref() {
        None | Some(b"b" | b"B") => 1,
        Some(b"k" | b"K") => 1024,
        Some(b"m" | b"M") => 1024 * 1024,
        Some(b"g" | b"G") => 1024 * 1024 * 1024,
        Some(_) => return Err(Fault::new(500, "bad param, (use b|k|m|g)")),
    };
    Ok(Reply::one(memory_structure(worker, divisor, Item::Integer)))
}

pub(super) fn raw_udp_info(_worker: &mut Worker, _parameters: &mut Parameters) -> Result<Reply, Fault> {
    Ok(Reply::one(Item::Structure(vec![
        field("udp4_raw", Item::Integer(0)),
        field("udp4_raw_mtu", Item::Integer(1500)),
        field("udp4_raw_ttl", Item::Integer(64)),
    ])))
}
