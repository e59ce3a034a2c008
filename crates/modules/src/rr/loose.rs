//! Consuming Route headers: loose, strict and preloaded routes (RFC 3261 §16.4, §16.12; spec proxy-core 9.6).

use std::sync::Arc;

use script::exports::{Argument, Flow};
use script::value::Text;
use sip::params::{Param, Params};
use sip::span::Span;
use sip::uri::{Uri, UriError};
use transaction::Protocol;

use super::{owned, without_semicolon};
use crate::node::Node;
use crate::run::Run;
use crate::sockets::parse_address;
use crate::worker::Worker;

/// Most Route entries one call looks at; more are refused.
pub const ROUTES_MAX: usize = 64;

/// Result: the request is routed by its Route set.
const DRIVEN: i32 = 1;
/// Result: no Route, or nothing could be done with it.
const NOT_DRIVEN: i32 = -1;
/// Result: a preloaded own Route was consumed and nothing is left to follow.
const PRELOADED_CONSUMED: i32 = -3;

/// Bit of `loose_route_mode`: do not try strict routing.
const MODE_NO_STRICT: i64 = 1;

/// One Route entry: where it stands in the message.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    whole: Span,
    uri: Span,
    /// Index of its header.
    header: usize,
}

/// Parameters of the consumed own Route, without the leading `;`; empty when none was consumed.
pub fn own_route_parameters(run: &Run) -> &[u8] {
    &run.rr.route_parameters
}

/// `loose_route()`.
pub(super) fn loose_route(worker: &mut Worker, _: &[Argument]) -> Flow {
    let mode = worker.node.states.rr.mode;
    Flow::Code(route(worker, mode))
}

/// `loose_route_mode(bits)`.
pub(super) fn loose_route_mode(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let mode = arguments.first().map_or(0, Argument::integer);
    Flow::Code(route(worker, mode))
}

/// `loose_route_preloaded()`: true only when a preloaded own Route was consumed and nothing is left.
pub(super) fn loose_route_preloaded(worker: &mut Worker, _: &[Argument]) -> Flow {
    let mode = worker.node.states.rr.mode;
    Flow::from(route(worker, mode) == PRELOADED_CONSUMED)
}

/// `check_route_param("regex")`, matched against the parameters with their leading `;`.
pub(super) fn check_route_param(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let parameters = &worker.run.rr.route_parameters;
    let Some(Argument::Regex(pattern)) = arguments.first() else { return Flow::Code(-1) };
    if parameters.is_empty() {
        return Flow::Code(-1);
    }
    let mut text = Vec::with_capacity(parameters.len().saturating_add(1));
    text.push(b';');
    text.extend_from_slice(parameters);
    Flow::from(pattern.is_match(&text))
}

/// `rr_next_hop_route()`: true when `loose_route()` found a loose Route for the next hop; strict ones do not count.
pub(super) fn rr_next_hop_route(worker: &mut Worker, _: &[Argument]) -> Flow {
    Flow::from(worker.run.rr.has_next_route)
}

fn route(worker: &mut Worker, mode: i64) -> i32 {
    let node = Arc::clone(&worker.node);
    let mut entries = std::mem::take(&mut worker.run.rr.entries);
    worker.run.rr.is_own_route = false;
    worker.run.rr.has_next_route = false;
    worker.run.rr.route_parameters.clear();
    let is_complete = collect(&worker.run, &mut entries);
    let result = if entries.is_empty() || !is_complete {
        NOT_DRIVEN
    } else {
        let is_preloaded = worker.run.message.to_tag().is_empty();
        let tries_strict = !is_preloaded && mode & MODE_NO_STRICT == 0;
        if tries_strict && is_own_uri(&node, worker.run.request_uri()) {
            after_strict(worker, &node, &entries)
        } else {
            after_loose(worker, &node, &entries, is_preloaded)
        }
    };
    entries.clear();
    worker.run.rr.entries = entries;
    worker.run.rr.last_result = result;
    let run = &worker.run;
    if run.rr.is_own_route && !run.rr.route_parameters.is_empty() {
        if node.states.rr.has_dialog {
            crate::dialog::on_routed(worker);
        }
        crate::uac::on_routed(worker);
    }
    result
}

/// Reads all Route entries. False when one cannot be read or there are too many.
fn collect(run: &Run, entries: &mut Vec<Entry>) -> bool {
    entries.clear();
    for route in run.message.routes() {
        if entries.len() >= ROUTES_MAX {
            return false;
        }
        let (Some(whole), Some(uri)) = (run.message.span_of(route.whole), run.message.span_of(route.address.uri)) else {
            return false;
        };
        entries.push(Entry { whole, uri, header: route.header });
    }
    true
}

/// A Route URI with the parameters that routing looks at, all read in one pass; the first of each name counts.
struct RouteUri<'a> {
    uri: Uri<'a>,
    is_gruu: bool,
    /// `r2=on`: it belongs to a pair of Record-Route headers.
    is_one_of_two: bool,
    socket_name: Option<&'a [u8]>,
    transport: Option<&'a [u8]>,
}

impl<'a> RouteUri<'a> {
    fn parse(text: &'a [u8]) -> Result<RouteUri<'a>, UriError> {
        let uri = Uri::parse(text)?;
        let (mut is_gruu, mut double, mut socket_name, mut transport) = (false, None, None, None);
        for Param { name, value, .. } in Params::new(uri.params) {
            let first_of = |known: &[u8], place: &mut Option<&'a [u8]>| {
                if place.is_none() && name.eq_ignore_ascii_case(known) {
                    *place = Some(value.unwrap_or(b""));
                }
            };
            match name.len() {
                2 if name.eq_ignore_ascii_case(b"gr") => is_gruu = true,
                2 => {
                    first_of(b"r2", &mut double);
                    first_of(b"sn", &mut socket_name);
                }
                9 => first_of(b"transport", &mut transport),
                _ => {}
            }
        }
        let is_one_of_two = double.is_some_and(|value| value.eq_ignore_ascii_case(b"on"));
        Ok(RouteUri { uri, is_gruu, is_one_of_two, socket_name, transport })
    }

    /// The port, else the default of the transport it asks for (RFC 3263 §4.2).
    fn port_or_default(&self) -> u16 {
        let is_secure = self.uri.is_sips() || self.transport.is_some_and(|name| name.eq_ignore_ascii_case(b"tls"));
        match self.uri.port {
            Some(port) if port != 0 => port,
            _ if is_secure => 5061,
            _ => 5060,
        }
    }
}

/// Is this URI this proxy (spec proxy-core 2.5)? A GRUU never is.
fn is_own_uri(node: &Node, uri: &[u8]) -> bool {
    RouteUri::parse(uri).is_ok_and(|uri| is_own(node, &uri))
}

fn is_own(node: &Node, RouteUri { uri, is_gruu, .. }: &RouteUri<'_>) -> bool {
    !uri.is_tel() && !is_gruu && node.sockets.is_myself(uri.host, uri.port)
}

/// The local socket that a Route URI of ours names.
fn socket_of(node: &Node, route: &RouteUri<'_>) -> Option<u16> {
    if node.states.rr.with_socket_name
        && let Some(index) = route.socket_name.and_then(|name| node.sockets.find_named(name))
    {
        return Some(index);
    }
    let uri = &route.uri;
    let protocol = match route.transport {
        Some(name) => Protocol::from_bytes(name)?,
        None if uri.is_sips() => Protocol::Tls,
        None => Protocol::Udp,
    };
    let port = route.port_or_default();
    if let Some(index) = parse_address(uri.host).and_then(|address| node.sockets.find(Some(protocol), address, port)) {
        return Some(index);
    }
    let is_advertised = |socket: &crate::sockets::Socket| {
        socket.protocol == protocol
            && socket.advertise.as_ref().is_some_and(|(host, advertised)| {
                host.as_bytes().eq_ignore_ascii_case(uri.host) && advertised.unwrap_or(crate::sockets::DEFAULT_PORT) == port
            })
    };
    node.sockets.list.iter().position(is_advertised).and_then(|index| u16::try_from(index).ok())
}

/// Sends from the socket that the Route names; only a warning when there is none.
fn force_socket(worker: &mut Worker, node: &Node, route: &RouteUri<'_>) {
    match socket_of(node, route) {
        Some(index) => worker.run.target.socket = Some(index),
        None if node.states.rr.warn_of_socket_mismatch => {
            let text = format!("no local socket matches the Route {}", String::from_utf8_lossy(route.uri.whole));
            worker.log(0, "rr", &text);
        }
        None => {}
    }
}

fn uri_text(run: &Run, entry: &Entry) -> Text {
    owned(run.message.text(entry.uri))
}

/// The address to go to for a Route: itself, or its `maddr`.
fn next_hop(uri_text: &Text) -> Text {
    match Uri::parse(uri_text) {
        Ok(uri) => match uri.maddr() {
            Some(address) => {
                let mut text = Vec::with_capacity(32);
                text.extend_from_slice(if uri.is_sips() { b"sips:" } else { b"sip:" });
                text.extend_from_slice(address);
                if !uri.port_text.is_empty() {
                    text.push(b':');
                    text.extend_from_slice(uri.port_text);
                }
                Text::from(text)
            }
            None => uri_text.clone(),
        },
        Err(_) => uri_text.clone(),
    }
}

/// Does the entry of ours belong to a pair of Record-Route headers?
fn is_double(node: &Node, route: &RouteUri<'_>) -> bool {
    node.states.rr.double_record != super::DoubleRecord::Never && route.is_one_of_two
}

/// The previous hop is a loose router: the request URI is the target already.
fn after_loose(worker: &mut Worker, node: &Node, entries: &[Entry], is_preloaded: bool) -> i32 {
    let Some(first) = entries.first() else { return NOT_DRIVEN };
    let first_uri = uri_text(&worker.run, first);
    let Ok(route) = RouteUri::parse(&first_uri) else {
        worker.log(-1, "rr", "the first Route cannot be parsed");
        return NOT_DRIVEN;
    };
    let mut consumed = 0;
    if is_own(node, &route) {
        remember(&mut worker.run, route.uri.params);
        consumed = 1;
        if is_double(node, &route) {
            match entries.get(1) {
                Some(second) => {
                    let second_uri = uri_text(&worker.run, second);
                    let Ok(second) = RouteUri::parse(&second_uri) else {
                        worker.log(-1, "rr", "the second Route of the pair cannot be parsed");
                        return NOT_DRIVEN;
                    };
                    force_socket(worker, node, &second);
                    consumed = 2;
                }
                None => worker.log(0, "rr", "a Route with r2=on has no second Route behind it"),
            }
        } else if node.states.rr.force_send_socket {
            force_socket(worker, node, &route);
        }
    }
    let Some(current) = entries.get(consumed) else {
        remove(&mut worker.run, entries, consumed, false);
        return if is_preloaded { PRELOADED_CONSUMED } else { DRIVEN };
    };
    let current_uri = uri_text(&worker.run, current);
    let Ok(parsed) = Uri::parse(&current_uri) else {
        worker.log(-1, "rr", "the next Route cannot be parsed");
        return NOT_DRIVEN;
    };
    if parsed.is_lr() {
        remove(&mut worker.run, entries, consumed, false);
        worker.run.rr.has_next_route = true;
        worker.run.set_next_hop(Some(next_hop(&current_uri)));
    } else {
        remove(&mut worker.run, entries, consumed.saturating_add(1), false);
        leave_strict(&mut worker.run, &current_uri);
    }
    DRIVEN
}

/// The next hop is a strict router: it goes into the request URI, the former one behind all Routes (RFC 3261 §16.6 step 6).
fn leave_strict(run: &mut Run, current_uri: &Text) {
    let mut line = Vec::with_capacity(64);
    line.extend_from_slice(b"Route: <");
    line.extend_from_slice(run.message.request_uri());
    line.extend_from_slice(b">\r\n");
    let end = run.message.headers_end();
    run.edits.insert_after(end, &line);
    run.set_request_uri(&next_hop(current_uri));
}

/// The previous hop was a strict router: it put our own Record-Route URI into the request URI.
fn after_strict(worker: &mut Worker, node: &Node, entries: &[Entry]) -> i32 {
    let Some(first) = entries.first() else { return NOT_DRIVEN };
    let first_uri = uri_text(&worker.run, first);
    let mut consumed = 0;
    if let Ok(route) = RouteUri::parse(&first_uri)
        && is_own(node, &route)
        && is_double(node, &route)
    {
        force_socket(worker, node, &route);
        consumed = 1;
    }
    let Some(current) = entries.get(consumed) else {
        remove(&mut worker.run, entries, consumed, false);
        return NOT_DRIVEN;
    };
    let request_uri = owned(worker.run.request_uri());
    if let Ok(uri) = Uri::parse(&request_uri) {
        remember(&mut worker.run, uri.params);
    }
    let current_uri = uri_text(&worker.run, current);
    let Ok(parsed) = Uri::parse(&current_uri) else {
        worker.log(-1, "rr", "the next Route cannot be parsed");
        return NOT_DRIVEN;
    };
    if !parsed.is_lr() {
        worker.run.set_request_uri(&next_hop(&current_uri));
        let removed = consumed.saturating_add(1);
        remove(&mut worker.run, entries, removed, false);
        return DRIVEN;
    }
    let Some(last) = entries.last() else { return NOT_DRIVEN };
    let target = uri_text(&worker.run, last);
    worker.run.set_next_hop(Some(next_hop(&current_uri)));
    worker.run.set_request_uri(&target);
    remove(&mut worker.run, entries, consumed, true);
    DRIVEN
}

fn remember(run: &mut Run, parameters: &[u8]) {
    run.rr.is_own_route = true;
    run.rr.route_parameters.clear();
    run.rr.route_parameters.extend_from_slice(without_semicolon(parameters));
}

/// Queues the removal of the first `leading` entries and, if asked, of the last one.
///
/// A header whose entries all go is removed with its line; else only the entries and the comma that joins them.
fn remove(run: &mut Run, entries: &[Entry], leading: usize, with_last: bool) {
    let last = entries.len().saturating_sub(1);
    let is_removed = |index: usize| index < leading || (with_last && index == last);
    let mut start = 0;
    while let Some(first) = entries.get(start) {
        let header = first.header;
        let count = entries.iter().skip(start).take_while(|entry| entry.header == header).count();
        let range = start..start.saturating_add(count);
        remove_in_header(run, entries, range.clone(), &is_removed);
        start = range.end;
    }
}

fn remove_in_header(run: &mut Run, entries: &[Entry], range: std::ops::Range<usize>, is_removed: &impl Fn(usize) -> bool) {
    let first_kept = range.clone().find(|index| !is_removed(*index)).and_then(|index| entries.get(index));
    let last_kept = range.clone().rev().find(|index| !is_removed(*index)).and_then(|index| entries.get(index));
    let (Some(first), Some(last)) = (entries.get(range.start), entries.get(range.end.saturating_sub(1))) else { return };
    let (Some(first_kept), Some(last_kept)) = (first_kept, last_kept) else {
        if let Some(header) = run.message.headers().get(first.header) {
            let line = header.line;
            run.edits.remove(line);
        }
        return;
    };
    if first_kept.whole.start > first.whole.start {
        run.edits.remove(Span { start: first.whole.start, end: first_kept.whole.start });
    }
    if last_kept.whole.end < last.whole.end {
        run.edits.remove(Span { start: last_kept.whole.end, end: last.whole.end });
    }
}
