//! SIPp as caller and callee, and what its statistics say.

use std::fmt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::subject::{Subject, workspace};

/// How long the callee may take to open its port.
const CALLEE_PATIENCE: Duration = Duration::from_secs(10);

/// A callee that answers until it is dropped.
pub struct Callee {
    child: Child,
}

fn scenario(name: &str) -> PathBuf {
    workspace().join("bench/scenarios").join(name)
}

impl Callee {
    /// Listens where the subject sends calls.
    pub fn start(subject: &Subject) -> Result<Callee, String> {
        let (host, port) = subject.gateway.split_once(':').ok_or_else(|| format!("no port in {}", subject.gateway))?;
        let number: u16 = port.parse().map_err(|_| format!("no port in {}", subject.gateway))?;
        let child = Command::new("sipp")
            .args(["-sf", &scenario("callee.xml").display().to_string(), "-i", host, "-p", port, "-nostdin", "-l", "200000"])
            .arg(&subject.address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("sipp: {error} (package sip-tester)"))?;
        let callee = Callee { child };
        let end = Instant::now() + CALLEE_PATIENCE;
        while !is_open(number)? {
            if Instant::now() > end {
                return Err(format!("sipp did not open {} (package sip-tester)", subject.gateway));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(callee)
    }
}

/// Whether somebody has this UDP port open: the kernel lists the local address as `ADDRESS:PORT` in hexadecimal digits.
fn is_open(port: u16) -> Result<bool, String> {
    let table = std::fs::read_to_string("/proc/net/udp").map_err(|error| format!("/proc/net/udp: {error}"))?;
    let ending = format!(":{port:04X}");
    Ok(table.lines().filter_map(|line| line.split_whitespace().nth(1)).any(|local| local.ends_with(&ending)))
}

impl Drop for Callee {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What the callers saw.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    pub successful: u32,
    pub failed: u32,
    pub retransmissions: u32,
    /// INVITE to 200.
    pub median_milliseconds: f64,
    pub p99_milliseconds: f64,
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "successful {} failed {} retransmissions {} INVITE-200 p50 {:.2} ms p99 {:.2} ms",
            self.successful, self.failed, self.retransmissions, self.median_milliseconds, self.p99_milliseconds
        )
    }
}

/// `calls` calls at `rate` a second, each held for `hold` milliseconds.
pub fn call(subject: &Subject, calls: u32, rate: u32, hold: u32) -> Result<Outcome, String> {
    Callers::start(subject, calls, rate, hold)?.finish()
}

/// One call that must be refused with 486.
pub fn is_refused(subject: &Subject) -> Result<bool, String> {
    let status = caller(subject, "refused.xml").args(["-m", "1", "-timeout", "10s"]).status();
    Ok(status.map_err(|error| missing(&error))?.success())
}

/// Callers that run.
pub struct Callers {
    child: Child,
    folder: PathBuf,
}

impl Callers {
    /// Starts `calls` calls at `rate` a second, each held for `hold` milliseconds.
    pub fn start(subject: &Subject, calls: u32, rate: u32, hold: u32) -> Result<Callers, String> {
        let folder = std::env::temp_dir().join(format!("duolog-sipp-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        let child = caller(subject, "caller.xml")
            .args(["-m", &calls.to_string(), "-r", &rate.to_string(), "-d", &hold.to_string(), "-l", "200000"])
            .args(["-timeout", &format!("{}s", calls / rate.max(1) + hold / 1000 + 40)])
            .args(["-trace_stat", "-fd", "1", "-stf", &folder.join("statistics.csv").display().to_string()])
            .args(["-trace_rtt", "-rtt_freq", "1000"])
            .current_dir(&folder)
            .spawn()
            .map_err(|error| missing(&error))?;
        Ok(Callers { child, folder })
    }

    /// Waits for the last call. SIPp bounds the time itself; its status only repeats what its statistics say.
    pub fn finish(mut self) -> Result<Outcome, String> {
        let _: ExitStatus = self.child.wait().map_err(|error| error.to_string())?;
        let mut outcome =
            read_statistics(&std::fs::read_to_string(self.folder.join("statistics.csv")).map_err(|error| error.to_string())?)?;
        let mut response_times = read_times(&self.folder);
        response_times.sort_by(f64::total_cmp);
        let at = |part: f64| {
            response_times.get(((response_times.len() as f64) * part) as usize).or(response_times.last()).copied().unwrap_or(0.0)
        };
        outcome.median_milliseconds = at(0.5);
        outcome.p99_milliseconds = at(0.99);
        Ok(outcome)
    }
}

impl Drop for Callers {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// A silent SIPp that calls the subject.
fn caller(subject: &Subject, file: &str) -> Command {
    let mut command = Command::new("sipp");
    command
        .args(["-sf", &scenario(file).display().to_string(), "-i", "127.0.0.1", "-s", "bob", "-nostdin"])
        .arg(&subject.address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn missing(error: &std::io::Error) -> String {
    format!("sipp: {error} (package sip-tester)")
}

/// The last line of SIPp's statistics file, by column name.
fn read_statistics(text: &str) -> Result<Outcome, String> {
    let mut lines = text.lines();
    let names: Vec<&str> = lines.next().ok_or("no statistics from sipp")?.split(';').collect();
    let last: Vec<&str> = lines.next_back().ok_or("no statistics from sipp")?.split(';').collect();
    let column = |name: &str| names.iter().position(|own| *own == name).and_then(|index| last.get(index)?.parse::<u32>().ok()).unwrap_or(0);
    Ok(Outcome {
        successful: column("SuccessfulCall(C)"),
        failed: column("FailedCall(C)"),
        retransmissions: column("Retransmissions(C)"),
        ..Outcome::default()
    })
}

/// Response times of the first timer (INVITE to 200), milliseconds.
fn read_times(folder: &std::path::Path) -> Vec<f64> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let file = entries.flatten().map(|entry| entry.path()).find(|path| path.to_string_lossy().contains("rtt"));
    let text = file.and_then(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let mut parts = line.split(';');
            let (_, time, name) = (parts.next()?, parts.next()?, parts.next()?);
            (name.trim() == "1").then(|| time.trim().parse().ok()).flatten()
        })
        .collect()
}
