//! The `corex` module: branches with parameters, raw sends, choice of sockets, extended flags (spec proxy-core 11.8).

mod exports;
mod files;
mod functions;
pub mod interception;
pub(crate) mod message_flags;
pub mod reply_out;
mod rpc;
mod send;
mod socket_lookup;
pub mod via;

pub use exports::MODULE;

use std::sync::Arc;

use script::variable::Reference;

use crate::settings::Settings;
use crate::worker::Worker;

/// What this module keeps for the whole node.
#[derive(Debug, Default)]
pub struct State {
    subdomains: Vec<Subdomain>,
    pub interception: interception::Interception,
    /// `event_route[corex:reply-out]`.
    reply_out: Option<script::RouteId>,
}

/// `alias_subdomains`: a domain whose subdomains count as this proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Subdomain {
    domain: String,
    /// None matches any port.
    port: Option<u16>,
}

impl State {
    /// Reads the module's parameters: `alias_subdomains` is `[proto:]domain[:port]`.
    pub fn start(settings: &Settings, program: &script::Program<Worker>) -> Result<State, String> {
        let read = |text: &script::value::Text| subdomain(&text.to_string()).ok_or_else(|| format!("corex: bad alias_subdomains {text}"));
        let subdomains = settings.texts("corex", "alias_subdomains").iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(State {
            subdomains,
            interception: interception::Interception::new(settings, program)?,
            reply_out: program.route(script::syntax::ast::RouteKind::Event, "corex:reply-out"),
        })
    }

    /// Were domains given?
    pub fn has_subdomains(&self) -> bool {
        !self.subdomains.is_empty()
    }

    /// Is the host one of the domains or below one?
    pub fn is_subdomain(&self, host: &[u8], port: Option<u16>) -> bool {
        let port = port.filter(|port| *port != 0).unwrap_or(crate::sockets::DEFAULT_PORT);
        self.subdomains.iter().any(|own| own.port.is_none_or(|own| own == port) && is_below(host, own.domain.as_bytes()))
    }
}

fn subdomain(text: &str) -> Option<Subdomain> {
    let text = match text.split_once(':') {
        Some((word, rest)) if transaction::Protocol::from_bytes(word.as_bytes()).is_some() => rest,
        _ => text,
    };
    let (domain, port) = match text.split_once(':') {
        Some((domain, port)) => (domain, Some(port.parse().ok()?)),
        None => (text, None),
    };
    if domain.is_empty() { None } else { Some(Subdomain { domain: domain.to_owned(), port }) }
}

fn is_below(host: &[u8], domain: &[u8]) -> bool {
    let Some(start) = host.len().checked_sub(domain.len()) else { return false };
    let (front, end) = host.split_at(start);
    end.eq_ignore_ascii_case(domain) && (front.is_empty() || front.ends_with(b"."))
}

/// What event routes of this module see of the messages in the outbox from `first` on: replies as they are made, then everything
/// as it leaves.
pub fn sending(worker: &mut Worker, first: usize) {
    reply_out::shown(worker, first);
    interception::sending(worker, first);
}

/// What this module keeps for one run of a script (one message).
#[derive(Debug, Default)]
pub struct RunState {
    /// `msg_iflag_set`: bits of [`message_flags`].
    pub internal_flags: u32,
    /// `msg_vbflag_set`: flags to be carried in the Via.
    pub via_flags: u32,
    /// Where the content of an awaited file goes.
    file_variable: Option<Arc<Reference>>,
    /// Which way the message goes, in `event_route[network:msg]`.
    pub direction: Option<interception::Direction>,
    /// `via_add_srvid` and its kin: bits of [`via`].
    pub via_wishes: u8,
}

impl RunState {
    /// Makes the state as new for the next message.
    pub fn clear(&mut self) {
        self.internal_flags = 0;
        self.via_flags = 0;
        self.via_wishes = 0;
        self.direction = None;
        self.file_variable = None;
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod subdomain_tests {
    use super::*;

    #[test]
    fn hosts_below_a_domain_are_recognised() {
        let state =
            State { subdomains: vec![subdomain("udp:example.com:5060").unwrap(), subdomain("example.net").unwrap()], ..State::default() };
        assert!(state.is_subdomain(b"a.Example.com", None));
        assert!(state.is_subdomain(b"example.com", Some(5060)));
        assert!(!state.is_subdomain(b"a.example.com", Some(5070)));
        assert!(state.is_subdomain(b"x.y.example.net", Some(9)));
        assert!(!state.is_subdomain(b"myexample.net", None));
        assert!(subdomain("").is_none());
        assert!(subdomain("a:b").is_none());
    }
}
