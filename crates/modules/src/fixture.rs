//! A worker on a small configuration, for tests of modules: message in, main route, what would leave.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use script::load::LoadOptions;
use script::source::Files;
use script::syntax::ast::RouteKind;
use sip::message::Message;
use sip::serialise::{RequestHead, write_request};
use sip::time::{Date, Now, Time};
use transaction::{Endpoint, Protocol, SecretKey, Table};

use crate::core_settings::CoreSettings;
use crate::node::{Node, Process, States};
use crate::outbox::Effect;
use crate::registry::{Known, Loaded};
use crate::settings::Settings;
use crate::sockets::{Socket, Sockets};
use crate::worker::Worker;

struct OneFile(Vec<u8>);

impl Files for OneFile {
    fn read(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.clone())
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A worker of a proxy on UDP 127.0.0.1:5060 (socket 0), UDP 127.0.0.1:5070 (1) and TCP 127.0.0.1:5060 (2).
pub(crate) fn worker(configuration: &str) -> Worker {
    let mut files = OneFile(configuration.as_bytes().to_vec());
    let loaded_file =
        script::load::load("test.cfg", &mut files, &LoadOptions::default(), &Known).unwrap_or_else(|failure| panic!("{failure}"));
    let configuration = loaded_file.configuration;
    let names: Vec<String> = configuration.modules.iter().map(|module| module.name.clone()).collect();
    let loaded = Loaded::new(&names);
    let compiled = script::compile::compile(&configuration, &loaded_file.sources, Arc::new(loaded.clone()));
    let program = match compiled {
        Ok(compiled) => compiled.program,
        Err(errors) => panic!("{}", script::diagnostic::render_all(&errors, &loaded_file.sources)),
    };
    let settings = Settings::new(names, &configuration.module_parameters);
    let core = CoreSettings::new(&configuration.parameters);
    let now = Now { time: Time(1_000), date: Date(1_289_690_940_000) };
    let process = Process { secret: [7; 32], ..Process::default() };
    let states = States::start(&settings, &program).expect("the modules start");
    let dialogs = crate::dialog::engine(&settings, core.server_id, &process, now).expect("a dialog engine");
    let socket = |protocol, text: &str| Socket::new(protocol, address(text), None, None);
    let sockets = Sockets {
        list: vec![
            socket(Protocol::Udp, "127.0.0.1:5060"),
            socket(Protocol::Udp, "127.0.0.1:5070"),
            socket(Protocol::Tcp, "127.0.0.1:5060"),
        ],
        aliases: Vec::new(),
    };
    let node = Node {
        program,
        core,
        settings,
        loaded,
        sockets,
        transactions: Table::new(SecretKey(1, 2), 4, now.time),
        dialogs,
        custom: Mutex::new(Vec::new()),
        defines: Vec::new(),
        environment: BTreeMap::new(),
        process,
        states,
    };
    Worker::new(Arc::new(node), 0, 1, now)
}

/// Puts a message in front of the worker, as received from 192.0.2.1:5090 on socket 0.
pub(crate) fn receive(worker: &mut Worker, text: &str) {
    let bytes = text.replace('\n', "\r\n");
    worker.run.clear();
    worker.run.message = Message::from_bytes(bytes.as_bytes()).expect("a message");
    worker.run.source = Endpoint::udp(address("192.0.2.1:5090"), 0);
}

/// Receives a message and runs the main route on it; its final `$rc` is the answer.
pub(crate) fn run(worker: &mut Worker, text: &str) -> i64 {
    receive(worker, text);
    worker.run_route(RouteKind::Request, "").expect("a main route");
    worker.run.return_code
}

/// The request with its edits and its current URI, without a Via of ours; line ends are LF.
pub(crate) fn edited(worker: &Worker) -> String {
    let mut out = Vec::new();
    let run = &worker.run;
    let head = RequestHead { uri: run.request_uri(), ..RequestHead::default() };
    write_request(&mut out, &run.message, &[&run.edits], &head, false);
    String::from_utf8_lossy(&out).replace("\r\n", "\n")
}

/// What was sent by UDP, each with its destination; line ends are LF. The outbox is emptied.
pub(crate) fn sent(worker: &mut Worker) -> Vec<(SocketAddr, String)> {
    let bytes = &worker.outbox.bytes;
    let sends = worker.outbox.effects.iter().filter_map(|effect| match effect {
        Effect::Send { destination, bytes: range, .. } => {
            Some((*destination, String::from_utf8_lossy(bytes.get(range.clone())?).replace("\r\n", "\n")))
        }
        _ => None,
    });
    let sends = sends.collect();
    worker.outbox.clear();
    sends
}

/// An INVITE inside a dialog, with these header lines added.
pub(crate) fn request(method: &str, uri: &str, to_tag: &str, headers: &str) -> String {
    let to_tag = if to_tag.is_empty() { String::new() } else { format!(";tag={to_tag}") };
    format!(
        "{method} {uri} SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.1:5090;branch=z9hG4bKabc\n{headers}From: <sip:alice@example.com>;tag=ft1\nTo: <sip:bob@example.com>{to_tag}\nCall-ID: call1\nCSeq: 1 {method}\nContent-Length: 0\n\n"
    )
}
