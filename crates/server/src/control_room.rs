//! Runs RPC commands on a worker of their own and opens the control sockets that the configuration asks for.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use control::address::{self, ControlAddress};
use control::connections::OpenConnections;
use control::listener::{Access, DatagramService, Listeners, Speech};
use control::{Caller, Outcome};
use modules::Worker;
use modules::rpc::{Fault, Parameters, Reply, Wire};
use modules::settings::Settings;
use transport::outbox::{Datagrams, Outbox};

use crate::privileges;
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

    /// A long answer takes a seat and is made with pauses.
    fn seated(&self, reply: Reply) -> Result<Reply, Fault> {
        match reply.listing {
            Some(listing) => self.shell.listings.paced(listing).map(Reply::listing),
            None => Ok(reply),
        }
    }
}

impl Caller for ControlRoom {
    fn call(&self, name: &str, parameters: &mut Parameters) -> Outcome<Result<Reply, Fault>> {
        // The sockets are open before the databases: tables would not be loaded yet.
        self.shell.queries.wait();
        // Given back before a long answer is written.
        let mut worker = self.worker.lock().unwrap_or_else(PoisonError::into_inner);
        if self.shell.is_stopping.load(Ordering::Acquire) {
            // The last changes are being stored; one more would be lost.
            return Outcome::Done(Err(Fault::new(503, "the proxy is stopping")));
        }
        let (total, used) = memory();
        self.shell.proxy.node.states.core.memory.set(total, used);
        parameters.may_wait = self.shell.waiting.has_room();
        parameters.converts = parameters.wire == Wire::Binrpc && self.shell.proxy.node.settings.integer("ctl", "autoconversion") != 0;
        let answer = self.shell.proxy.call(&mut worker, self.shell.clock.now(), name, parameters);
        // Before anything leaves: the answer may be back at once, on another thread.
        let awaited = answer.as_ref().ok().and_then(|reply| reply.awaited).map(|ticket| self.shell.waiting.expect(ticket));
        if let Some(crew) = self.shell.crew.get() {
            let sockets = crew.sockets();
            let mut outbox = Outbox::new(sockets.len());
            let mut datagrams = Datagrams::new(&mut outbox, sockets);
            self.shell.carry_out(&mut worker, &mut datagrams);
            datagrams.flush();
            crew.wake();
        }
        match awaited {
            None => Outcome::Done(answer.and_then(|reply| self.seated(reply))),
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
pub fn open(shell: &Shell, caller: &Arc<dyn Caller>, run: &Path, connections: OpenConnections) -> Result<Listeners, String> {
    let settings = &shell.proxy.node.settings;
    let mut listeners = Listeners::new(connections);
    if settings.is_loaded("ctl") {
        let access = access(settings, "ctl", ["user", "group", "mode"], 0o600)?;
        let speech = Speech::Binrpc { body_bytes_max: binrpc_body_bytes_max(settings) };
        let may_be_remote = settings.integer("ctl", "allow_remote") != 0;
        let mut addresses: Vec<String> = settings.texts("ctl", "binrpc").iter().map(ToString::to_string).collect();
        if addresses.is_empty() {
            addresses.push("unixs:kamailio_ctl".to_owned());
        }
        for text in addresses {
            let address = address::parse(&text, run, may_be_remote).map_err(|error| error.to_string())?;
            let opened = listeners.open(&address, speech, access, DatagramService::default(), caller);
            opened.map_err(|error| format!("control socket {text}: {error}"))?;
        }
    }
    if settings.is_loaded("jsonrpcs") {
        open_json(shell, caller, run, &mut listeners)?;
    }
    Ok(listeners)
}

/// `binrpc_max_body_size` in kilobytes, when it is set; the default of the original would cut long lists.
fn binrpc_body_bytes_max(settings: &Settings) -> usize {
    if !settings.is_set("ctl", "binrpc_max_body_size") {
        return usize::MAX;
    }
    usize::try_from(settings.integer("ctl", "binrpc_max_body_size")).map_or(usize::MAX, |kilobytes| kilobytes.saturating_mul(1024))
}

/// Owner and permissions of a socket: names of the parameters for user, group and mode.
fn access(settings: &Settings, module: &str, names: [&str; 3], mode: u32) -> Result<Access, String> {
    let [user, group, mode_name] = names;
    let text = |name: &str| settings.text(module, name).map(|text| text.to_string()).filter(|text| !text.is_empty());
    let (user_text, group_text) = (text(user), text(group));
    let identity = privileges::identity(user_text.as_deref(), group_text.as_deref())
        .map_err(|error| format!("modparam(\"{module}\", \"{user}\" or \"{group}\"): {error}"))?;
    let mode = u32::try_from(settings.integer(module, mode_name)).unwrap_or(mode);
    // The group of the user counts only when it is asked for.
    Ok(Access { mode, user: identity.user, group: identity.group.filter(|_| group_text.is_some()) })
}

/// Is JSON-RPC over HTTP served on the SIP ports? Any user of this machine reaches those, whatever the permissions of the
/// other doors, so it has to be asked for.
pub fn speaks_http(settings: &Settings) -> bool {
    let transports = settings.integer("jsonrpcs", "transport");
    settings.is_loaded("jsonrpcs") && (transports == 0 || transports & TRANSPORT_HTTP != 0)
}

/// Bits of the parameter `transport` of `jsonrpcs`; 0 means all.
pub const TRANSPORT_HTTP: i64 = 1;
pub const TRANSPORT_FIFO: i64 = 2;
pub const TRANSPORT_DATAGRAM: i64 = 4;
pub const TRANSPORT_TCP: i64 = 8;

/// The doors of `jsonrpcs`.
fn open_json(shell: &Shell, caller: &Arc<dyn Caller>, run: &Path, listeners: &mut Listeners) -> Result<(), String> {
    let settings = &shell.proxy.node.settings;
    let integer = |name: &str| settings.integer("jsonrpcs", name);
    let text = |name: &str| settings.text("jsonrpcs", name).map(|text| text.to_string()).unwrap_or_default();
    let is_pretty = integer("pretty_format") != 0;
    let speech = Speech::Json { is_pretty };
    let transports = match integer("transport") {
        0 => i64::MAX,
        bits => bits,
    };
    let socket_access = access(settings, "jsonrpcs", ["dgram_user", "dgram_group", "dgram_mode"], 0o660)?;
    let service = DatagramService {
        workers: usize::try_from(integer("dgram_workers")).unwrap_or(1),
        timeout: Duration::from_millis(u64::try_from(integer("dgram_timeout")).unwrap_or(0).max(1)),
    };
    if transports & TRANSPORT_FIFO != 0 {
        let path = run.join(text("fifo_name"));
        let access = access(settings, "jsonrpcs", ["fifo_user", "fifo_group", "fifo_mode"], 0o660)?;
        let folder = PathBuf::from(text("fifo_reply_dir"));
        listeners.open_fifo(&path, &folder, access, is_pretty, caller).map_err(|error| format!("FIFO {}: {error}", path.display()))?;
    }
    if transports & TRANSPORT_DATAGRAM != 0 {
        let name = text("dgram_socket");
        let address = match name.strip_prefix("udp:") {
            Some(_) => address::parse(&name, run, false).map_err(|error| error.to_string())?,
            None => ControlAddress::UnixDatagram(run.join(&name)),
        };
        let opened = listeners.open(&address, speech, socket_access, service, caller);
        opened.map_err(|error| format!("datagram socket {name}: {error}"))?;
    }
    let stream = text("tcp_socket");
    if transports & TRANSPORT_TCP != 0 && !stream.is_empty() {
        let ControlAddress::Tcp(address) = address::parse(&stream, run, false).map_err(|error| error.to_string())? else {
            return Err(format!("jsonrpcs tcp_socket `{stream}` is no tcp:address:port"));
        };
        let opened = listeners.open(&ControlAddress::Tcp(address), speech, socket_access, service, caller);
        opened.map_err(|error| format!("jsonrpcs tcp_socket {stream}: {error}"))?;
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
