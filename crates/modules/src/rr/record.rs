//! Record-Route: planned while the script runs, written when a branch leaves and its sending socket is known (spec proxy-core 9.1-9.4).

use std::sync::Arc;

use script::exports::{Argument, Flow, Routes};
use script::value::Text;
use sip::uri::Uri;
use transaction::Protocol;

use super::direction::{Direction, direction};
use super::{ADDED_PARAMETER_BYTES_MAX, DoubleRecord, RECORDINGS_MAX, owned};
use crate::node::Node;
use crate::worker::Worker;

/// One call of a `record_route*` function.
#[derive(Debug, Clone, PartialEq)]
enum Recording {
    /// Socket addresses, and literal parameters of the call.
    Socket(Option<Text>),
    /// A literal address, no second header.
    Preset(Text),
    /// A literal address; a second header when protocols differ.
    Advertised(Text),
}

/// Record-Route headers of a request, in the order they were asked for. Cheap to clone for each branch.
#[derive(Debug, Default)]
pub struct Plan {
    recordings: Vec<Recording>,
    /// Which route asked: a branch may record although the main route did.
    asked_in_request: bool,
    asked_in_branch: bool,
    /// Texts of `add_rr_param()`, each with its leading `;`.
    added: Text,
    is_sips: bool,
    user: Option<Text>,
    /// The dialog initiator's tag.
    initiator_tag: Option<Text>,
    /// Protocol the request arrived with.
    received: Option<Protocol>,
    /// `set_advertised_address()` and `set_advertised_port()` of the message.
    advertised: (Option<Text>, Option<u16>),
}

/// `clone_from` reuses memory.
impl Clone for Plan {
    fn clone(&self) -> Plan {
        let mut copy = Plan::default();
        copy.clone_from(self);
        copy
    }

    fn clone_from(&mut self, source: &Plan) {
        let Plan { recordings, asked_in_request, asked_in_branch, added, is_sips, user, initiator_tag, received, advertised } = source;
        self.recordings.clone_from(recordings);
        self.asked_in_request = *asked_in_request;
        self.asked_in_branch = *asked_in_branch;
        self.added.clone_from(added);
        self.is_sips = *is_sips;
        self.user.clone_from(user);
        self.initiator_tag.clone_from(initiator_tag);
        self.received = *received;
        self.advertised.clone_from(advertised);
    }
}

impl Plan {
    /// Makes the plan as new.
    pub fn clear(&mut self) {
        self.forget_recordings();
        self.added = Text::empty();
        self.is_sips = false;
        self.user = None;
        self.initiator_tag = None;
        self.received = None;
        self.advertised = (None, None);
    }

    fn forget_recordings(&mut self) {
        self.recordings.clear();
        self.asked_in_request = false;
        self.asked_in_branch = false;
    }

    /// Will nothing be written?
    pub fn is_empty(&self) -> bool {
        self.recordings.is_empty()
    }

    /// How many Record-Route lines [`render`] writes for these sockets.
    pub fn header_count(&self, node: &Node, received_on: u16, sent_from: u16) -> usize {
        let lines = |recording: &Recording| match recording {
            Recording::Socket(_) if is_double(node, received_on, sent_from) => 2,
            Recording::Socket(_) | Recording::Preset(_) => 1,
            Recording::Advertised(_) => {
                if has_two_advertised(node, self, received_on, sent_from) {
                    2
                } else {
                    1
                }
            }
        };
        self.recordings.iter().map(lines).sum()
    }

    /// Parameters added so far, each with its leading `;`.
    pub fn added(&self) -> &[u8] {
        &self.added
    }
}

/// `add_rr_param()` for modules: the text must start with `;`. False when it does not or when the plan is full.
pub fn add_parameter(plan: &mut Plan, text: &[u8]) -> bool {
    if text.first() != Some(&b';') || plan.added.len().saturating_add(text.len()) > ADDED_PARAMETER_BYTES_MAX {
        return false;
    }
    if plan.added.is_empty() {
        plan.added = Text::from(text);
    } else {
        plan.added = Text::from([&plan.added[..], text].concat());
    }
    true
}

/// `add_rr_param(";name=value")`.
pub(super) fn add_rr_param(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let text = arguments.first().map(Argument::text).unwrap_or_default();
    if worker.run.rr.plan.recordings.iter().any(|recording| matches!(recording, Recording::Preset(_))) {
        worker.log(-1, "rr", "add_rr_param() comes too late: record_route_preset() has written its header");
        return Flow::Code(-1);
    }
    if add_parameter(&mut worker.run.rr.plan, &text) {
        return Flow::Code(1);
    }
    worker.log(-1, "rr", "the parameter must start with ';' and all together take at most 512 bytes");
    Flow::Code(-1)
}

/// `record_route([parameters])`.
pub(super) fn record_route(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let parameters = arguments.first().map(Argument::text).filter(|parameters| !parameters.is_empty());
    if parameters.as_ref().is_some_and(|parameters| parameters.first() != Some(&b';')) {
        worker.log(-1, "rr", "parameters of record_route must start with ';'");
        return Flow::Code(-1);
    }
    plan(worker, &[Recording::Socket(parameters)])
}

/// `record_route_preset(address[, address2])`.
pub(super) fn record_route_preset(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    if arguments.len() > 1 && worker.node.states.rr.double_record == DoubleRecord::Never {
        worker.log(-1, "rr", "record_route_preset with two addresses needs enable_double_rr");
        return Flow::Code(-1);
    }
    let recordings: Vec<Recording> = arguments.iter().take(2).map(|address| Recording::Preset(address.text())).collect();
    plan(worker, &recordings)
}

/// `record_route_advertised_address(address)`.
pub(super) fn record_route_advertised_address(worker: &mut Worker, arguments: &[Argument]) -> Flow {
    let address = arguments.first().map(Argument::text).unwrap_or_default();
    plan(worker, &[Recording::Advertised(address)])
}

/// `remove_record_route()`: forgets what was planned; recording is possible again.
pub(super) fn remove_record_route(worker: &mut Worker, _: &[Argument]) -> Flow {
    worker.run.rr.plan.forget_recordings();
    Flow::Code(1)
}

fn plan(worker: &mut Worker, recordings: &[Recording]) -> Flow {
    let in_branch = worker.run.route_set.meets(Routes::BRANCH);
    let plan = &worker.run.rr.plan;
    let is_asked = if in_branch { plan.asked_in_branch } else { plan.asked_in_request };
    if is_asked {
        worker.log(-1, "rr", "record_route was called twice for one request");
        return Flow::Code(-1);
    }
    if plan.recordings.len().saturating_add(recordings.len()) > RECORDINGS_MAX {
        return Flow::Code(-1);
    }
    let node = Arc::clone(&worker.node);
    let user = user_part(worker, &node);
    let run = &mut worker.run;
    let initiator_tag = node.states.rr.append_from_tag.then(|| match direction(run) {
        Direction::Downstream => owned(run.message.from_tag()),
        Direction::Upstream => owned(run.message.to_tag()),
    });
    let is_sips = !node.states.rr.ignore_sips && run.request_uri().get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"sips:"));
    let advertised = (run.advertised_address.clone(), run.advertised_port);
    let received = run.source.protocol;
    let plan = &mut run.rr.plan;
    plan.initiator_tag = initiator_tag.filter(|tag| !tag.is_empty());
    plan.user = user;
    plan.is_sips = is_sips;
    plan.advertised = advertised;
    plan.received = Some(received);
    plan.recordings.extend_from_slice(recordings);
    if in_branch {
        plan.asked_in_branch = true;
    } else {
        plan.asked_in_request = true;
    }
    Flow::Code(1)
}

fn user_part(worker: &mut Worker, node: &Node) -> Option<Text> {
    let state = &node.states.rr;
    let user = match &state.user_source {
        Some(source) => {
            let text = script::exports::Evaluate::format(worker, source);
            (!text.is_empty() && &*text != b"<null>").then_some(text)
        }
        None => None,
    };
    if user.is_some() || !state.add_user {
        return user;
    }
    Uri::parse(worker.run.request_uri()).ok().map(|uri| owned(uri.user)).filter(|user| !user.is_empty())
}

/// Appends the Record-Route lines of a request that arrived on one socket and leaves from another, topmost first.
///
/// The headers belong before the first header of the message, above every Via.
pub fn render(node: &Node, plan: &Plan, received_on: u16, sent_from: u16, out: &mut Vec<u8>) {
    for recording in plan.recordings.iter().rev() {
        match recording {
            Recording::Socket(parameters) => {
                let parameters = parameters.as_deref().unwrap_or(b"");
                let is_double = is_double(node, received_on, sent_from);
                if is_double {
                    write_socket(node, plan, sent_from, true, parameters, out);
                }
                write_socket(node, plan, received_on, is_double, parameters, out);
            }
            Recording::Preset(address) => write_preset(plan, address, out),
            Recording::Advertised(address) => write_advertised(node, plan, address, received_on, sent_from, out),
        }
    }
}

fn is_double(node: &Node, received_on: u16, sent_from: u16) -> bool {
    match node.states.rr.double_record {
        DoubleRecord::Never => false,
        DoubleRecord::Always => true,
        DoubleRecord::OnDifference => received_on != sent_from,
    }
}

fn start(plan: &Plan, out: &mut Vec<u8>) {
    out.extend_from_slice(if plan.is_sips { b"Record-Route: <sips:" } else { b"Record-Route: <sip:" });
    if let Some(user) = &plan.user {
        out.extend_from_slice(user);
        out.push(b'@');
    }
}

fn write_transport(protocol: Protocol, out: &mut Vec<u8>) {
    if protocol != Protocol::Udp {
        out.extend_from_slice(b";transport=");
        out.extend(protocol.name().bytes().map(|byte| byte.to_ascii_lowercase()));
    }
}

fn write_tag(plan: &Plan, out: &mut Vec<u8>) {
    if let Some(tag) = &plan.initiator_tag {
        out.extend_from_slice(b";ftag=");
        out.extend_from_slice(tag);
    }
}

/// Host and port as Via and Record-Route show them (spec proxy-core 2.3): message, then global, then the socket's own.
fn write_address(node: &Node, plan: &Plan, index: u16, out: &mut Vec<u8>) {
    let Some(socket) = node.sockets.at(index) else { return };
    let address = plan.advertised.0.as_deref().or_else(|| node.core.advertised_address.as_deref().map(str::as_bytes));
    let port = plan.advertised.1.or(node.core.advertised_port);
    if address.is_none() && port.is_none() {
        out.extend_from_slice(&socket.sent_by);
        return;
    }
    let bound;
    let host = match (address, &socket.advertise) {
        (Some(address), _) => address,
        (None, Some((host, _))) => host.as_bytes(),
        (None, None) => {
            bound = crate::sockets::bracketed(socket.address.ip());
            bound.as_bytes()
        }
    };
    out.extend_from_slice(host);
    let port = port.or(match &socket.advertise {
        Some((_, port)) => *port,
        None => Some(socket.address.port()).filter(|port| *port != crate::sockets::DEFAULT_PORT),
    });
    if let Some(port) = port {
        out.extend_from_slice(format!(":{port}").as_bytes());
    }
}

fn write_socket(node: &Node, plan: &Plan, index: u16, is_double: bool, parameters: &[u8], out: &mut Vec<u8>) {
    let state = &node.states.rr;
    start(plan, out);
    write_address(node, plan, index, out);
    if let Some(socket) = node.sockets.at(index) {
        write_transport(socket.protocol, out);
        if let (true, Some(name)) = (state.with_socket_name, &socket.name) {
            out.extend_from_slice(b";sn=");
            out.extend_from_slice(name.as_bytes());
        }
    }
    if is_double {
        out.extend_from_slice(b";r2=on");
    }
    out.extend_from_slice(if state.full_loose_parameter { b";lr=on" } else { b";lr" });
    write_tag(plan, out);
    out.extend_from_slice(parameters);
    out.extend_from_slice(&plan.added);
    out.extend_from_slice(b">\r\n");
}

fn write_preset(plan: &Plan, address: &[u8], out: &mut Vec<u8>) {
    start(plan, out);
    out.extend_from_slice(address);
    write_tag(plan, out);
    out.extend_from_slice(&plan.added);
    out.extend_from_slice(b";lr>\r\n");
}

/// The protocols a request arrived and leaves with.
fn protocols(node: &Node, plan: &Plan, received_on: u16, sent_from: u16) -> (Option<Protocol>, Option<Protocol>) {
    let of = |index: u16| node.sockets.at(index).map(|socket| socket.protocol);
    (plan.received.or_else(|| of(received_on)), of(sent_from))
}

fn has_two_advertised(node: &Node, plan: &Plan, received_on: u16, sent_from: u16) -> bool {
    let (received, sent) = protocols(node, plan, received_on, sent_from);
    match node.states.rr.double_record {
        DoubleRecord::Never => false,
        DoubleRecord::Always => true,
        DoubleRecord::OnDifference => received != sent,
    }
}

fn write_advertised(node: &Node, plan: &Plan, address: &[u8], received_on: u16, sent_from: u16, out: &mut Vec<u8>) {
    let state = &node.states.rr;
    let (received, sent) = protocols(node, plan, received_on, sent_from);
    let has_two = has_two_advertised(node, plan, received_on, sent_from);
    let is_marked = has_two || is_double(node, received_on, sent_from);
    let mut write = |protocol: Option<Protocol>| {
        start(plan, out);
        out.extend_from_slice(address);
        if let (true, Some(protocol)) = (has_two, protocol) {
            write_transport(protocol, out);
        }
        if is_marked {
            out.extend_from_slice(b";r2=on");
        }
        write_tag(plan, out);
        out.extend_from_slice(if state.full_loose_parameter { b";lr=on" } else { b";lr" });
        out.extend_from_slice(&plan.added);
        out.extend_from_slice(b">\r\n");
    };
    if has_two {
        write(sent);
    }
    write(received);
}
