//! Names: which addresses a host has and in which order they are tried (RFC 3263), and what name servers said so far.
//!
//! Nothing here asks a name server. A [`Search`] says what it needs to know, [`ask`] makes an effect of it, and the answer
//! comes back under its ticket, from sockets or from a simulated world.

mod additions;
mod cache;
mod entry;
mod limits;
mod order;
mod posted;
pub mod record;
pub mod rpc;
mod search;
mod settings;
mod view;
mod waiting;

pub use additions::lines;
pub use posted::{Posted, post};

pub use search::{Destination, Search, Step};
pub use settings::Settings;
pub use waiting::answered;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sip::time::Time;

use crate::outbox::Effect;
use crate::run::Answer;
use crate::worker::Worker;
use cache::Cache;
use entry::Entry;
use record::{Question, Reply};
use search::View;

/// What is known about names, shared by all workers.
#[derive(Debug, Default)]
pub struct State {
    cache: RwLock<Cache>,
    waiting: waiting::Waiting,
    /// Questions that brought no record, and those that took longer than `dns_slow_query_ms`.
    failed: AtomicU64,
    slow: AtomicU64,
    /// `dns.set_server_state`: the name servers are down.
    is_down: AtomicBool,
    /// When expired entries were dropped last.
    swept: AtomicU64,
}

impl State {
    fn read(&self) -> RwLockReadGuard<'_, Cache> {
        self.cache.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Cache> {
        self.cache.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// `dns:failed_dns_request`
    pub fn failed(&self) -> &AtomicU64 {
        &self.failed
    }

    /// `dns:slow_dns_request`
    pub fn slow(&self) -> &AtomicU64 {
        &self.slow
    }

    fn is_stale(&self) -> bool {
        self.is_down.load(Ordering::Relaxed)
    }
}

/// Begins a search.
pub fn search(worker: &mut Worker, destination: Destination) -> Search {
    Search::new(destination, worker.random.next_u64())
}

/// The next question or address of a search.
pub fn step(worker: &Worker, search: &mut Search) -> Step {
    let node = &worker.node;
    let state = &node.states.core.dns;
    let cache = state.read();
    let view = View { cache: &cache, settings: &node.core.dns, sockets: &node.sockets, now: worker.now.time, is_stale: state.is_stale() };
    search.step(&view)
}

/// Goes on with a search that asked: what the answer says, then the next question or address.
pub fn proceed(worker: &mut Worker, search: &mut Search, answer: Answer) -> Step {
    if let Some(question) = search.asked().cloned() {
        let entry = learn(worker, &question, answer);
        search.learn(entry);
    }
    step(worker, search)
}

/// Asks a question; the answer comes back under the ticket.
pub fn ask(worker: &mut Worker, question: Question) -> u64 {
    let ticket = worker.take_ticket();
    worker.outbox.effects.push(Effect::Resolve { ticket, question });
    ticket
}

/// As [`ask`], for a question that the current run does not wait for.
pub fn ask_apart(worker: &mut Worker, question: Question) -> u64 {
    let own = worker.run.ticket;
    let ticket = ask(worker, question);
    worker.run.ticket = own;
    ticket
}

/// Keeps what an answer taught; the entry that answers the question.
fn learn(worker: &mut Worker, question: &Question, answer: Answer) -> Arc<Entry> {
    let node = Arc::clone(&worker.node);
    let (state, settings, now) = (&node.states.core.dns, &node.core.dns, worker.now.time);
    let Answer::Records(reply) = answer else {
        // The question was not asked at all, which says nothing about the name.
        return Arc::new(Entry::negative(question.clone(), Some(now), now));
    };
    count(worker, state, question, &reply);
    let (entries, answer) = entry::learn(question, &reply, settings, now);
    if settings.caches() {
        let mut cache = state.write();
        for entry in entries {
            cache.store(entry, settings, now);
        }
    }
    answer
}

fn count(worker: &mut Worker, state: &State, question: &Question, reply: &Reply) {
    if reply.records.is_empty() {
        state.failed.fetch_add(1, Ordering::Relaxed);
    }
    let slow = worker.node.core.dns.slow_milliseconds;
    if slow > 0 && reply.milliseconds > slow {
        state.slow.fetch_add(1, Ordering::Relaxed);
        let text = format!("name query for {} {} took {} ms", question.name, question.kind.word(), reply.milliseconds);
        worker.log(0, "core", &text);
    }
}

/// Once a second: drops expired entries every `dns_cache_gc_interval` seconds.
pub fn on_timer(worker: &Worker) {
    let settings = &worker.node.core.dns;
    if settings.sweep_seconds == 0 {
        return;
    }
    let state = &worker.node.states.core.dns;
    let now = worker.now.time;
    let last = Time(state.swept.load(Ordering::Relaxed));
    if now.since(last) >= u64::from(settings.sweep_seconds) * 1_000 {
        state.swept.store(now.0, Ordering::Relaxed);
        state.write().sweep(now);
    }
}

#[cfg(test)]
mod tests;
