//! What every integration test shares: a running proxy of its own, temporary folders, free ports, waiting with deadlines.
#![allow(dead_code)]

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

pub mod sip;

/// Longest wait for anything that should happen.
pub const PATIENCE: Duration = Duration::from_secs(10);

static NUMBER: AtomicU32 = AtomicU32::new(0);

/// A folder that is removed at the end of the test.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new() -> Folder {
        let name = format!("duolog-test-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Folder(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A port nobody uses and nobody else is given while this process lives.
pub fn free_port() -> u16 {
    loopback_ports::free_port().unwrap()
}

/// Tries until something is there; the panic names what was missing.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited too long for {what}");
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// Is the program installed? If not, a note is printed and the test ends early.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !found {
        println!("skipped: {program} is not installed");
    }
    found
}

/// A command that runs the proxy under test.
pub fn duolog() -> Command {
    // An extended server brings its own binary.
    let binary = option_env!("CARGO_BIN_EXE_duolog").or(option_env!("CARGO_BIN_EXE_talk-minutes"));
    let mut command = Command::new(binary.unwrap());
    command.stdin(Stdio::null()).env_remove("NOTIFY_SOCKET");
    command
}

/// Runs a command that must end by itself.
pub fn finish(command: &mut Command) -> Output {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut outputs = [child.stdout.take().map(reader), child.stderr.take().map(reader)];
    let status = ended(&mut child);
    let mut texts = outputs.iter_mut().map(|output| output.take().and_then(|thread| thread.join().ok()).unwrap_or_default());
    let (stdout, stderr) = (texts.next().unwrap_or_default(), texts.next().unwrap_or_default());
    drop(texts);
    match status {
        Some(status) => Output { status, stdout, stderr },
        None => panic!("{command:?} did not end: {}", String::from_utf8_lossy(&stderr)),
    }
}

fn reader(mut pipe: impl Read + Send + 'static) -> std::thread::JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

fn ended(child: &mut Child) -> Option<ExitStatus> {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    let _ = child.kill();
    let _ = child.wait();
    None
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A proxy that runs until the test ends.
pub struct Server {
    pub child: Child,
    pub folder: Folder,
    pub port: u16,
    /// BINRPC stream socket.
    pub control: PathBuf,
}

/// Lines every configuration of these tests begins with; `listen` lines come from [`Server::start`].
const HEAD: &str = "debug = 1\nlog_stderror = yes\nchildren = 2\nauto_aliases = no\n";

/// All modules of this version.
pub const MODULES: &str = "tm tmx sl rr pv maxfwd textops textopsx siputils sanity xlog kex corex cfgutils statistics counters \
                           htable dialog ctl cfg_rpc jsonrpcs";

/// A routing block as operators write it: checks, loose routing, stateful relay to the request URI.
pub const RELAY: &str = r#"
request_route {
	if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
	if (!sanity_check()) { exit; }
	if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
	if (has_totag()) {
		if (loose_route()) { t_relay(); exit; }
		if (is_method("ACK")) { if (t_check_trans()) { t_relay(); } exit; }
		sl_send_reply("404", "Not Here");
		exit;
	}
	t_check_trans();
	if (is_method("OPTIONS") && uri == myself) { sl_send_reply("200", "Alive"); exit; }
	if (is_method("INVITE")) { dlg_manage(); record_route(); }
	if (!t_relay()) { sl_reply_error(); }
}
"#;

impl Server {
    /// Starts the relay with further parameters, on UDP and TCP of a free port.
    pub fn relay(more: &str) -> Server {
        Server::with(more, RELAY)
    }

    /// Starts with all modules, `more` before `routes`. `FOLDER` and `PORT` in both stand for the test's own.
    pub fn with(more: &str, routes: &str) -> Server {
        let port = free_port();
        Server::start(port, &format!("listen = udp:127.0.0.1:{port}\nlisten = tcp:127.0.0.1:{port}\n"), more, routes, |_| {})
    }

    pub fn start(port: u16, listen: &str, more: &str, routes: &str, change: impl FnOnce(&mut Command)) -> Server {
        let folder = Folder::new();
        let configuration = configuration(&folder, port, listen, more, routes);
        let file = folder.write("proxy.cfg", &configuration);
        let log = fs::File::create(folder.path("log")).unwrap();
        let mut command = duolog();
        command.arg("-f").arg(&file).args(["-DD", "-E", "-P"]).arg(folder.path("pid")).arg("-Y").arg(&folder.0);
        command.stdout(log.try_clone().unwrap()).stderr(log);
        change(&mut command);
        let child = command.spawn().unwrap();
        let control = folder.path("ctl");
        let mut server = Server { child, folder, port, control };
        server.await_ready();
        server
    }

    fn await_ready(&mut self) {
        let end = Instant::now() + PATIENCE;
        loop {
            // The pid file stands before the control sockets; the last door opened is the proof.
            if self.control.exists() && self.ask_json("core.uptime", "[]").is_some() {
                return;
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("the proxy ended with {status}:\n{}", self.log());
            }
            assert!(Instant::now() < end, "the proxy is not ready:\n{}", self.log());
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }

    pub fn log(&self) -> String {
        text(&fs::read(self.folder.path("log")).unwrap_or_default())
    }

    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Asks over the JSON datagram socket; None: nobody answered.
    pub fn ask_json(&self, method: &str, parameters: &str) -> Option<String> {
        let request = format!("{{\"jsonrpc\":\"2.0\",\"method\":\"{method}\",\"params\":{parameters},\"id\":1}}");
        self.exchange_datagram("rpc.sock", request.as_bytes())
    }

    /// One datagram to a unix socket of the proxy and what comes back. A busy machine may take its time.
    pub fn exchange_datagram(&self, socket: &str, request: &[u8]) -> Option<String> {
        let own = self.folder.path(&format!("client{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        let client = std::os::unix::net::UnixDatagram::bind(&own).ok()?;
        client.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
        let sent = client.send_to(request, self.folder.path(socket));
        let mut buffer = vec![0; 100_000];
        let answer = sent.ok().and_then(|_| client.recv(&mut buffer).ok());
        let _ = fs::remove_file(own);
        Some(text(buffer.get(..answer?)?))
    }

    /// The proxy lives and answers a command: the check after each attack.
    pub fn assert_serves(&mut self, after: &str) {
        assert!(self.is_alive(), "the proxy died after {after}:\n{}", self.log());
        let answer = self.ask_json("core.uptime", "[]");
        assert!(answer.as_deref().is_some_and(|answer| answer.contains("up_since")), "after {after}: {answer:?}\n{}", self.log());
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill").args([name, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }

    /// SIGTERM, then the exit status and how long the end took.
    pub fn stop(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        self.signal("-TERM");
        let status = ended(&mut self.child)
            .unwrap_or_else(|| panic!("no end after SIGTERM:\n{}", text(&fs::read(self.folder.path("log")).unwrap_or_default())));
        (status, began.elapsed())
    }

    /// Resident memory, kilobytes.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    }

    /// What `kamcmd` prints, through one of the proxy's doors.
    pub fn kamcmd(&self, door: &str, words: &[&str]) -> Output {
        finish(Command::new("kamcmd").args(["-s", door]).args(words))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("log of the proxy:\n{}", self.log());
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The text of a configuration with all modules and control sockets in the folder.
pub fn configuration(folder: &Folder, port: u16, listen: &str, more: &str, routes: &str) -> String {
    let mut out = format!("{HEAD}{listen}");
    for module in MODULES.split_whitespace() {
        out.push_str(&format!("loadmodule \"{module}.so\"\n"));
    }
    out.push_str("modparam(\"ctl\", \"binrpc\", \"unixs:FOLDER/ctl\")\nmodparam(\"jsonrpcs\", \"dgram_socket\", \"FOLDER/rpc.sock\")\n");
    out.push_str("modparam(\"jsonrpcs\", \"fifo_name\", \"FOLDER/rpc.fifo\")\nmodparam(\"jsonrpcs\", \"transport\", 6)\n");
    out.push_str(more);
    out.push('\n');
    out.push_str(routes);
    out.replace("FOLDER", &path_text(&folder.0)).replace("PORT", &port.to_string())
}

pub fn path_text(path: &Path) -> String {
    path.display().to_string()
}
