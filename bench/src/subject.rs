//! The process under load: `duolog` from this build or the installed `kamailio`, on a free port of loopback.

use std::ffi::OsString;
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::{measure, rpc};

/// Which program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Duolog,
    Kamailio,
}

impl Kind {
    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Duolog => "duolog",
            Kind::Kamailio => "kamailio",
        }
    }
}

/// How long a start may take, and how long transactions may linger after the last call.
const PATIENCE: Duration = Duration::from_secs(15);
/// How much of a log is told with an error.
const LOG_LINES: usize = 30;
/// How long a clean end may take at the end of a run.
const END_MAX: Duration = Duration::from_secs(6);

/// A subject with a folder and a port of its own; ended by its id when dropped.
pub struct Subject {
    kind: Kind,
    child: Option<Child>,
    command: Vec<OsString>,
    /// The cores it may use, as `taskset` wants them; empty: any.
    cores: String,
    folder: PathBuf,
    pub address: String,
    /// Where the callee listens.
    pub gateway: String,
    /// Where JSON-RPC over HTTP is served, if at all.
    pub http: String,
}

/// The workspace's folder.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

/// The `duolog` of this build.
pub fn duolog() -> Result<PathBuf, String> {
    Ok(std::env::current_exe().map_err(|error| error.to_string())?.with_file_name("duolog"))
}

impl Subject {
    /// Starts the subject on `examples/call-limit.cfg` with a limit per account.
    pub fn start(kind: Kind, limit: &str) -> Result<Subject, String> {
        Subject::start_example(kind, limit, None)
    }

    /// The same with JSON-RPC over HTTP.
    pub fn start_with_http(kind: Kind, limit: &str) -> Result<Subject, String> {
        Subject::start_example(kind, limit, Some(loopback_ports::free_port()?))
    }

    fn start_example(kind: Kind, limit: &str, http: Option<u16>) -> Result<Subject, String> {
        let mut subject = Subject::place(kind, "examples/call-limit.cfg", &["-m", "512", "-M", "16"])?;
        subject.define(&format!("DEFAULT_LIMIT={limit}"));
        subject.define("NO_DATABASE");
        subject.http = http.map(|port| format!("127.0.0.1:{port}")).unwrap_or_default();
        if !subject.http.is_empty() {
            subject.command.push("--loadmodule=jsonrpcs.so".into());
            subject.command.push(format!("--modparam=jsonrpcs:http_address:s:{}", subject.http).into());
        }
        subject.launch()?;
        subject.wait_for_rpc()?;
        Ok(subject)
    }

    /// A folder and ports for a subject that is started later, as often as wanted: `configuration` is a file of the workspace.
    /// `memory` is what Kamailio is told about its pools.
    pub fn place(kind: Kind, configuration: &str, memory: &[&str]) -> Result<Subject, String> {
        let (port, gateway_port) = (loopback_ports::free_port()?, loopback_ports::free_port()?);
        let folder = std::env::temp_dir().join(format!("duolog-bench-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let program = match kind {
            Kind::Kamailio => "kamailio".into(),
            Kind::Duolog => duolog()?.into_os_string(),
        };
        let mut subject = Subject {
            kind,
            child: None,
            command: vec![program, "-f".into(), workspace().join(configuration).into()],
            cores: String::new(),
            address: format!("127.0.0.1:{port}"),
            gateway: format!("127.0.0.1:{gateway_port}"),
            http: String::new(),
            folder,
        };
        subject.define(&format!("LISTEN=udp:127.0.0.1:{port}"));
        subject.define(&format!("GATEWAY=\"sip:127.0.0.1:{gateway_port}\""));
        subject.define("LOG_LEVEL=0");
        subject.define(&format!("CONTROL_SOCKET=\"unixs:{}\"", subject.control_path().display()));
        subject.command.extend(["-DD".into(), "-E".into(), "-w".into(), subject.folder.clone().into()]);
        subject.command.extend(["-Y".into(), subject.folder.clone().into(), "-P".into(), subject.folder.join("pid").into()]);
        if kind == Kind::Kamailio {
            subject.command.extend(["-x", "fm", "-X", "fm"].map(OsString::from));
            subject.command.extend(memory.iter().map(OsString::from));
        }
        Ok(subject)
    }

    /// A `#!define` of the configuration: `NAME=VALUE` or `NAME`.
    pub fn define(&mut self, text: &str) {
        self.command.extend(["-A".into(), text.into()]);
    }

    /// Another program than the one that belongs to this bench.
    pub fn be(&mut self, program: &Path) {
        if let Some(own) = self.command.first_mut() {
            *own = program.into();
        }
    }

    /// An option of the command line that both programs know.
    pub fn argument(&mut self, name: &str, value: &str) {
        self.command.extend([name.into(), value.into()]);
    }

    /// The cores that it may use from its next start on, as `taskset -c` wants them.
    pub fn run_on(&mut self, cores: &str) {
        cores.clone_into(&mut self.cores);
    }

    /// Starts the process; what it writes goes behind the log so far. It ends with this process, whatever ends that one.
    pub fn launch(&mut self) -> Result<(), String> {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.join("log")).map_err(|error| error.to_string())?;
        let errors = log.try_clone().map_err(|error| error.to_string())?;
        let mut words: Vec<OsString> = ["setpriv", "--pdeathsig", "TERM"].map(OsString::from).to_vec();
        if !self.cores.is_empty() {
            words.splice(0..0, ["taskset", "-c", &self.cores].map(OsString::from));
        }
        words.extend(self.command.iter().cloned());
        let (program, arguments) = words.split_first().ok_or("no command")?;
        let child = Command::new(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("cannot start {}: {error} (package util-linux)", program.display()))?;
        self.child = Some(child);
        Ok(())
    }

    /// Waits until commands are answered.
    pub fn wait_for_rpc(&mut self) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if self.ask(&["core.version"]).is_ok() {
                return Ok(());
            }
            self.must_run()?;
            std::thread::sleep(Duration::from_millis(2));
        }
        Err(self.with_log("no answer to core.version"))
    }

    /// Waits until an OPTIONS is answered, and tells how long that took.
    pub fn wait_for_sip(&mut self, longest: Duration) -> Result<Duration, String> {
        let told = |error: std::io::Error| format!("OPTIONS: {error}");
        let socket = UdpSocket::bind("127.0.0.1:0").map_err(told)?;
        socket.set_read_timeout(Some(Duration::from_millis(2))).map_err(told)?;
        let own = socket.local_addr().map_err(told)?;
        let begun = Instant::now();
        let mut buffer = [0_u8; 2_048];
        for number in 0_u64.. {
            let text = format!(
                "OPTIONS sip:{} SIP/2.0\r\nVia: SIP/2.0/UDP {own};branch=z9hG4bKprobe{number}\r\nFrom: <sip:probe@{own}>;tag=p\r\n\
                 To: <sip:{}>\r\nCall-ID: probe@{own}\r\nCSeq: {} OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
                self.address,
                self.address,
                number + 1
            );
            socket.send_to(text.as_bytes(), &self.address).map_err(told)?;
            if let Ok((length, _)) = socket.recv_from(&mut buffer)
                && buffer.get(..length).is_some_and(|text| text.starts_with(b"SIP/2.0 200"))
            {
                return Ok(begun.elapsed());
            }
            self.must_run()?;
            if begun.elapsed() > longest {
                break;
            }
        }
        Err(self.with_log(&format!("no answer to OPTIONS in {longest:?}")))
    }

    fn must_run(&mut self) -> Result<(), String> {
        let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
        match ended {
            Some(status) => {
                Err(self.with_log(&format!("{} ended: {status} (duolog is built with cargo build --release)", self.kind.name())))
            }
            None => Ok(()),
        }
    }

    /// Kills every process of the subject at once (SIGKILL) and waits until none is left.
    pub fn kill(&mut self) -> Result<(), String> {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let family = measure::family(child.id());
        let pids: Vec<Pid> = family.iter().filter_map(|id| Pid::from_raw((*id).cast_signed())).collect();
        for pid in &pids {
            let _ = kill_process(*pid, Signal::KILL);
        }
        child.wait().map_err(|error| error.to_string())?;
        let end = Instant::now() + PATIENCE;
        while family.iter().any(|id| measure::is_running(*id)) {
            if Instant::now() > end {
                return Err(format!("{} did not die", self.kind.name()));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }

    /// Ends the subject cleanly (SIGTERM) and waits for it.
    pub fn stop(&mut self, longest: Duration) -> Result<(), String> {
        let Some(child) = &mut self.child else { return Ok(()) };
        if let Some(pid) = Pid::from_raw(child.id().cast_signed()) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let end = Instant::now() + longest;
        while Instant::now() < end {
            if !matches!(child.try_wait(), Ok(None)) {
                self.child = None;
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.kill()?;
        Err(self.with_log(&format!("{} did not end in {longest:?}", self.kind.name())))
    }

    /// A reason with the end of the log behind it.
    pub fn with_log(&self, reason: &str) -> String {
        let log = std::fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines.get(lines.len().saturating_sub(LOG_LINES)..).unwrap_or_default();
        format!("{reason}\n{}", last.join("\n"))
    }

    /// The log so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// The answer to a command.
    pub fn ask(&self, words: &[&str]) -> Result<rpc::Answer, String> {
        rpc::ask(&self.control_path(), words)
    }

    /// The answer of `kamcmd`.
    pub fn rpc(&self, words: &[&str]) -> Result<String, String> {
        let output = Command::new("kamcmd")
            .arg("-s")
            .arg(format!("unixs:{}", self.folder.join("ctl").display()))
            .args(words)
            .output()
            .map_err(|error| format!("kamcmd: {error}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Which program it is.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The BINRPC socket.
    pub fn control_path(&self) -> PathBuf {
        self.folder.join("ctl")
    }

    /// Where files may be put; removed at the end.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Memory in use, megabytes.
    pub fn resident_megabytes(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process())).unwrap_or_default();
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) / 1024
    }

    /// CPU spent so far.
    pub fn cpu_microseconds(&self) -> u64 {
        measure::cpu_microseconds(self.process())
    }

    /// The first process; 0: none runs.
    pub fn process(&self) -> u32 {
        self.child.as_ref().map_or(0, Child::id)
    }

    /// Waits until a profile has this many members.
    pub fn wait_until_size(&self, profile: &str, size: u32) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if self.rpc(&["dlg.profile_get_size", profile])?.trim() == size.to_string() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("profile {profile} did not reach {size} members"))
    }

    /// Waits until no dialog is left.
    pub fn wait_until_idle(&self) -> Result<(), String> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if self.rpc(&["dlg.stats_active"])?.contains("all: 0") {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err("dialogs are left behind".to_owned())
    }
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = self.stop(END_MAX);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
