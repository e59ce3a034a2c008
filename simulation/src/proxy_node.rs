//! One simulated proxy: started from a configuration text, driven through its one door, drained after each input.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use dialog::{DialogView, Notice, Observer, Occurrence};
use modules::Worker;
use modules::node::Process;
use modules::rpc::Parameters;
use modules::sockets::{Socket, Sockets};
use proxy::{Input, Prepared, Proxy};
use script::load::LoadOptions;
use script::source::Files;
use sip::time::{Date, Now, Time};
use transaction::Protocol;

use crate::cutter::Cutter;

/// Unix time at which every world begins, milliseconds.
const DATE_OF_BEGINNING: u64 = 1_800_000_000_000;

/// The time a world shows its proxies. `jumped`: how far the date was set off, milliseconds.
pub fn now_with(milliseconds: u64, jumped: i64) -> Now {
    Now { time: Time(milliseconds), date: Date((DATE_OF_BEGINNING + milliseconds).saturating_add_signed(jumped)) }
}

/// The time of a world whose date never jumped.
pub fn now_at(milliseconds: u64) -> Now {
    now_with(milliseconds, 0)
}

/// How to start a proxy.
#[derive(Clone, Debug)]
pub struct Start {
    pub address: SocketAddr,
    pub configuration: &'static str,
    /// `NAME=value` and `NAME`.
    pub defines: Vec<String>,
    /// `module:name:type:value`.
    pub parameters: Vec<String>,
    pub seed: u64,
    pub workers: u32,
}

/// A proxy with its workers and what its dialogs reported.
pub struct ProxyNode {
    pub address: SocketAddr,
    pub proxy: Proxy,
    pub workers: Vec<Worker>,
    /// Moment for which the earliest tick is in the heap.
    pub tick_at: Option<u64>,
    /// It crashed and is not back yet.
    pub is_down: bool,
    /// How often it was started: answers to what a former start asked for are nobody's.
    pub starts: u32,
    journal: Arc<Journal>,
}

#[derive(Default)]
struct Journal(Mutex<Vec<(DialogView, Occurrence)>>);

impl Observer for Journal {
    fn on(&self, notice: &Notice<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push((notice.dialog.clone(), notice.occurrence));
    }
}

struct OneFile(&'static str);

impl Files for OneFile {
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        if path == "simulated.cfg" { Ok(self.0.as_bytes().to_vec()) } else { Err(String::from("no such file in the simulation")) }
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }
}

impl ProxyNode {
    /// Compiles the configuration and starts the proxy at time `now`.
    pub fn start(start: &Start, now: Now) -> Result<ProxyNode, String> {
        let options = LoadOptions { defines: start.defines.clone(), module_parameters: start.parameters.clone(), ..LoadOptions::default() };
        let checked = proxy::check("simulated.cfg", &mut OneFile(start.configuration), &options).map_err(|error| error.to_string())?;
        let sockets = [Protocol::Udp, Protocol::Tcp].map(|protocol| Socket::new(protocol, start.address, None, None));
        let sockets = Sockets { list: sockets.into(), ..Sockets::default() };
        let mut random = modules::worker::Random::new(start.seed);
        let mut secret = [0; 32];
        secret.iter_mut().for_each(|byte| *byte = random.next_u64() as u8);
        let process = Process { pid: 100, started: now.date, secret, ..Process::default() };
        let prepared = Prepared { checked, sockets, process, environment: BTreeMap::new() };
        let node = proxy::start(prepared, now).map_err(|error| error.to_string())?;
        let journal = Arc::new(Journal::default());
        node.dialogs.observe(Arc::clone(&journal) as Arc<dyn Observer>);
        node.dialogs.observe(Arc::new(Cutter));
        let proxy = Proxy::new(node);
        let workers = (0..start.workers).map(|number| proxy.worker(number, start.seed ^ (u64::from(number) << 32), now)).collect();
        Ok(ProxyNode { address: start.address, proxy, workers, tick_at: None, is_down: false, starts: 1, journal })
    }

    /// Gives one input to one worker; its outbox holds the effects afterwards.
    pub fn handle(&mut self, worker: usize, now: Now, input: Input<'_>) {
        let count = self.workers.len().max(1);
        if let Some(worker) = self.workers.get_mut(worker % count) {
            self.proxy.handle(worker, now, input);
        }
    }

    /// Runs an RPC command on one worker; a refusal of the command is an answer too.
    pub fn command(&mut self, worker: usize, now: Now, name: &str, mut parameters: Parameters) {
        if let Some(worker) = self.workers.get_mut(worker) {
            let _ = self.proxy.call(worker, now, name, &mut parameters);
        }
    }

    /// What the dialogs reported since the last call.
    pub fn occurrences(&self) -> Vec<(DialogView, Occurrence)> {
        std::mem::take(&mut self.journal.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
