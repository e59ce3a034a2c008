//! Runs RPC commands on a worker of their own and opens the control sockets that the configuration asks for.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use control::{Caller, Outcome};
use control::address::{self, ControlAddress};
use control::listener::{Listeners, Speech};
use modules::Worker;
use modules::rpc::{Fault, Parameters, Reply};

use crate::shell::Shell;

/// The caller behind every control socket: commands run one after the other.
pub struct ControlRoom {
    shell: Arc<Shell>,
    worker: Mutex<Worker>,
}

impl ControlRoom {
    /// `number`: that of its worker, after those of the other threads.
    pub fn new(shell: Arc<Shell>, number: u32, seed: u64) -> ControlRoom {
        let now = shell.clock.now();
        let worker = Mutex::new(shell.proxy.worker(number, seed, now));
        ControlRoom { shell, worker }
    }
}

impl Caller for ControlRoom {
    fn call(&self, name: &str, parameters: &mut Parameters) -> Outcome<Result<Reply, Fault>> {
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        let (total, used) = memory();
        self.shell.proxy.node.states.core.memory.set(total, used);
        parameters.may_wait = self.shell.waiting.has_room();
        let answer = self.shell.proxy.call(&mut worker, self.shell.clock.now(), name, parameters);
        // Before anything leaves: the answer may be back at once, on another thread.
        let awaited = answer.as_ref().ok().and_then(|reply| reply.awaited).map(|ticket| self.shell.waiting.expect(ticket));
        let crew = self.shell.crew.get();
        self.shell.carry_out(&mut worker, &mut |socket, destination, bytes| {
            if let Some(socket) = crew.and_then(|crew| crew.sockets().get(socket)) {
                let _ = socket.send_to(bytes, destination);
            }
        });
        if let Some(crew) = crew {
            crew.wake();
        }
        match awaited {
            None => Outcome::Done(answer),
            Some(awaited) => Outcome::Waiting(Box::new(move || awaited.wait())),
        }
    }

    fn is_array(&self, name: &str) -> Option<bool> {
        self.shell.proxy.commands().iter().find(|command| command.name == name).map(|command| command.is_array)
    }

    fn log(&self, level: i32, text: &str) {
        self.shell.logger.write_braked(0, level, "ctl", text);
    }
}

/// Where control sockets stand when their names are relative.
pub fn run_directory(given: Option<&Path>, shell: &Shell) -> PathBuf {
    given
        .map(Path::to_path_buf)
        .or_else(|| shell.proxy.node.core.run_directory.as_ref().map(PathBuf::from))
        .unwrap_or_else(|| PathBuf::from("/run/kamailio"))
}

/// Opens the sockets of `ctl` and `jsonrpcs`. The error names the socket.
pub fn open(shell: &Shell, caller: &Arc<dyn Caller>, run: &Path) -> Result<Listeners, String> {
    let settings = &shell.proxy.node.settings;
    let mut listeners = Listeners::default();
    if settings.is_loaded("ctl") {
        let mode = u32::try_from(settings.integer("ctl", "mode")).unwrap_or(0o600);
        let may_be_remote = settings.integer("ctl", "allow_remote") != 0;
        let mut addresses: Vec<String> = settings.texts("ctl", "binrpc").iter().map(ToString::to_string).collect();
        if addresses.is_empty() {
            addresses.push("unixs:kamailio_ctl".to_owned());
        }
        for text in addresses {
            let address = address::parse(&text, run, may_be_remote).map_err(|error| error.to_string())?;
            listeners.open(&address, Speech::Binrpc, mode, caller).map_err(|error| format!("control socket {text}: {error}"))?;
        }
    }
    if settings.is_loaded("jsonrpcs") {
        open_json(shell, caller, run, &mut listeners)?;
    }
    Ok(listeners)
}

/// `jsonrpcs`: transport bits 1 HTTP, 2 FIFO, 4 datagram; 0 means all.
fn open_json(shell: &Shell, caller: &Arc<dyn Caller>, run: &Path, listeners: &mut Listeners) -> Result<(), String> {
    let settings = &shell.proxy.node.settings;
    let integer = |name: &str| settings.integer("jsonrpcs", name);
    let text = |name: &str| settings.text("jsonrpcs", name).map(|text| text.to_string()).unwrap_or_default();
    let is_pretty = integer("pretty_format") != 0;
    let transports = match integer("transport") {
        0 => 7,
        bits => bits,
    };
    if transports & 2 != 0 {
        let path = run.join(text("fifo_name"));
        let mode = u32::try_from(integer("fifo_mode")).unwrap_or(0o660);
        let folder = PathBuf::from(text("fifo_reply_dir"));
        listeners.open_fifo(&path, &folder, mode, is_pretty, caller).map_err(|error| format!("FIFO {}: {error}", path.display()))?;
    }
    if transports & 4 != 0 {
        let name = text("dgram_socket");
        let address = match name.strip_prefix("udp:") {
            Some(_) => address::parse(&name, run, false).map_err(|error| error.to_string())?,
            None => ControlAddress::UnixDatagram(run.join(&name)),
        };
        let mode = u32::try_from(integer("dgram_mode")).unwrap_or(0o660);
        listeners.open(&address, Speech::Json { is_pretty }, mode, caller).map_err(|error| format!("datagram socket {name}: {error}"))?;
    }
    let http = text("http_address");
    if !http.is_empty() {
        let address: SocketAddr = http.parse().map_err(|_| format!("jsonrpcs http_address `{http}` is no address:port"))?;
        if !address.ip().is_loopback() {
            return Err(format!("jsonrpcs http_address {address} would be reachable from other machines; use loopback"));
        }
        listeners.open_http(address, is_pretty, caller).map_err(|error| format!("HTTP {address}: {error}"))?;
    }
    Ok(())
}

/// Memory of the machine and of this process, bytes: what `core.shmmem` and the `shmem:` statistics show.
fn memory() -> (u64, u64) {
    let number = |text: &str, name: &str| {
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
    };
    let machine = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let own = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    // Clients read 32-bit numbers.
    (number(&machine, "MemTotal:").min(i32::MAX as u64), number(&own, "VmRSS:").min(i32::MAX as u64))
}
