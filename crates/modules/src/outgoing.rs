//! Writes a request as it leaves on one branch: our Via, Record-Route, Path, edits, marks on the received Via (spec proxy-core 3).

use sip::edit::Edits;
use sip::message::Message;
use sip::serialise::{Received, RequestHead, write_request};
use transaction::{Endpoint, Protocol};

use crate::corex::via::ViaExtension;
use crate::dialog::cseq::{Renumbering, write_mark};
use crate::node::Node;
use crate::rr;
use crate::run::{Run, Target};

/// Everything that shapes one outgoing copy of a request.
pub struct Outgoing<'a> {
    pub message: &'a Message,
    /// Edits of the request, then those of the branch.
    pub edits: &'a [&'a Edits],
    pub uri: &'a [u8],
    pub path: Option<&'a [u8]>,
    pub record_route: &'a rr::Plan,
    /// Where the request came from; None when it was made here.
    pub source: Option<Endpoint>,
    pub to: Endpoint,
    /// Whole branch value, with the cookie.
    pub branch: &'a [u8],
    pub force_rport: bool,
    pub local_rport: bool,
    pub advertised: (Option<&'a [u8]>, Option<u16>),
    /// What the script adds to our Via.
    pub via: Option<&'a ViaExtension>,
    /// The CSeq numbers it leaves with; None: those it came with.
    pub renumbering: Option<Renumbering>,
}

impl<'a> Outgoing<'a> {
    /// The copy of a run's request for a target.
    pub fn of_run(run: &'a Run, target: &'a Target, edits: &'a [&'a Edits], to: Endpoint, branch: &'a [u8]) -> Outgoing<'a> {
        Outgoing {
            message: &run.message,
            edits,
            uri: target.uri.as_deref().unwrap_or_else(|| run.message.request_uri()),
            path: target.path.as_deref(),
            record_route: &run.rr.plan,
            source: Some(run.source),
            to,
            branch,
            force_rport: run.force_rport,
            local_rport: run.local_rport,
            advertised: (run.advertised_address.as_deref(), run.advertised_port),
            via: None,
            renumbering: None,
        }
    }

    /// Appends the bytes to `out`. `scratch` is memory to reuse.
    pub fn write(&self, node: &Node, out: &mut Vec<u8>, scratch: &mut Scratch) {
        scratch.via.clear();
        scratch.record_route.clear();
        scratch.route.clear();
        let renumbered = self.renumbering.and_then(|numbers| numbers.edits(self.message, self.edits));
        self.write_via(node, renumbered.is_some(), &mut scratch.via);
        if let Some(source) = self.source {
            rr::render(node, self.record_route, source.socket, self.to.socket, &mut scratch.record_route);
        }
        if let Some(path) = self.path.filter(|path| !path.is_empty()) {
            scratch.route.extend_from_slice(b"Route: ");
            scratch.route.extend_from_slice(path);
            scratch.route.extend_from_slice(b"\r\n");
        }
        let head = RequestHead {
            method: None,
            uri: self.uri,
            before_headers: &scratch.record_route,
            via: &scratch.via,
            route_first: &scratch.route,
            top_via_received: self
                .source
                .map(|source| Received { source: source.address, force_rport: self.force_rport || node.core.forces_rport() }),
        };
        let is_stream = self.to.protocol != Protocol::Udp;
        match &renumbered {
            None => write_request(out, self.message, self.edits, &head, is_stream),
            Some(numbers) => {
                let lists: Vec<&Edits> = self.edits.iter().copied().chain([numbers]).collect();
                write_request(out, self.message, &lists, &head, is_stream);
            }
        }
    }

    fn write_via(&self, node: &Node, is_renumbered: bool, via: &mut Vec<u8>) {
        via.extend_from_slice(b"Via: SIP/2.0/");
        via.extend_from_slice(self.to.protocol.name().as_bytes());
        via.push(b' ');
        let advertised = match self.via {
            Some(own) => (own.host.as_deref().or(self.advertised.0), own.port.or(self.advertised.1)),
            None => self.advertised,
        };
        write_sent_by(node, self.to.socket, advertised, via);
        via.extend_from_slice(b";branch=");
        via.extend_from_slice(self.branch);
        if is_renumbered {
            write_mark(via, self.message);
        }
        if let Some(connection) = self.source.filter(|source| source.protocol != Protocol::Udp).map(|source| source.connection) {
            via.extend_from_slice(b";i=");
            write_reversed_hex(connection, via);
        }
        if self.local_rport || node.core.local_rport {
            via.extend_from_slice(b";rport");
        }
        if let Some(own) = self.via {
            via.extend_from_slice(&own.parameters);
        }
        via.extend_from_slice(b"\r\n");
    }
}

/// Memory for the lines a request gets, reused between requests.
#[derive(Debug, Default)]
pub struct Scratch {
    via: Vec<u8>,
    record_route: Vec<u8>,
    route: Vec<u8>,
}

/// Host and port as Via shows them: per message, then global, then the socket's own (spec proxy-core 2.3).
pub fn write_sent_by(node: &Node, socket: u16, advertised: (Option<&[u8]>, Option<u16>), out: &mut Vec<u8>) {
    let Some(socket) = node.sockets.at(socket) else { return };
    let host = advertised.0.or(node.core.advertised_address.as_deref().map(str::as_bytes));
    let port = advertised.1.or(node.core.advertised_port);
    if host.is_none() && port.is_none() {
        out.extend_from_slice(&socket.sent_by);
        return;
    }
    match host {
        Some(host) => out.extend_from_slice(host),
        None => out.extend_from_slice(crate::sockets::bracketed(socket.address.ip()).as_bytes()),
    }
    if let Some(port) = port.or(Some(socket.address.port()).filter(|port| *port != crate::sockets::DEFAULT_PORT)) {
        out.extend_from_slice(format!(":{port}").as_bytes());
    }
}

/// Hexadecimal with the least significant digit first, no padding (spec proxy-core 3.1).
pub fn write_reversed_hex(mut number: u64, out: &mut Vec<u8>) {
    loop {
        let digit = (number & 0xf) as u8;
        out.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
        number >>= 4;
        if number == 0 {
            return;
        }
    }
}
