//! Asks name servers on a thread of its own so that no worker waits; answers come back under the asker's ticket.
//!
//! What is asked, and what an answer is worth, is decided elsewhere: here is no cache. `/etc/resolv.conf` and `/etc/hosts`
//! are read once, at the start.

mod service;
mod wire;

pub use wire::{Data, Record};

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use crate::error::TransportError;
use crate::limits::{HOST_NAME_BYTES_MAX, RESOLVER_QUESTIONS_MAX, RESOLVER_TICKETS_PER_NAME_MAX};

/// Why a question is not asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// The name is empty, too long or has forbidden characters.
    BadName,
    /// Too many questions wait; try again later.
    Overloaded,
    /// The resolver is shutting down.
    Stopped,
}

/// How to ask. What is `None` is as `/etc/resolv.conf` says.
#[derive(Clone, Debug)]
pub struct ResolverOptions {
    /// Wait for an answer before the question is repeated (`dns_retr_time`).
    pub retry_after: Option<Duration>,
    /// How often a question is sent (`dns_retr_no`).
    pub tries: Option<u32>,
    /// Name servers used (`dns_servers_no`).
    pub servers_max: Option<usize>,
    /// Names without enough dots are also looked for in the search list (`dns_use_search_list`).
    pub uses_search_list: bool,
    /// Instead of the system's name servers and hosts.
    pub servers: Option<Vec<SocketAddr>>,
}

impl Default for ResolverOptions {
    fn default() -> ResolverOptions {
        ResolverOptions { retry_after: None, tries: None, servers_max: None, uses_search_list: true, servers: None }
    }
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub ticket: u64,
    /// What the name servers said; empty when the name has no such record or nobody answered.
    pub records: Vec<Record>,
    /// From the question to the answer.
    pub milliseconds: u32,
}

/// A name in lower case without the final dot, and the number of a record type.
type Question = (String, u16);

/// Handle of the service; clones share it. The thread ends when [`Resolver::stop`] is called.
#[derive(Clone)]
pub struct Resolver {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Called after an answer is ready, for instance [`crate::crew::Crew::wake`].
    notify: Box<dyn Fn() + Send + Sync>,
}

struct State {
    /// Who waits for which question while it is asked.
    askers: HashMap<Question, Vec<u64>>,
    answers: VecDeque<Answer>,
    /// None once stopped.
    questions: Option<UnboundedSender<Question>>,
}

impl Resolver {
    /// Starts the thread. `notify` is called from it whenever [`Resolver::answers`] has something new.
    pub fn start(options: ResolverOptions, notify: impl Fn() + Send + Sync + 'static) -> Result<Resolver, TransportError> {
        let (questions, received) = tokio::sync::mpsc::unbounded_channel();
        let state = State { askers: HashMap::new(), answers: VecDeque::new(), questions: Some(questions) };
        let shared = Arc::new(Shared { state: Mutex::new(state), notify: Box::new(notify) });
        let service = service::Service::new(&options)?;
        let answering = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("resolver".to_owned())
            .spawn(move || service.run(received, &answering))
            .map_err(|source| TransportError::Setup { step: "start the resolver thread", source })?;
        Ok(Resolver { shared })
    }

    /// Asks for the records of one type (their number) under a name. The answer comes through [`Resolver::answers`];
    /// questions alike share one.
    pub fn ask(&self, ticket: u64, name: &str, kind: u16) -> Result<(), ResolveError> {
        let question = (canonical(name)?, kind);
        let mut state = self.shared.lock();
        let Some(questions) = state.questions.clone() else { return Err(ResolveError::Stopped) };
        if let Some(askers) = state.askers.get_mut(&question) {
            if askers.len() >= RESOLVER_TICKETS_PER_NAME_MAX {
                return Err(ResolveError::Overloaded);
            }
            askers.push(ticket);
            return Ok(());
        }
        if state.askers.len() >= RESOLVER_QUESTIONS_MAX {
            return Err(ResolveError::Overloaded);
        }
        state.askers.insert(question.clone(), vec![ticket]);
        questions.send(question).map_err(|_| ResolveError::Stopped)
    }

    /// Takes the answers that are ready.
    pub fn answers(&self) -> Vec<Answer> {
        self.shared.lock().answers.drain(..).collect()
    }

    /// Ends the thread; questions that still wait are not answered.
    pub fn stop(&self) {
        self.shared.lock().questions = None;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, question: &Question, records: &[Record], milliseconds: u32) {
        let mut state = self.lock();
        for ticket in state.askers.remove(question).unwrap_or_default() {
            state.answers.push_back(Answer { ticket, records: records.to_vec(), milliseconds });
        }
        drop(state);
        (self.notify)();
    }
}

fn canonical(name: &str) -> Result<String, ResolveError> {
    let bare = name.strip_suffix('.').unwrap_or(name);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    if bare.is_empty() || bare.len() > HOST_NAME_BYTES_MAX || !bare.bytes().all(allowed) {
        return Err(ResolveError::BadName);
    }
    Ok(bare.to_ascii_lowercase())
}

#[cfg(test)]
mod tests;
