//! Listing many calls while others are made: do those notice?

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::calls::{Callee, Caller, Calls};
use crate::measure::median;
use crate::subject::{Kind, Subject};

/// Slowest set-up of the held calls that is waited for, calls a second.
const HOLD_RATE_MIN: u32 = 300;
/// Rounds without and with listings, in turn.
const ROUNDS: usize = 4;
/// Parts of a listing that are asked for one after the other.
const PARTS: usize = 500;
/// How often another command is asked meanwhile.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// Longest silence of a listing.
const SILENCE_MAX: Duration = Duration::from_secs(20);

/// The doors that are asked in turn.
const DOORS: [&str; 2] = ["HTTP", "BINRPC"];

/// One listing that was read to its end.
#[derive(Debug, Clone, Copy)]
struct Listed {
    door: &'static str,
    seconds: f64,
    bytes: u64,
    dialogs: u64,
}

/// What calls came to, first without and then with listings.
#[derive(Clone, Copy, Debug)]
pub struct Noticed {
    /// INVITE to 200, the middle of the rounds, milliseconds.
    pub median_milliseconds: [f64; 2],
    pub p99_milliseconds: [f64; 2],
    /// Listings read whole.
    pub listings: usize,
}

/// Holds `held` calls, then makes `rate` calls a second, without and with listings of all calls the whole time.
pub fn listing(held: u32, rate: u32, seconds: u32) -> Result<Noticed, String> {
    let subject = Subject::start_with_http(Kind::Duolog, "1000000")?;
    let callee = Callee::start(&subject)?;
    let mut caller = Caller::new(&subject)?;
    let begun = Instant::now();
    let calls = caller.hold(held, Duration::from_secs(u64::from(held / HOLD_RATE_MIN) + 30))?;
    let up = subject.rpc(&["dlg.stats_active"])?;
    println!("{} calls set up in {:.1} s, {} failed", calls.answered, begun.elapsed().as_secs_f64(), calls.failed);
    if !up.contains(&format!("all: {held}")) {
        return Err(format!("{held} calls should be up: {up}"));
    }
    println!("resident: {} MB", subject.resident_megabytes());
    let lasting = Duration::from_secs(u64::from(seconds));
    caller.call(rate, Duration::from_secs(2))?;
    let mut times: [Vec<[f64; 2]>; 2] = [Vec::new(), Vec::new()];
    let (mut failed, mut listings) = (0, 0);
    println!(
        "{:>10} {:>9} {:>7} {:>9} {:>8} {:>8} {:>8} {:>9}",
        "listings", "answered", "failed", "repeated", "p50 ms", "p99 ms", "max ms", "µs/call"
    );
    for _ in 0..ROUNDS {
        for (place, name) in ["none", "always"].into_iter().enumerate() {
            let reader = (place == 1).then(|| Reader::start(&subject)).transpose()?;
            let before = subject.cpu_microseconds();
            let end = Instant::now() + lasting;
            let (calls, slowest) = std::thread::scope(|scope| {
                let asking = scope.spawn(|| ask_until(&subject, end));
                let calls = caller.call(rate, lasting)?;
                Ok::<_, String>((calls, asking.join().map_err(|_| "the asker ended badly".to_owned())??))
            })?;
            let spent = (subject.cpu_microseconds() - before) as f64 / f64::from(calls.answered.max(1));
            show(name, &calls, spent);
            println!("    slowest core.version meanwhile, its process included: {:.1} ms", slowest.as_secs_f64() * 1_000.0);
            failed += calls.failed;
            if let Some(list) = times.get_mut(place) {
                list.push([calls.time(0.5), calls.time(0.99)]);
            }
            let listed = reader.map(Reader::finish).transpose()?.unwrap_or_default();
            listings += listed.len();
            for door in DOORS {
                show_listings(door, &listed);
            }
            if let Some(cut) = listed.iter().find(|listed| listed.dialogs < u64::from(held)) {
                return Err(format!("a listing is not whole: {cut:?}"));
            }
        }
    }
    println!("resident: {} MB", subject.resident_megabytes());
    show_parts(&subject)?;
    let [without, with] = times.map(|list| [0, 1].map(|part| median(&list.iter().map(|both| both[part]).collect::<Vec<f64>>())));
    println!(
        "p50 {:.3} and {:.3} ms, ratio {:.2}; p99 {:.3} and {:.3} ms, ratio {:.2}",
        without[0],
        with[0],
        with[0] / without[0],
        without[1],
        with[1],
        with[1] / without[1]
    );
    drop(callee);
    let noticed = Noticed { median_milliseconds: [without[0], with[0]], p99_milliseconds: [without[1], with[1]], listings };
    if failed == 0 { Ok(noticed) } else { Err(format!("{failed} calls failed")) }
}

/// Asks for the version again and again; the longest time an answer took.
fn ask_until(subject: &Subject, end: Instant) -> Result<Duration, String> {
    let mut slowest = Duration::ZERO;
    while Instant::now() < end {
        let begun = Instant::now();
        if !subject.rpc(&["core.version"])?.starts_with("duolog") {
            return Err("core.version is not answered meanwhile".to_owned());
        }
        slowest = slowest.max(begun.elapsed());
        std::thread::sleep(ASK_EVERY);
    }
    Ok(slowest)
}

fn show(name: &str, calls: &Calls, spent: f64) {
    println!(
        "{name:>10} {:>9} {:>7} {:>9} {:>8.3} {:>8.3} {:>8.3} {spent:>9.1}",
        calls.answered,
        calls.failed,
        calls.repeated,
        calls.time(0.5),
        calls.time(0.99),
        calls.time(1.0)
    );
}

fn show_listings(door: &str, listed: &[Listed]) {
    let own: Vec<&Listed> = listed.iter().filter(|listed| listed.door == door).collect();
    let Some(last) = own.last() else { return };
    let seconds = median(&own.iter().map(|listed| listed.seconds).collect::<Vec<f64>>());
    println!("    {} over {door}: median {seconds:.2} s; the last: {} dialogs, {} bytes", own.len(), last.dialogs, last.bytes);
}

/// Walks in parts of a hundred calls over one connection and tells how long a part takes.
fn show_parts(subject: &Subject) -> Result<(), String> {
    let told = |error: io::Error| format!("HTTP {}: {error}", subject.http);
    let mut stream = TcpStream::connect(&subject.http).map_err(told)?;
    stream.set_nodelay(true).map_err(told)?;
    stream.set_read_timeout(Some(SILENCE_MAX)).map_err(told)?;
    let (mut after, mut times) = (String::new(), Vec::new());
    while times.len() < PARTS {
        let body = format!(r#"{{"jsonrpc":"2.0","method":"dlg.list","params":{{"limit":100{after}}},"id":1}}"#);
        let begun = Instant::now();
        stream.write_all(format!("POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).map_err(told)?;
        let (mut answer, mut chunk) = (Vec::new(), vec![0_u8; 64 * 1024]);
        while !answer.ends_with(b"\r\n0\r\n\r\n") {
            let count = stream.read(&mut chunk).map_err(told)?;
            match chunk.get(..count) {
                Some(read) if count > 0 => answer.extend_from_slice(read),
                _ => return Err("the connection ended within a part".to_owned()),
            }
        }
        times.push(begun.elapsed().as_secs_f64() * 1_000.0);
        let text = String::from_utf8_lossy(&answer).into_owned();
        let number = |name: &str| Some(text.rsplit(name).next()?.trim_start_matches(':').trim().split(',').next()?.to_owned());
        let last = number("\"h_entry\"").zip(number("\"h_id\"")).filter(|_| text.contains("h_entry"));
        let Some((entry, id)) = last else { break };
        after = format!(r#","after":"{entry}:{id}""#);
    }
    times.sort_by(f64::total_cmp);
    let slow = times.get(times.len() * 99 / 100).copied().unwrap_or(0.0);
    println!("{} parts of 100 calls: p50 {:.2} ms, p99 {slow:.2} ms", times.len(), median(&times));
    Ok(())
}

/// Lists all calls into a file, again and again, through the doors in turn. Whoever reads is another process of low priority:
/// what is measured is the proxy.
struct Reader {
    is_over: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Result<Vec<Listed>, String>>,
}

impl Reader {
    fn start(subject: &Subject) -> Result<Reader, String> {
        let is_over = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&is_over);
        let addresses = [subject.http.clone(), subject.control_path().display().to_string()];
        let file = subject.folder().join("listing").display().to_string();
        let thread = std::thread::spawn(move || {
            let mut listed = Vec::new();
            while !stop.load(Ordering::Acquire) {
                for (door, address) in DOORS.into_iter().zip(&addresses) {
                    listed.push(list_elsewhere(door, address, &file)?);
                }
            }
            Ok(listed)
        });
        Ok(Reader { is_over, thread })
    }

    fn finish(self) -> Result<Vec<Listed>, String> {
        self.is_over.store(true, Ordering::Release);
        self.thread.join().map_err(|_| "the reader of listings ended badly".to_owned())?
    }
}

fn list_elsewhere(door: &'static str, address: &str, file: &str) -> Result<Listed, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("nice").args(["-n", "19"]).arg(own).args(["read", door, address, file]).output();
    let output = output.map_err(|error| format!("nice: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let mut words = text.split_whitespace();
    let mut word = || words.next().ok_or_else(|| String::from_utf8_lossy(&output.stderr).into_owned());
    let bad = |text: &str| format!("`{text}` is no number");
    Ok(Listed {
        door,
        seconds: word().and_then(|word| word.parse().map_err(|_| bad(word)))?,
        bytes: word().and_then(|word| word.parse().map_err(|_| bad(word)))?,
        dialogs: word().and_then(|word| word.parse().map_err(|_| bad(word)))?,
    })
}

/// Reads one listing into a file and prints seconds, bytes and dialogs.
pub fn read(door: &str, address: &str, file: &str) -> Result<(), String> {
    let begun = Instant::now();
    let (bytes, mark) = match door {
        "HTTP" => (list_over_http(address, file)?, &b"\"h_entry\""[..]),
        "BINRPC" => (list_over_binrpc(address, file)?, &b"h_entry\0"[..]),
        other => return Err(format!("no door {other}")),
    };
    let seconds = begun.elapsed().as_secs_f64();
    println!("{seconds} {bytes} {}", count(file, mark)?);
    Ok(())
}

fn list_over_http(address: &str, file: &str) -> Result<u64, String> {
    let told = |error: io::Error| format!("HTTP {address}: {error}");
    let mut stream = TcpStream::connect(address).map_err(told)?;
    stream.set_read_timeout(Some(SILENCE_MAX)).map_err(told)?;
    let body = r#"{"jsonrpc":"2.0","method":"dlg.list","id":1}"#;
    // HTTP/1.0: the answer ends with the connection.
    stream.write_all(format!("POST /RPC HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).map_err(told)?;
    File::create(file).and_then(|mut out| io::copy(&mut stream, &mut out)).map_err(told)
}

fn list_over_binrpc(path: &str, file: &str) -> Result<u64, String> {
    let told = |error: io::Error| format!("{path}: {error}");
    let mut stream = UnixStream::connect(path).map_err(told)?;
    stream.set_read_timeout(Some(SILENCE_MAX)).map_err(told)?;
    // One text record behind a head of four bytes (spec proxy-core 12).
    stream.write_all(&[&[0xa1, 0x00, 11, 1, 0x91, 9][..], b"dlg.list\0"].concat()).map_err(told)?;
    let mut head = [0_u8; 2];
    stream.read_exact(&mut head).map_err(told)?;
    let [_, lengths] = head;
    let length_bytes = usize::from((lengths >> 2) & 3) + 1;
    let mut rest = vec![0_u8; length_bytes + usize::from(lengths & 3) + 1];
    stream.read_exact(&mut rest).map_err(told)?;
    let length = rest.iter().take(length_bytes).fold(0_u64, |length, byte| (length << 8) | u64::from(*byte));
    File::create(file).and_then(|mut out| io::copy(&mut stream.take(length), &mut out)).map_err(told)
}

/// How often the mark is in the file.
fn count(file: &str, mark: &[u8]) -> Result<u64, String> {
    let bytes = std::fs::read(file).map_err(|error| error.to_string())?;
    let starts = bytes.iter().enumerate().filter(|(_, byte)| Some(*byte) == mark.first());
    Ok(starts.filter(|(at, _)| bytes.get(*at..*at + mark.len()) == Some(mark)).count() as u64)
}
