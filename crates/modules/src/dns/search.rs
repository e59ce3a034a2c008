//! From a host to the addresses of a request, one after the other (RFC 3263, spec proxy-core 6.3). Asks, never waits.
//!
//! [`Search::step`] walks the procedure from its start with what is known so far and ends at the first question that is not
//! answered yet or at the first address not handed out yet. So only what is needed is asked: the addresses of a second
//! server when the first one has failed.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::sync::Arc;

use sip::time::Time;
use transaction::Protocol;

use super::cache::Cache;
use super::entry::Entry;
use super::limits::{HOPS_PER_SEARCH_MAX, LOOKS_PER_STEP_MAX, QUESTIONS_PER_SEARCH_MAX};
use super::order;
use super::record::{Data, Kind, Pointer, Question, Server};
use super::settings::Settings;
use crate::next_hop::{DEFAULT_TLS_PORT, Hop};
use crate::sockets::{DEFAULT_PORT, Sockets, parse_address};
use crate::worker::Random;

/// Where a URI, Via or function wants to go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// A name, not an address.
    pub host: Box<str>,
    /// Given: no SRV records are asked for.
    pub port: Option<u16>,
    /// Given: no other protocol is looked for.
    pub protocol: Option<Protocol>,
}

/// What a search sees besides itself.
pub struct View<'a> {
    pub cache: &'a Cache,
    pub settings: &'a Settings,
    pub sockets: &'a Sockets,
    pub now: Time,
    /// Answers count for ever and nothing is asked: the name servers are known to be down.
    pub is_stale: bool,
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask this and tell the answer to [`Search::learn`].
    Ask(Question),
    /// The next address; it is not handed out again.
    Go(Hop),
    /// There are addresses, but no local socket reaches them.
    Unreachable,
    /// There are no (more) addresses.
    Exhausted,
}

/// One search.
#[derive(Debug, Clone)]
pub struct Search {
    destination: Destination,
    /// Drawn once, so that every step sees the same random order.
    seed: u64,
    /// What this search was told: it holds although the cache may forget it or keep nothing.
    answers: Vec<(Question, Arc<Entry>)>,
    /// The question under way.
    asked: Option<Question>,
    tried: Vec<Hop>,
    is_unreachable: bool,
    /// Records that this step may still look at.
    looks_left: usize,
}

/// The way through the procedure: it is left early with the step to take.
type Walk<T> = Result<T, Step>;

impl Search {
    /// A search that has not begun.
    pub fn new(destination: Destination, seed: u64) -> Search {
        Search { destination, seed, answers: Vec::new(), asked: None, tried: Vec::new(), is_unreachable: false, looks_left: 0 }
    }

    /// What is looked for.
    pub fn destination(&self) -> &Destination {
        &self.destination
    }

    /// The question under way.
    pub fn asked(&self) -> Option<&Question> {
        self.asked.as_ref()
    }

    /// The answer to the question under way.
    pub fn learn(&mut self, entry: Arc<Entry>) {
        if let Some(question) = self.asked.take() {
            self.answers.push((question, entry));
        }
    }

    /// The next question or address.
    pub fn step(&mut self, view: &View<'_>) -> Step {
        if self.tried.len() >= HOPS_PER_SEARCH_MAX {
            return Step::Exhausted;
        }
        self.looks_left = LOOKS_PER_STEP_MAX;
        match self.walk(view) {
            Err(Step::Go(hop)) => {
                self.tried.push(hop);
                Step::Go(hop)
            }
            Err(Step::Ask(question)) => {
                self.asked = Some(question.clone());
                Step::Ask(question)
            }
            Err(step) => step,
            Ok(()) if self.tried.is_empty() && self.is_unreachable => Step::Unreachable,
            Ok(()) => Step::Exhausted,
        }
    }

    fn walk(&mut self, view: &View<'_>) -> Walk<()> {
        let Destination { host, port, protocol } = self.destination.clone();
        if let Some(port) = port {
            return self.addresses(view, &host, port, protocol.unwrap_or(Protocol::Udp)).map(drop);
        }
        let settings = view.settings;
        let is_supported = |protocol| view.sockets.list.iter().any(|socket| socket.protocol == protocol);
        if protocol.is_none() && settings.try_naptr {
            let naptr = self.answer(view, &host, Kind::Naptr)?;
            let pointers = naptr.iter().flat_map(|entry| &entry.records).filter_map(|kept| match &kept.data {
                Data::Pointer(pointer) => Some(pointer),
                _ => None,
            });
            let pointers: Vec<(&Pointer, Protocol)> = order::usable_pointers(pointers, settings, &is_supported);
            let mut found = 0;
            for (pointer, protocol) in pointers {
                found += self.servers(view, &pointer.replacement, protocol)?;
            }
            if found > 0 {
                return Ok(());
            }
        }
        let protocols = match protocol {
            Some(protocol) => vec![protocol],
            None if settings.try_naptr || settings.tries_next_address() => order::protocols(settings, &is_supported),
            None => vec![Protocol::Udp],
        };
        for protocol in protocols {
            let Some(prefix) = server_prefix(protocol) else { continue };
            if self.servers(view, &format!("{prefix}{host}"), protocol)? > 0 {
                return Ok(());
            }
        }
        let protocol = protocol.unwrap_or(Protocol::Udp);
        let port = if protocol == Protocol::Tls { DEFAULT_TLS_PORT } else { DEFAULT_PORT };
        self.addresses(view, &host, port, protocol).map(drop)
    }

    /// The addresses of every server under an SRV name. How many were handed out before.
    fn servers(&mut self, view: &View<'_>, name: &str, protocol: Protocol) -> Walk<usize> {
        let Some(entry) = self.answer(view, name, Kind::Srv)? else { return Ok(0) };
        let sorted: Vec<&Server> = entry
            .records
            .iter()
            .filter_map(|kept| match &kept.data {
                Data::Server(server) if !server.target.is_empty() => Some(server),
                _ => None,
            })
            .collect();
        let servers = if view.settings.balances_servers {
            let mut random = Random::new(self.seed);
            order::balance(&sorted, &mut |bound| random.below(bound))
        } else {
            sorted
        };
        let mut found = 0;
        for server in servers {
            found += self.addresses(view, &server.target, server.port, protocol)?;
        }
        Ok(found)
    }

    /// The addresses of a host. How many were handed out before.
    fn addresses(&mut self, view: &View<'_>, host: &str, port: u16, protocol: Protocol) -> Walk<usize> {
        if let Some(address) = parse_address(host.as_bytes()) {
            return self.offer(view, Hop { protocol, address: SocketAddr::new(address, port) });
        }
        let mut found = 0;
        for kind in families(view) {
            let Some(entry) = self.answer(view, host, kind)? else { continue };
            for kept in &entry.records {
                if let Data::Address(address) = kept.data {
                    found += self.offer(view, Hop { protocol, address: SocketAddr::new(address, port) })?;
                }
            }
        }
        Ok(found)
    }

    fn offer(&mut self, view: &View<'_>, hop: Hop) -> Walk<usize> {
        self.look()?;
        if self.tried.contains(&hop) {
            return Ok(1);
        }
        if !reaches(view.sockets, hop.protocol, hop.address.ip()) {
            self.is_unreachable = true;
            return Ok(0);
        }
        Err(Step::Go(hop))
    }

    /// Counts a record that is looked at.
    fn look(&mut self) -> Walk<()> {
        self.looks_left = self.looks_left.checked_sub(1).ok_or(Step::Exhausted)?;
        Ok(())
    }

    /// What is known about a name; None: it cannot be asked. Leaves with the question when it has to be.
    fn answer(&mut self, view: &View<'_>, name: &str, kind: Kind) -> Walk<Option<Arc<Entry>>> {
        self.look()?;
        let Some(question) = Question::new(name, kind) else { return Ok(None) };
        if let Some((_, entry)) = self.answers.iter().find(|(asked, _)| *asked == question) {
            return Ok(Some(Arc::clone(entry)));
        }
        if view.settings.caches()
            && let Some(entry) = view.cache.find(&question, view.now, view.is_stale)
        {
            return Ok(Some(entry));
        }
        if view.is_stale || self.answers.len() >= QUESTIONS_PER_SEARCH_MAX {
            return Ok(None);
        }
        Err(Step::Ask(question))
    }
}

fn reaches(sockets: &Sockets, protocol: Protocol, address: IpAddr) -> bool {
    sockets.list.iter().any(|socket| socket.protocol == protocol && socket.address.is_ipv4() == address.is_ipv4())
}

/// The kinds of address to ask for, in order: IPv4 first unless `dns_cache_flags` says otherwise.
fn families(view: &View<'_>) -> impl Iterator<Item = Kind> {
    let flags = view.settings.family_flags;
    let has_ipv6 = view.settings.try_ipv6 && view.sockets.list.iter().any(|socket| socket.address.is_ipv6());
    let ipv4 = (flags & 2 == 0).then_some(Kind::A);
    let ipv6 = (flags & 1 == 0 && has_ipv6).then_some(Kind::Aaaa);
    let order = if flags & 4 != 0 { [ipv6, ipv4] } else { [ipv4, ipv6] };
    order.into_iter().flatten()
}

/// What stands before a domain in the name of its SRV records (RFC 3263 §4.1).
fn server_prefix(protocol: Protocol) -> Option<&'static str> {
    match protocol {
        Protocol::Udp => Some("_sip._udp."),
        Protocol::Tcp => Some("_sip._tcp."),
        Protocol::Tls => Some("_sips._tcp."),
        Protocol::Sctp => Some("_sip._sctp."),
        Protocol::Ws | Protocol::Wss => None,
    }
}

#[cfg(test)]
mod tests;
