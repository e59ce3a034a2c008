//! The commands `dns.*` (spec proxy-core 14.1; shapes and faults as Kamailio 5.6.3 answers).

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::additions::Addition;
use super::cache::DeleteError;
use super::record::{Kind, Question};
use super::waiting::Waiter;
use super::{State, view};
use crate::outbox::Effect;
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::sockets::parse_address;
use crate::worker::Worker;

type Answer = Result<Reply, Fault>;

fn state(worker: &Worker) -> &State {
    &worker.node.states.core.dns
}

fn not_found() -> Fault {
    Fault::new(400, "Not found")
}

fn name(parameters: &mut Parameters) -> Result<String, Fault> {
    Ok(String::from_utf8_lossy(&parameters.text()?).into_owned())
}

/// The cache can be switched off, and then has nothing to tell.
fn needs_cache(worker: &Worker) -> Result<(), Fault> {
    if worker.node.core.dns.caches() { Ok(()) } else { Err(Fault::new(500, "dns cache support disabled (see use_dns_cache)")) }
}

/// `dns.lookup TYPE NAME`: from the cache, or asked; then the answer comes later.
pub fn lookup(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    needs_cache(worker)?;
    let kind = parameters.text()?;
    let name = name(parameters)?;
    let kind = Kind::from_word(&kind).ok_or_else(|| Fault::new(400, "Invalid type"))?;
    if let Some(address) = parse_address(name.as_bytes()).filter(|address| address.is_ipv4() == (kind == Kind::A))
        && matches!(kind, Kind::A | Kind::Aaaa)
    {
        return Ok(Reply::one(view::literal(&address.to_string(), kind)));
    }
    let question = Question::new(&name, kind).ok_or_else(not_found)?;
    let node = Arc::clone(&worker.node);
    let dns = &node.states.core.dns;
    let now = worker.now.time;
    let known = dns.read().find(&question, now, dns.is_stale());
    match known {
        Some(entry) if entry.is_negative() => Err(not_found()),
        Some(entry) => Ok(Reply::one(view::entry(&entry, 2, now))),
        None if dns.is_stale() => Err(not_found()),
        None if !parameters.may_wait => Err(Fault::new(500, "too many calls wait for an answer, or this door cannot; try again")),
        None => {
            let ticket = worker.take_ticket();
            dns.waiting.put(ticket, Waiter::Call(question.clone())).map_err(|_| Fault::new(500, "too many questions wait; try again"))?;
            worker.outbox.effects.push(Effect::Resolve { ticket, question });
            Ok(Reply::later(ticket))
        }
    }
}

/// `dns.view`: every entry.
pub fn view(worker: &mut Worker, _: &mut Parameters) -> Answer {
    needs_cache(worker)?;
    let now = worker.now.time;
    Ok(Reply::many(state(worker).read().entries(now).map(|entry| view::entry(entry, 1, now)).collect()))
}

/// `dns.debug`
pub fn debug(worker: &mut Worker, _: &mut Parameters) -> Answer {
    needs_cache(worker)?;
    let now = worker.now.time;
    Ok(Reply::many(state(worker).read().entries(now).flat_map(|entry| view::flat(entry, now)).collect()))
}

/// `dns.debug_all`
pub fn debug_all(worker: &mut Worker, _: &mut Parameters) -> Answer {
    needs_cache(worker)?;
    let now = worker.now.time;
    Ok(Reply::many(state(worker).read().entries(now).flat_map(|entry| view::flat_records(entry, now)).collect()))
}

/// `dns.mem_info`: bytes in use, bytes allowed.
pub fn memory(worker: &mut Worker, _: &mut Parameters) -> Answer {
    needs_cache(worker)?;
    let count = |bytes: usize| Item::Integer(i64::try_from(bytes).unwrap_or(i64::MAX));
    Ok(Reply::many(vec![count(state(worker).read().bytes()), count(worker.node.core.dns.cache_bytes)]))
}

fn cleared() -> Answer {
    Ok(Reply::one(Item::Structure(vec![("status".into(), Item::text("ok"))])))
}

/// `dns.delete_all`: all but permanent entries.
pub fn delete_all(worker: &mut Worker, _: &mut Parameters) -> Answer {
    needs_cache(worker)?;
    state(worker).write().clear(false);
    cleared()
}

/// `dns.delete_all_force`: all entries.
pub fn delete_all_by_force(worker: &mut Worker, _: &mut Parameters) -> Answer {
    needs_cache(worker)?;
    state(worker).write().clear(true);
    cleared()
}

fn delete(worker: &Worker, parameters: &mut Parameters, kind: Kind) -> Answer {
    needs_cache(worker)?;
    let name = name(parameters)?;
    let question = Question::new(&name, kind).ok_or_else(not_found)?;
    match state(worker).write().delete(&question, worker.now.time) {
        Ok(()) => Ok(Reply::empty()),
        Err(DeleteError::Permanent) => Err(Fault::new(400, "Permanent entries cannot be deleted")),
        Err(DeleteError::Unknown) => Err(not_found()),
    }
}

/// `dns.delete_a NAME`
pub fn delete_a(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    delete(worker, parameters, Kind::A)
}

/// `dns.delete_aaaa NAME`
pub fn delete_aaaa(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    delete(worker, parameters, Kind::Aaaa)
}

/// `dns.delete_srv NAME`
pub fn delete_srv(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    delete(worker, parameters, Kind::Srv)
}

/// `dns.delete_naptr NAME`
pub fn delete_naptr(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    delete(worker, parameters, Kind::Naptr)
}

/// `dns.delete_cname NAME`
pub fn delete_cname(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    delete(worker, parameters, Kind::Cname)
}

/// `dns.delete_txt NAME`
pub fn delete_txt(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    delete(worker, parameters, Kind::Txt)
}

/// `dns.delete_ptr NAME`
pub fn delete_ptr(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    delete(worker, parameters, Kind::Ptr)
}

/// `dns.delete_ebl NAME`
pub fn delete_ebl(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    delete(worker, parameters, Kind::Ebl)
}

fn add(worker: &Worker, addition: Option<Addition>) -> Answer {
    let refused = || Fault::new(400, "Failed to add the entry to the cache");
    let addition = addition.filter(|_| worker.node.core.dns.caches()).ok_or_else(refused)?;
    state(worker).add(addition, &worker.node.core.dns, worker.now.time).map_err(|_| refused())?;
    Ok(Reply::empty())
}

fn seconds(parameters: &mut Parameters) -> Result<u32, Fault> {
    Ok(u32::try_from(parameters.integer()?).unwrap_or(0))
}

fn add_address(worker: &Worker, parameters: &mut Parameters, kind: Kind) -> Answer {
    let name = name(parameters)?;
    let seconds = seconds(parameters)?;
    let address = String::from_utf8_lossy(&parameters.text()?).into_owned();
    let flags = parameters.integer()?;
    add(worker, Addition::address(&name, kind, &address, seconds, flags))
}

/// `dns.add_a NAME SECONDS ADDRESS FLAGS`; flags 1: there is no such name, 2: permanent.
pub fn add_a(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    add_address(worker, parameters, Kind::A)
}

/// `dns.add_aaaa NAME SECONDS ADDRESS FLAGS`
pub fn add_aaaa(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    add_address(worker, parameters, Kind::Aaaa)
}

/// `dns.add_srv NAME SECONDS PRIORITY WEIGHT PORT TARGET FLAGS`
pub fn add_srv(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    let name = name(parameters)?;
    let seconds = seconds(parameters)?;
    let numbers = [parameters.integer()?, parameters.integer()?, parameters.integer()?];
    let target = String::from_utf8_lossy(&parameters.text()?).into_owned();
    let flags = parameters.integer()?;
    add(worker, Addition::server(&name, numbers, &target, seconds, flags))
}

/// `dns.set_server_state 0|1`: with 0 nothing is asked and what is known counts for ever.
pub fn set_server_state(worker: &mut Worker, parameters: &mut Parameters) -> Answer {
    needs_cache(worker)?;
    let is_up = parameters.integer()? != 0;
    state(worker).is_down.store(!is_up, Ordering::Relaxed);
    Ok(Reply::empty())
}

/// `dns.get_server_state`
pub fn get_server_state(worker: &mut Worker, _: &mut Parameters) -> Answer {
    needs_cache(worker)?;
    Ok(Reply::one(Item::Integer(i64::from(!state(worker).is_stale()))))
}
