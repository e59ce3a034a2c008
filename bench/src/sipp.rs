//! SIPp as caller and callee, and what its statistics say.

use std::fmt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use crate::subject::{Subject, workspace};

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
        let (host, port) = subject.gateway.split_once(':').unwrap_or(("127.0.0.1", "5080"));
        let child = Command::new("sipp")
            .args(["-sf", &scenario("callee.xml").display().to_string(), "-i", host, "-p", port, "-nostdin", "-l", "200000"])
            .arg(&subject.address)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("sipp: {error} (package sip-tester)"))?;
        std::thread::sleep(std::time::Duration::from_millis(300));
        Ok(Callee { child })
    }
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
    /// Calls that got an unexpected final reply (486 in the limit test).
    pub refused: u32,
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
    run(subject, calls, rate, hold, "bench")
}

/// All calls within one second.
pub fn call_at_once(subject: &Subject, calls: u32, hold: u32) -> Result<Outcome, String> {
    run(subject, calls, calls * 10, hold, "limit")
}

fn run(subject: &Subject, calls: u32, rate: u32, hold: u32, name: &str) -> Result<Outcome, String> {
    let folder = std::env::temp_dir().join(format!("duolog-sipp-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
    let statistics = folder.join("statistics.csv");
    let times = folder.join("times.csv");
    let messages = folder.join("errors.log");
    let _ = std::fs::remove_file(&statistics);
    let _ = std::fs::remove_file(&times);
    let _ = std::fs::remove_file(&messages);
    let status = Command::new("sipp")
        .args(["-sf", &scenario("caller.xml").display().to_string(), "-i", "127.0.0.1", "-s", "bob", "-nostdin"])
        .args(["-m", &calls.to_string(), "-r", &rate.to_string(), "-d", &hold.to_string(), "-l", "200000"])
        .args(["-timeout", &format!("{}s", calls / rate.max(1) + hold / 1000 + 40)])
        .args(["-trace_stat", "-fd", "1", "-stf", &statistics.display().to_string()])
        .args(["-trace_rtt", "-rtt_freq", "1000"])
        .args(["-trace_err", "-error_file", &messages.display().to_string()])
        .arg(&subject.address)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map_err(|error| format!("sipp: {error} (package sip-tester)"))?;
    let _ = status;
    let mut outcome = read_statistics(&std::fs::read_to_string(&statistics).map_err(|error| error.to_string())?)?;
    outcome.refused = u32::from(std::fs::read_to_string(&messages).unwrap_or_default().contains("SIP/2.0 486"));
    let mut response_times = read_times(&folder);
    response_times.sort_by(f64::total_cmp);
    let at =
        |part: f64| response_times.get(((response_times.len() as f64) * part) as usize).or(response_times.last()).copied().unwrap_or(0.0);
    outcome.median_milliseconds = at(0.5);
    outcome.p99_milliseconds = at(0.99);
    let _ = std::fs::remove_dir_all(&folder);
    Ok(outcome)
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
