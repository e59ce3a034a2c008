//! Looks up host names on threads of its own so that no worker waits; answers come back under the asker's ticket.
//!
//! A and AAAA only, through the system's resolver (`/etc/hosts`, search list and all). SRV and NAPTR (spec proxy-core 6.3)
//! need a resolver of our own and come later; with an explicit port or an address literal they are not needed.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::TransportError;
use crate::limits::{
    HOST_NAME_BYTES_MAX, RESOLVER_ADDRESSES_MAX, RESOLVER_CACHE_NAMES_MAX, RESOLVER_NEGATIVE, RESOLVER_POSITIVE, RESOLVER_QUESTIONS_MAX,
    RESOLVER_THREADS, RESOLVER_TICKETS_PER_NAME_MAX,
};

/// Why there is no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResolveError {
    /// The name has no address or the name server did not answer.
    NotFound,
    /// The name is empty, too long or has forbidden characters.
    BadName,
    /// Too many questions wait; try again later (503).
    Overloaded,
    /// The resolver is shutting down.
    Stopped,
}

/// The answer to one question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub ticket: u64,
    pub host: String,
    pub port: u16,
    /// Addresses in the system's order of preference, never empty.
    pub result: Result<Vec<IpAddr>, ResolveError>,
}

type Found = Result<Vec<IpAddr>, ResolveError>;
/// What asks the system. Replaceable so that tests need no network.
type Lookup = dyn Fn(&str) -> Found + Send + Sync;

/// Handle of the service; clones share it. The threads end when [`Resolver::stop`] is called.
#[derive(Clone)]
pub struct Resolver {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    bell: Condvar,
    lookup: Box<Lookup>,
    /// Called after an answer is ready, for instance [`crate::crew::Crew::wake`].
    notify: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<String>,
    /// Who waits for which name, while it waits or is being looked up.
    askers: HashMap<String, Vec<(u64, u16)>>,
    answers: VecDeque<Answer>,
    cache: HashMap<String, (Found, Instant)>,
    stopping: bool,
}

impl Resolver {
    /// Starts the threads. `notify` is called, from one of them, whenever [`Resolver::answers`] has something new.
    pub fn start(notify: impl Fn() + Send + Sync + 'static) -> Result<Resolver, TransportError> {
        Resolver::start_with(system_lookup, notify)
    }

    /// As [`Resolver::start`] with another source of answers.
    pub fn start_with(
        lookup: impl Fn(&str) -> Found + Send + Sync + 'static,
        notify: impl Fn() + Send + Sync + 'static,
    ) -> Result<Resolver, TransportError> {
        let shared = Arc::new(Shared { state: Mutex::default(), bell: Condvar::new(), lookup: Box::new(lookup), notify: Box::new(notify) });
        for number in 0..RESOLVER_THREADS {
            let shared = shared.clone();
            std::thread::Builder::new()
                .name(format!("resolver-{number}"))
                .spawn(move || serve(&shared))
                .map_err(|source| TransportError::Setup { step: "start a resolver thread", source })?;
        }
        Ok(Resolver { shared })
    }

    /// Asks for the addresses of `host`. The answer always comes through [`Resolver::answers`], also when it is known
    /// already; `port` is handed back unchanged.
    pub fn ask(&self, ticket: u64, host: &str, port: u16) -> Result<(), ResolveError> {
        let name = canonical(host)?;
        let mut state = self.lock();
        if state.stopping {
            return Err(ResolveError::Stopped);
        }
        let known = literal(&name).or_else(|| state.fresh(&name, Instant::now()));
        if let Some(result) = known {
            if state.answers.len() >= RESOLVER_QUESTIONS_MAX {
                return Err(ResolveError::Overloaded);
            }
            state.answers.push_back(Answer { ticket, host: host.to_string(), port, result });
            drop(state);
            (self.shared.notify)();
            return Ok(());
        }
        if let Some(askers) = state.askers.get_mut(&name) {
            if askers.len() >= RESOLVER_TICKETS_PER_NAME_MAX {
                return Err(ResolveError::Overloaded);
            }
            askers.push((ticket, port));
            return Ok(());
        }
        if state.askers.len() >= RESOLVER_QUESTIONS_MAX {
            return Err(ResolveError::Overloaded);
        }
        state.askers.insert(name.clone(), vec![(ticket, port)]);
        state.waiting.push_back(name);
        drop(state);
        self.shared.bell.notify_one();
        Ok(())
    }

    /// The answer if it needs no waiting: an address literal or a fresh cache entry. None: use [`Resolver::ask`].
    pub fn known(&self, host: &str) -> Option<Result<Vec<IpAddr>, ResolveError>> {
        match canonical(host) {
            Ok(name) => literal(&name).or_else(|| self.lock().fresh(&name, Instant::now())),
            Err(error) => Some(Err(error)),
        }
    }

    /// Takes the answers that are ready.
    pub fn answers(&self) -> Vec<Answer> {
        self.lock().answers.drain(..).collect()
    }

    /// Forgets all cached answers (RPC `dns.delete_all`).
    pub fn forget(&self) {
        self.lock().cache.clear();
    }

    /// Ends the threads; questions that still wait are not answered.
    pub fn stop(&self) {
        self.lock().stopping = true;
        self.shared.bell.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn fresh(&self, name: &str, now: Instant) -> Option<Found> {
        self.cache.get(name).filter(|(_, until)| *until > now).map(|(found, _)| found.clone())
    }

    fn remember(&mut self, name: &str, found: &Found, now: Instant) {
        if self.cache.len() >= RESOLVER_CACHE_NAMES_MAX {
            self.cache.retain(|_, (_, until)| *until > now);
            if self.cache.len() >= RESOLVER_CACHE_NAMES_MAX {
                self.cache.clear();
            }
        }
        let lifetime: Duration = if found.is_ok() { RESOLVER_POSITIVE } else { RESOLVER_NEGATIVE };
        self.cache.insert(name.to_string(), (found.clone(), now + lifetime));
    }
}

fn serve(shared: &Shared) {
    let mut state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if state.stopping {
            return;
        }
        let Some(name) = state.waiting.pop_front() else {
            state = shared.bell.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        drop(state);
        let found = (shared.lookup)(&name);
        state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.remember(&name, &found, Instant::now());
        for (ticket, port) in state.askers.remove(&name).unwrap_or_default() {
            state.answers.push_back(Answer { ticket, host: name.clone(), port, result: found.clone() });
        }
        drop(state);
        (shared.notify)();
        state = shared.state.lock().unwrap_or_else(PoisonError::into_inner);
    }
}

fn canonical(host: &str) -> Result<String, ResolveError> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b':');
    if bare.is_empty() || bare.len() > HOST_NAME_BYTES_MAX || !bare.bytes().all(allowed) {
        return Err(ResolveError::BadName);
    }
    Ok(bare.to_ascii_lowercase())
}

fn literal(name: &str) -> Option<Found> {
    name.parse::<IpAddr>().ok().map(|address| Ok(vec![address]))
}

fn system_lookup(name: &str) -> Found {
    let answers = (name, 0u16).to_socket_addrs().map_err(|_| ResolveError::NotFound)?;
    let mut found: Vec<IpAddr> = Vec::new();
    for answer in answers {
        if found.len() < RESOLVER_ADDRESSES_MAX && !found.contains(&answer.ip()) {
            found.push(answer.ip());
        }
    }
    if found.is_empty() { Err(ResolveError::NotFound) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    fn service(lookup: impl Fn(&str) -> Found + Send + Sync + 'static) -> (Resolver, mpsc::Receiver<()>) {
        let (sender, receiver) = mpsc::channel();
        let sender = Mutex::new(sender);
        let resolver = Resolver::start_with(lookup, move || {
            let _ = sender.lock().unwrap().send(());
        });
        (resolver.unwrap(), receiver)
    }

    fn wait(receiver: &mpsc::Receiver<()>) {
        receiver.recv_timeout(Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn a_literal_needs_no_lookup() {
        let (resolver, bell) = service(|_| panic!("no lookup expected"));
        assert_eq!(resolver.known("[2001:db8::1]"), Some(Ok(vec!["2001:db8::1".parse().unwrap()])));
        resolver.ask(7, "192.0.2.1", 5070).unwrap();
        wait(&bell);
        let answers = resolver.answers();
        assert_eq!((answers.len(), answers[0].ticket, answers[0].port), (1, 7, 5070));
        assert_eq!(answers[0].result, Ok(vec!["192.0.2.1".parse().unwrap()]));
        resolver.stop();
    }

    #[test]
    fn a_second_question_is_answered_from_the_cache_failures_too() {
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        let (resolver, bell) = service(move |name| {
            count.fetch_add(1, Ordering::SeqCst);
            if name == "good.example" { Ok(vec!["192.0.2.9".parse().unwrap()]) } else { Err(ResolveError::NotFound) }
        });
        for ticket in 0..3 {
            resolver.ask(ticket, "Good.Example", 0).unwrap();
            wait(&bell);
            resolver.ask(100 + ticket, "bad.example", 0).unwrap();
            wait(&bell);
        }
        let answers = resolver.answers();
        assert_eq!(answers.len(), 6);
        assert_eq!(answers.iter().filter(|answer| answer.result.is_ok()).count(), 3);
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        assert_eq!(resolver.known("bad.example"), Some(Err(ResolveError::NotFound)));
        resolver.forget();
        assert_eq!(resolver.known("bad.example"), None);
        resolver.stop();
    }

    #[test]
    fn questions_for_a_name_being_looked_up_share_its_answer() {
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let inner = gate.clone();
        let (resolver, bell) = service(move |_| {
            let mut open = inner.0.lock().unwrap();
            while !*open {
                open = inner.1.wait(open).unwrap();
            }
            Ok(vec!["192.0.2.9".parse().unwrap()])
        });
        for ticket in 0..5 {
            resolver.ask(ticket, "slow.example", 5060).unwrap();
        }
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
        wait(&bell);
        let tickets: Vec<u64> = resolver.answers().iter().map(|answer| answer.ticket).collect();
        assert_eq!(tickets, [0, 1, 2, 3, 4]);
        resolver.stop();
    }

    #[test]
    fn the_queue_is_bounded_and_bad_names_are_refused_at_once() {
        let gate = Arc::new((Mutex::new(false), Condvar::new()));
        let inner = gate.clone();
        let (resolver, _bell) = service(move |_| {
            let mut open = inner.0.lock().unwrap();
            while !*open {
                open = inner.1.wait(open).unwrap();
            }
            Err(ResolveError::NotFound)
        });
        for number in 0..RESOLVER_QUESTIONS_MAX as u64 {
            resolver.ask(number, &format!("n{number}.example"), 0).unwrap();
        }
        assert_eq!(resolver.ask(1, "one-more.example", 0), Err(ResolveError::Overloaded));
        assert_eq!(resolver.ask(1, "", 0), Err(ResolveError::BadName));
        assert_eq!(resolver.ask(1, "a b", 0), Err(ResolveError::BadName));
        assert_eq!(resolver.ask(1, &"x".repeat(300), 0), Err(ResolveError::BadName));
        resolver.stop();
        *gate.0.lock().unwrap() = true;
        gate.1.notify_all();
        assert_eq!(resolver.ask(1, "late.example", 0), Err(ResolveError::Stopped));
    }
}
