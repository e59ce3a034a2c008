//! A user agent played by SIPp: a scenario file, its process, its statistics and what it received.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::message::Message;
use crate::normalise::normalise;
use crate::template::fill;

/// How long SIPp may take to open its socket.
const START_PATIENCE: Duration = Duration::from_secs(5);
/// How long all calls of a scenario may take; SIPp itself gives up one second earlier.
const END_PATIENCE: Duration = Duration::from_secs(12);
/// Calls a second unless the step says otherwise.
const RATE: &str = "20";

/// What a `sipp` step asks for.
#[derive(Clone, Debug)]
pub struct Script {
    /// The scenario file, relative to the case.
    pub scenario: String,
    pub calls: String,
    pub rate: String,
    pub transport: Transport,
}

/// What SIPp speaks, and over which address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    Udp,
    Udp6,
    Tcp,
}

impl Transport {
    /// The loopback address agents of this transport live on.
    pub fn host(self) -> &'static str {
        match self {
            Transport::Udp | Transport::Tcp => "127.0.0.1",
            Transport::Udp6 => "[::1]",
        }
    }

    fn option(self) -> &'static str {
        match self {
            Transport::Udp | Transport::Udp6 => "u1",
            Transport::Tcp => "t1",
        }
    }
}

impl Script {
    /// Reads the details of a `sipp` step: `calls: 3`, `rate: 10`, `over: tcp`.
    pub fn read(scenario: &str, details: &[String]) -> Result<Script, String> {
        let mut script = Script { scenario: scenario.to_owned(), calls: "1".to_owned(), rate: RATE.to_owned(), transport: Transport::Udp };
        for detail in details {
            match detail.split_once(": ") {
                Some(("calls", calls)) => script.calls = calls.to_owned(),
                Some(("rate", rate)) => script.rate = rate.to_owned(),
                Some(("over", "udp")) => script.transport = Transport::Udp,
                Some(("over", "udp6")) => script.transport = Transport::Udp6,
                Some(("over", "tcp")) => script.transport = Transport::Tcp,
                _ => return Err(format!("no such detail of a SIPp agent: `{detail}`")),
            }
        }
        Ok(script)
    }
}

/// Is SIPp on the path?
pub fn is_installed() -> bool {
    Command::new("sipp").arg("-v").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// One running SIPp.
pub struct Player {
    name: String,
    child: Child,
    messages: PathBuf,
    statistics: PathBuf,
    errors: PathBuf,
}

impl Player {
    /// Starts SIPp on the address the mark of `name` gives it and waits until its socket is open. `folder` is the subject's.
    pub fn start(
        name: &str,
        case: &Path,
        script: &Script,
        folder: &Path,
        proxy: &str,
        marks: &BTreeMap<String, String>,
    ) -> Result<Player, String> {
        let address = marks.get(&name.to_uppercase()).ok_or("no address for the agent")?;
        let (host, port) = address.rsplit_once(':').ok_or("an address without port")?;
        let source = case.with_file_name("").join(&script.scenario);
        let text = fs::read_to_string(&source).map_err(|error| format!("{}: {error}", source.display()))?;
        let file = |kind: &str| folder.join(format!("{name}-{kind}"));
        let scenario = file("scenario.xml");
        fs::write(&scenario, fill(&text, marks)).map_err(|error| error.to_string())?;
        let calls = case.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let child = Command::new("sipp")
            .arg(proxy)
            .arg("-sf")
            .arg(&scenario)
            .args(["-t", script.transport.option(), "-i", host, "-p", port, "-m", &script.calls, "-r", &script.rate])
            .args(["-cid_str", &format!("{calls}-%u"), "-nostdin", "-timeout_error"])
            .args(["-timeout", &format!("{}s", END_PATIENCE.as_secs() - 1)])
            .arg("-trace_msg")
            .arg("-message_file")
            .arg(file("messages"))
            .args(["-trace_stat", "-fd", "1", "-stf"])
            .arg(file("statistics"))
            .arg("-trace_err")
            .arg("-error_file")
            .arg(file("errors"))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("sipp: {error} (package sip-tester)"))?;
        let mut player =
            Player { name: name.to_owned(), child, messages: file("messages"), statistics: file("statistics"), errors: file("errors") };
        player.wait_until_open(address, script.transport)?;
        Ok(player)
    }

    /// A callee must listen before the first call leaves; a caller that is already done has had its socket. The kernel is
    /// asked: binding the port to find out could take it from SIPp at the wrong moment.
    fn wait_until_open(&mut self, address: &str, transport: Transport) -> Result<(), String> {
        let port = address.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).ok_or("an address without port")?;
        let end = Instant::now() + START_PATIENCE;
        while !is_open(port, transport)? && matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > end {
                return Err(format!("SIPp of {} does not open {address}\n{}", self.name, self.report()));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ok(())
    }

    /// Waits until all calls are over. Unless the details count calls, every call must have been successful.
    /// Answers the received messages for the trace.
    pub fn finish(&mut self, details: &[String], marks: &BTreeMap<String, String>) -> Result<String, String> {
        let end = Instant::now() + END_PATIENCE;
        let status = loop {
            match self.child.try_wait().map_err(|error| error.to_string())? {
                Some(status) => break status,
                None if Instant::now() > end => return Err(format!("SIPp of {} does not end\n{}", self.name, self.report())),
                None => std::thread::sleep(Duration::from_millis(10)),
            }
        };
        let counts = self.counts();
        let mut is_counted = false;
        for detail in details.iter().filter_map(|detail| detail.strip_prefix("= ")) {
            let (name, wanted) = detail.split_once(": ").ok_or_else(|| format!("no such check: `{detail}`"))?;
            let column = match name {
                "successful" => "SuccessfulCall(C)",
                "failed" => "FailedCall(C)",
                "incoming" => "IncomingCall(C)",
                "unexpected" => "FailedUnexpectedMessage(C)",
                _ => return Err(format!("no such count: `{name}`")),
            };
            is_counted = true;
            let found = counts.get(column).map_or("nothing", String::as_str);
            if found != wanted {
                return Err(format!("{} counts {found} calls {name}, expected {wanted}\n{}", self.name, self.report()));
            }
        }
        if !is_counted && !status.success() {
            return Err(format!("SIPp of {} ended with {status}\n{}", self.name, self.report()));
        }
        Ok(self.received(marks))
    }

    /// The last line of the statistics by column.
    fn counts(&self) -> BTreeMap<String, String> {
        let text = fs::read_to_string(&self.statistics).unwrap_or_default();
        let (Some(head), Some(last)) = (text.lines().next(), text.lines().last()) else { return BTreeMap::new() };
        head.split(';').map(str::to_owned).zip(last.split(';').map(str::to_owned)).collect()
    }

    fn report(&self) -> String {
        let errors = fs::read(&self.errors).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
        let last = fs::read(&self.messages).map(|log| received_messages(&log).pop().unwrap_or_default()).unwrap_or_default();
        format!("errors of SIPp:\n{errors}\nreceived last:\n{}", String::from_utf8_lossy(&last))
    }

    /// What came in, call by call, without retransmissions and 100.
    fn received(&self, marks: &BTreeMap<String, String>) -> String {
        let mut calls: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for bytes in received_messages(&fs::read(&self.messages).unwrap_or_default()) {
            let message = Message::parse(&bytes);
            if message.status() == Some(100) {
                continue;
            }
            let text = normalise(&String::from_utf8_lossy(&bytes), marks);
            let call = calls.entry(message.value("Call-ID").unwrap_or_default().to_owned()).or_default();
            if !call.contains(&text) {
                call.push(text);
            }
        }
        let mut trace = String::new();
        for (call, messages) in calls {
            trace.push_str(&format!("--- {} in {call}\n", self.name));
            messages.iter().for_each(|text| trace.push_str(text));
        }
        trace
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Whether somebody has the port open: the kernel lists local addresses as `ADDRESS:PORT` in hexadecimal digits.
fn is_open(port: u16, transport: Transport) -> Result<bool, String> {
    let table = match transport {
        Transport::Udp => "/proc/net/udp",
        Transport::Udp6 => "/proc/net/udp6",
        Transport::Tcp => "/proc/net/tcp",
    };
    let lines = fs::read_to_string(table).map_err(|error| format!("{table}: {error}"))?;
    let ending = format!(":{port:04X}");
    Ok(lines.lines().filter_map(|line| line.split_whitespace().nth(1)).any(|local| local.ends_with(&ending)))
}

/// The messages a SIPp message log says were received: each stands after a line `... message received [LENGTH] bytes :`
/// and an empty line.
fn received_messages(log: &[u8]) -> Vec<Vec<u8>> {
    const MARK: &[u8] = b" message received [";
    let mut messages = Vec::new();
    let mut rest = log;
    while let Some(at) = rest.windows(MARK.len()).position(|window| window == MARK) {
        rest = rest.get(at + MARK.len()..).unwrap_or_default();
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let length = rest.get(..digits).and_then(|text| std::str::from_utf8(text).ok()?.parse::<usize>().ok()).unwrap_or(0);
        let Some(start) = rest.windows(2).position(|window| window == b"\n\n") else { break };
        let start = start + 2;
        messages.push(rest.get(start..start + length).unwrap_or_default().to_vec());
        rest = rest.get(start + length..).unwrap_or_default();
    }
    messages
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn received_messages_are_cut_by_their_length() {
        let log = b"---- 2026\nUDP message sent (4 bytes):\n\nABCD\n---- 2026\nUDP message received [7] bytes :\n\nSI\n\nP/2\n---- 2026\n\
            TCP message received [3] bytes :\n\nxyz\n";
        assert_eq!(received_messages(log), vec![b"SI\n\nP/2".to_vec(), b"xyz".to_vec()]);
    }

    #[test]
    fn an_open_port_is_seen_and_a_closed_one_is_not() {
        let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let tcp = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (udp_port, tcp_port) = (udp.local_addr().unwrap().port(), tcp.local_addr().unwrap().port());
        assert_eq!((is_open(udp_port, Transport::Udp), is_open(tcp_port, Transport::Tcp)), (Ok(true), Ok(true)));
        assert_eq!(is_open(0, Transport::Udp6), Ok(false));
    }

    #[test]
    fn details_of_a_player_are_read() {
        let script = Script::read("a.xml", &["calls: 3".to_owned(), "over: tcp".to_owned()]).unwrap();
        assert_eq!((script.calls.as_str(), script.rate.as_str(), script.transport), ("3", RATE, Transport::Tcp));
        assert!(Script::read("a.xml", &["speed: 3".to_owned()]).is_err());
    }
}
