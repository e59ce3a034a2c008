//! For tests: a worker that runs a configuration text on one message.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use script::load::LoadOptions;
use script::source::Files;
use script::syntax::ast::RouteKind;
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
    fn read(&mut self, _path: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.clone())
    }

    fn environment(&self, _name: &str) -> Option<String> {
        None
    }
}

/// The request that variables are tried on.
pub(crate) const OPTIONS: &str = "OPTIONS sip:bob:pw@127.0.0.1:5966;transport=udp;foo=bar SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5967;branch=z9hG4bKabc;rport
Via: SIP/2.0/TCP 10.0.0.9;branch=z9hG4bKdef;received=1.1.1.1
From: \"Al Ice\" <sip:alice@ex.com:77>;tag=ft1
To: Bob <sip:bob@ex.org>
Call-ID: cid@x
CSeq: 12 OPTIONS
Max-Forwards: 70
Contact: \"c\" <sip:alice@10.0.0.1>;expires=60, <sip:a2@10.0.0.2>;expires=10
X-A: one, two
X-A: three
User-Agent: UA 1
Record-Route: <sip:1.1.1.1;lr>,<sip:2.2.2.2;lr>
P-Asserted-Identity: \"P\" <sip:pai@ex.com>
P-Preferred-Identity: \"Q\" <sip:ppi@ex.com>
Diversion: <sip:div@ex.com>;reason=busy;privacy=full;counter=3
Proxy-Authorization: Digest username=\"bob@dom\", realm=\"ex.com\", nonce=\"nn\", uri=\"sip:ex.com\", response=\"rr\", algorithm=MD5, cnonce=\"cc\", opaque=\"oo\", qop=auth, nc=00000001
Content-Type: application/sdp
Content-Length: 5

v=0
";

/// Modules that the trials load.
const MODULES: &str = "loadmodule \"pv\"\nloadmodule \"xlog\"\nloadmodule \"kex\"\nloadmodule \"corex\"\nloadmodule \"statistics\"\nloadmodule \"counters\"\nloadmodule \"cfgutils\"\nloadmodule \"cfg_rpc\"\n";

/// 23 November 2026, 00:00:34.091 UTC.
pub(crate) const DATE: u64 = 1_795_392_034_091;

/// A worker of a node with the given configuration level text and main route body.
pub(crate) fn worker(top: &str, body: &str) -> Worker {
    let text = format!("{MODULES}{top}\nrequest_route {{\n{body}\n}}\n");
    let loaded_file = script::load::load("trial.cfg", &mut OneFile(text.into_bytes()), &LoadOptions::default(), &Known)
        .unwrap_or_else(|failure| panic!("{failure}"));
    let configuration = loaded_file.configuration;
    let names: Vec<String> = configuration.modules.iter().map(|module| module.name.clone()).collect();
    let loaded = Loaded::new(&names);
    let compiled = script::compile::compile(&configuration, &loaded_file.sources, Arc::new(loaded.clone()))
        .unwrap_or_else(|errors| panic!("{errors:?}"));
    let settings = Settings::new(names, &configuration.module_parameters);
    let process = Process { pid: 77, started: Date(DATE - 2000), ..Process::default() };
    let now = Now { time: Time(5000), date: Date(DATE) };
    let states = States::start(&settings, &compiled.program).expect("modules start");
    let dialogs = crate::dialog::engine(&settings, 0, &process, now).expect("the dialog module starts");
    let socket = Socket::new(Protocol::Udp, "127.0.0.1:5966".parse().expect("an address"), None, Some("s1".to_owned()));
    let node = Node {
        program: compiled.program,
        core: CoreSettings::new(&configuration.parameters),
        settings,
        loaded,
        sockets: Sockets { list: vec![socket], ..Sockets::default() },
        transactions: Table::new(SecretKey(1, 2), 1, now.time),
        dialogs,
        custom: Mutex::new(configuration.custom_parameters),
        defines: configuration.defines,
        environment: BTreeMap::new(),
        process,
        states,
    };
    let mut worker = Worker::new(Arc::new(node), 0, 1, now);
    receive(&mut worker, OPTIONS);
    worker
}

/// Makes the text (line ends may be bare) the message of the current run.
pub(crate) fn receive(worker: &mut Worker, message: &str) {
    let wire = message.replace("\r\n", "\n").replace('\n', "\r\n");
    worker.run.clear();
    worker.run.message = sip::Message::from_bytes(wire.as_bytes()).expect("the message parses");
    worker.run.message_number = 1;
    worker.run.source =
        Endpoint { protocol: Protocol::Udp, address: "127.0.0.1:5967".parse().expect("an address"), socket: 0, connection: 0 };
}

/// Runs the main route and returns the log lines.
pub(crate) fn run(worker: &mut Worker) -> Vec<String> {
    worker.run_route(RouteKind::Request, "").expect("the route runs");
    logs(worker)
}

/// Takes the log lines away.
pub(crate) fn logs(worker: &mut Worker) -> Vec<String> {
    let lines = worker.outbox.effects.iter().filter_map(|effect| match effect {
        Effect::Log { text, .. } => Some(String::from_utf8_lossy(text).into_owned()),
        _ => None,
    });
    let lines = lines.collect();
    worker.outbox.effects.retain(|effect| !matches!(effect, Effect::Log { .. }));
    lines
}

/// What a format string prints in a fresh run.
pub(crate) fn printed(formats: &[&str]) -> Vec<String> {
    let body: String = formats.iter().map(|format| format!("xlog(\"L_ERR\", \"{format}\");\n")).collect();
    let lines = run(&mut worker("", &body));
    lines.into_iter().map(|line| line.trim_start_matches("<script>: ").to_owned()).collect()
}

/// Calls an RPC command; words that are numbers become integers, as `kamcmd` sends them.
pub(crate) fn call(worker: &mut Worker, name: &str, parameters: &[&str]) -> Result<crate::rpc::Reply, crate::rpc::Fault> {
    let commands = worker.node.loaded.commands();
    let command = commands.iter().find(|command| command.name == name).expect("a command of this name");
    let value = |word: &&str| match word.parse() {
        Ok(number) => crate::rpc::Parameter::Integer(number),
        Err(_) => crate::rpc::Parameter::Text(word.as_bytes().to_vec()),
    };
    let values = parameters.iter().map(value).collect();
    (command.run)(worker, &mut crate::rpc::Parameters::new(crate::rpc::Wire::Binrpc, values))
}
