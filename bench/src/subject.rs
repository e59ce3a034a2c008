//! The process under load: `duolog` from this build or the installed `kamailio`, on a free port of loopback.

use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::measure;

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

/// A running subject; ended by its id when dropped.
pub struct Subject {
    child: Child,
    folder: PathBuf,
    pub address: String,
    /// Where the callee listens.
    pub gateway: String,
    /// Where JSON-RPC over HTTP is served, if at all.
    pub http: String,
}

fn free_port() -> Result<u16, String> {
    let socket = UdpSocket::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
    Ok(socket.local_addr().map_err(|error| error.to_string())?.port())
}

/// The workspace's folder.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_path_buf).unwrap_or_default()
}

impl Subject {
    /// Starts the subject on `examples/call-limit.cfg` with a limit per account.
    pub fn start(kind: Kind, limit: &str) -> Result<Subject, String> {
        Subject::start_with(kind, limit, None)
    }

    /// The same with JSON-RPC over HTTP.
    pub fn start_with_http(kind: Kind, limit: &str) -> Result<Subject, String> {
        Subject::start_with(kind, limit, Some(free_port()?))
    }

    fn start_with(kind: Kind, limit: &str, http: Option<u16>) -> Result<Subject, String> {
        let (port, gateway_port) = (free_port()?, free_port()?);
        let folder = std::env::temp_dir().join(format!("duolog-bench-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let program = match kind {
            Kind::Kamailio => PathBuf::from("kamailio"),
            Kind::Duolog => std::env::current_exe().map_err(|error| error.to_string())?.with_file_name("duolog"),
        };
        let log = std::fs::File::create(folder.join("log")).map_err(|error| error.to_string())?;
        let errors = log.try_clone().map_err(|error| error.to_string())?;
        let mut command = Command::new(&program);
        command.arg("-f").arg(workspace().join("examples/call-limit.cfg"));
        for define in [
            format!("LISTEN=udp:127.0.0.1:{port}"),
            format!("GATEWAY=\"sip:127.0.0.1:{gateway_port}\""),
            format!("DEFAULT_LIMIT={limit}"),
            "LOG_LEVEL=0".to_owned(),
            format!("CONTROL_SOCKET=\"unixs:{}\"", folder.join("ctl").display()),
        ] {
            command.arg("-A").arg(define);
        }
        command.args(["-DD", "-E", "-w"]).arg(&folder).arg("-Y").arg(&folder).arg("-P").arg(folder.join("pid"));
        let http = http.map(|port| format!("127.0.0.1:{port}")).unwrap_or_default();
        if !http.is_empty() {
            command.arg("--loadmodule=jsonrpcs.so").arg(format!("--modparam=jsonrpcs:http_address:s:{http}"));
        }
        if kind == Kind::Kamailio {
            command.args(["-x", "fm", "-X", "fm", "-m", "512", "-M", "16"]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("cannot start {}: {error} (build it with cargo build --release)", program.display()))?;
        let mut subject =
            Subject { child, folder, address: format!("127.0.0.1:{port}"), gateway: format!("127.0.0.1:{gateway_port}"), http };
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            if subject.rpc(&["core.version"]).is_ok_and(|answer| answer.starts_with(kind.name())) {
                return Ok(subject);
            }
            if let Ok(Some(status)) = subject.child.try_wait() {
                break_with_log(&subject.folder, &format!("{} ended: {status}", kind.name()))?;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        break_with_log(&subject.folder, "no answer to core.version")?;
        Ok(subject)
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
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) / 1024
    }

    /// CPU spent so far.
    pub fn cpu_microseconds(&self) -> u64 {
        measure::cpu_microseconds(self.child.id())
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

fn break_with_log(folder: &Path, reason: &str) -> Result<(), String> {
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    Err(format!("{reason}\n{log}"))
}

impl Drop for Subject {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let end = Instant::now() + Duration::from_secs(6);
        while Instant::now() < end && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
