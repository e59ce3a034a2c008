//! Log lines in Kamailio's form, to standard error or to the system log, with a brake on lines that repeat.

use std::collections::HashMap;
use std::io::{self, Write};
use std::os::unix::net::UnixDatagram;
use std::sync::atomic::{AtomicI32, AtomicU8, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Levels as in `debug=`: a line is written when its level is not above the configured one.
#[allow(dead_code)] // The table is whole, whoever uses which line.
pub mod level {
    pub const ALERT: i32 = -5;
    pub const ERROR: i32 = -1;
    pub const WARNING: i32 = 0;
    pub const NOTICE: i32 = 1;
    pub const INFO: i32 = 2;
    pub const DEBUG: i32 = 3;
}

/// Longest line; what is longer is cut and marked.
pub const LINE_BYTES_MAX: usize = 16_384;
/// Different places whose repetition is watched at one time.
pub const WATCHED_PLACES_MAX: usize = 256;
/// Lines of one place within one window before the brake closes.
pub const LINES_PER_WINDOW: u32 = 50;
/// Length of that window.
pub const WINDOW: Duration = Duration::from_secs(1);

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// `log_stderror=yes`, `-E`; `-e` adds colours.
    StandardError { colours: bool },
    /// `log_facility`, `log_name`; datagrams to `/dev/log`.
    System { facility: u8, name: String },
}

/// Writes lines; shared by all threads.
#[derive(Debug)]
pub struct Logger {
    level: AtomicI32,
    destination: Destination,
    /// `log_facility` now; RPC may change it.
    facility: AtomicU8,
    socket: Mutex<Option<UnixDatagram>>,
    brake: Mutex<Brake>,
    process: u32,
    /// Terminal sequences of levels in place of the usual ones: `log_colors` of xlog.
    colours: OnceLock<Vec<(i32, String)>>,
}

impl Logger {
    /// A logger that writes lines up to `level`.
    pub fn new(destination: Destination, level: i32) -> Logger {
        let facility = match &destination {
            Destination::System { facility, .. } => *facility,
            Destination::StandardError { .. } => 0,
        };
        Logger {
            level: AtomicI32::new(level),
            facility: AtomicU8::new(facility),
            destination,
            socket: Mutex::new(None),
            brake: Mutex::new(Brake::default()),
            process: std::process::id(),
            colours: OnceLock::new(),
        }
    }

    /// Other colours for some levels; the first call counts.
    pub fn set_colours(&self, colours: Vec<(i32, String)>) {
        let _ = self.colours.set(colours);
    }

    pub fn level(&self) -> i32 {
        self.level.load(Ordering::Relaxed)
    }

    /// `debug=`, RPC `core.debug`.
    pub fn set_level(&self, level: i32) {
        self.level.store(level, Ordering::Relaxed);
    }

    /// `log_facility`, as the system log numbers it (RFC 5424 §6.2.1).
    pub fn set_facility(&self, facility: u8) {
        self.facility.store(facility, Ordering::Relaxed);
    }

    pub fn is_enabled(&self, level: i32) -> bool {
        level <= self.level()
    }

    /// Writes a line. `worker` is the thread's index (Kamailio prints the process's), `place` is `<script>`, `<core>` or
    /// a module's name. Never fails: a log that cannot be written must not stop calls.
    pub fn write(&self, worker: usize, level: i32, place: &str, text: &str) {
        self.write_to(worker, level, None, place, text);
    }

    /// As [`Logger::write`] to another facility of the system log than the usual one.
    pub fn write_to(&self, worker: usize, level: i32, facility: Option<u8>, place: &str, text: &str) {
        if !self.is_enabled(level) {
            return;
        }
        match &self.destination {
            Destination::StandardError { colours } => {
                let line = stderr_line(worker, self.process, level, place, text, colours.then(|| self.colour(level)));
                let _ = io::stderr().lock().write_all(line.as_bytes());
            }
            Destination::System { name, .. } => {
                let facility = facility.unwrap_or_else(|| self.facility.load(Ordering::Relaxed));
                self.send(syslog_line(facility, name, self.process, level, place, text).as_bytes());
            }
        }
    }

    fn colour(&self, level: i32) -> &str {
        let own = self.colours.get().into_iter().flatten().rev().find(|(own, _)| *own == level);
        own.map_or_else(|| colour(level), |(_, sequence)| sequence)
    }

    /// As [`Logger::write`] for messages a peer can provoke at will: after [`LINES_PER_WINDOW`] lines of one place and
    /// level in a second the rest of that second is only counted, and the count is written with the next line.
    pub fn write_braked(&self, worker: usize, level: i32, place: &str, text: &str) {
        if !self.is_enabled(level) {
            return;
        }
        let verdict = {
            let mut brake = self.brake.lock().unwrap_or_else(PoisonError::into_inner);
            brake.judge(place, level, Instant::now())
        };
        match verdict {
            Verdict::Hold => {}
            Verdict::Pass { held_back: 0 } => self.write(worker, level, place, text),
            Verdict::Pass { held_back } => {
                self.write(worker, level, place, &format!("{held_back} lines were held back"));
                self.write(worker, level, place, text);
            }
        }
    }

    fn send(&self, line: &[u8]) {
        let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        // The second try reconnects: the log daemon may have been restarted.
        for _ in 0..2 {
            if socket.is_none() {
                *socket = connect();
            }
            match socket.as_ref().map(|socket| socket.send(line)) {
                Some(Err(error)) if error.kind() != io::ErrorKind::WouldBlock => *socket = None,
                _ => return,
            }
        }
    }
}

fn connect() -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    // A log daemon that does not read must not stop a worker.
    socket.set_nonblocking(true).ok()?;
    socket.connect("/dev/log").ok()?;
    Some(socket)
}

fn level_name(level: i32) -> &'static str {
    match level {
        ..=-5 => "ALERT",
        -4 => "BUG",
        -3 | -2 => "CRITICAL",
        -1 => "ERROR",
        0 => "WARNING",
        1 => "NOTICE",
        2 => "INFO",
        3.. => "DEBUG",
    }
}

fn severity(level: i32) -> u8 {
    match level {
        ..=-5 => 1,
        -4..=-2 => 2,
        -1 => 3,
        0 => 4,
        1 => 5,
        2 => 6,
        3.. => 7,
    }
}

fn colour(level: i32) -> &'static str {
    match level {
        ..=-2 => "\x1b[1;31m",
        -1 => "\x1b[31m",
        0 => "\x1b[33m",
        1 => "\x1b[36m",
        2 => "\x1b[32m",
        3.. => "\x1b[37m",
    }
}

/// ` 0(PID) LEVEL: place: text`, one line feed at the end.
fn stderr_line(worker: usize, process: u32, level: i32, place: &str, text: &str, colour: Option<&str>) -> String {
    // A line feed inside stays readable but cannot pretend to begin a line of ours.
    let text = visible(text, "\n\t");
    let (on, off) = colour.map_or(("", ""), |on| (on, "\x1b[0m"));
    format!("{on}{worker:2}({process}) {}: {}{text}{off}\n", level_name(level), lead(place))
}

/// A datagram for `/dev/log`. The time is left out: the log daemon puts in the time of arrival.
fn syslog_line(facility: u8, name: &str, process: u32, level: i32, place: &str, text: &str) -> String {
    let priority = facility * 8 + severity(level);
    format!("<{priority}>{name}[{process}]: {}: {}{}", level_name(level), lead(place), visible(text, "#012"))
}

/// The place before the text; a script's line has none of ours.
fn lead(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!("{place}: ") }
}

/// How long a sequence that only changes colours is: `ESC [ 1 ; 3 1 m`. None: something else, which stays visible.
fn colour_length(text: &str) -> Option<usize> {
    const COLOUR_BYTES_MAX: usize = 16;
    let rest = text.strip_prefix("\x1b[")?;
    let digits = rest.bytes().take(COLOUR_BYTES_MAX).take_while(|byte| byte.is_ascii_digit() || *byte == b';').count();
    (rest.as_bytes().get(digits) == Some(&b'm')).then_some(digits + 3)
}

/// The text without its final line end, cut at the bound, with control characters that peers may have sent made visible.
fn visible(text: &str, line_feed: &str) -> String {
    let text = text.trim_end_matches(['\r', '\n']);
    let mut end = text.len().min(LINE_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let mut out = String::with_capacity(end + 8);
    let mut is_coloured = false;
    let mut letters = text[..end].char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\x1b' if let Some(length) = colour_length(&text[at..end]) => {
                let sequence = &text[at..at + length];
                is_coloured = !matches!(sequence, "\x1b[0m" | "\x1b[m");
                out.push_str(sequence);
                // Escape, bracket, digits, letter: all single bytes.
                letters.nth(length - 2);
            }
            '\n' => out.push_str(line_feed),
            '\r' => {}
            '\t' => out.push('\t'),
            control if control.is_control() => out.push_str(&format!("#{:03o}", u32::from(control))),
            other => out.push(other),
        }
    }
    if end < text.len() {
        out.push_str("...");
    }
    if is_coloured {
        // Part of the text may be a peer's: what it colours or hides ends with the line.
        out.push_str("\x1b[0m");
    }
    out
}

/// Whether a line may be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Yes; so many of its kind were held back since the last one that passed.
    Pass {
        held_back: u32,
    },
    Hold,
}

/// Counts lines per place and level within windows. Reads no clock.
#[derive(Debug, Default)]
pub struct Brake {
    places: HashMap<(String, i32), Counted>,
}

#[derive(Debug)]
struct Counted {
    since: Instant,
    passed: u32,
    held_back: u32,
}

impl Brake {
    /// Judges one line of `place` at `level`.
    pub fn judge(&mut self, place: &str, level: i32, now: Instant) -> Verdict {
        let key = (place.to_string(), level);
        if self.places.len() >= WATCHED_PLACES_MAX && !self.places.contains_key(&key) {
            self.places.retain(|_, counted| now.saturating_duration_since(counted.since) < WINDOW);
            if self.places.len() >= WATCHED_PLACES_MAX {
                return Verdict::Hold;
            }
        }
        let counted = self.places.entry(key).or_insert(Counted { since: now, passed: 0, held_back: 0 });
        if now.saturating_duration_since(counted.since) >= WINDOW {
            counted.since = now;
            counted.passed = 0;
        }
        if counted.passed >= LINES_PER_WINDOW {
            counted.held_back = counted.held_back.saturating_add(1);
            return Verdict::Hold;
        }
        counted.passed += 1;
        Verdict::Pass { held_back: std::mem::take(&mut counted.held_back) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_on_standard_error_looks_like_kamailios() {
        assert_eq!(stderr_line(0, 4711, level::INFO, "<script>", "hello\n", None), " 0(4711) INFO: <script>: hello\n");
        assert_eq!(stderr_line(12, 1, -1, "dialog", "x", None), "12(1) ERROR: dialog: x\n");
        assert!(stderr_line(0, 1, 0, "a", "b", Some(colour(0))).starts_with("\x1b[33m 0(1) WARNING: a: b\x1b[0m"));
    }

    #[test]
    fn a_system_log_line_carries_facility_and_severity() {
        assert_eq!(syslog_line(16, "kam", 9, level::INFO, "<script>", "x"), "<134>kam[9]: INFO: <script>: x");
        assert_eq!(syslog_line(3, "k", 9, -5, "core", "a\nb"), "<25>k[9]: ALERT: core: a#012b");
    }

    #[test]
    fn what_a_text_colours_or_hides_ends_with_its_line() {
        let line = |text: &str| stderr_line(0, 1, 2, "", text, None);
        assert_eq!(line("agent \x1b[8mhidden"), " 0(1) INFO: agent \x1b[8mhidden\x1b[0m\n");
        assert_eq!(line("\x1b[31mred\x1b[0m rest"), " 0(1) INFO: \x1b[31mred\x1b[0m rest\n");
    }

    #[test]
    fn what_a_peer_sent_cannot_forge_a_line_or_drive_a_terminal() {
        let line = stderr_line(0, 1, 2, "<script>", "a\r\n 0(1) ALERT: x\x1b[2J\0", None);
        assert_eq!(line, " 0(1) INFO: <script>: a\n\t 0(1) ALERT: x#033[2J#000\n");
    }

    #[test]
    fn a_long_line_is_cut_between_characters() {
        let text = "é".repeat(LINE_BYTES_MAX);
        let cut = visible(&text, "\n");
        assert!(cut.ends_with("é...") && cut.len() <= LINE_BYTES_MAX + 3);
    }

    #[test]
    fn the_brake_closes_within_a_window_and_tells_how_much_it_held() {
        let mut brake = Brake::default();
        let start = Instant::now();
        let passed = (0..200).filter(|_| matches!(brake.judge("a", -1, start), Verdict::Pass { held_back: 0 })).count();
        assert_eq!(passed, LINES_PER_WINDOW as usize);
        assert_eq!(brake.judge("b", -1, start), Verdict::Pass { held_back: 0 });
        assert_eq!(brake.judge("a", -1, start + WINDOW), Verdict::Pass { held_back: 200 - LINES_PER_WINDOW });
        assert_eq!(brake.judge("a", -1, start + WINDOW), Verdict::Pass { held_back: 0 });
    }

    #[test]
    fn the_brake_does_not_grow_without_end() {
        let mut brake = Brake::default();
        let start = Instant::now();
        for number in 0..WATCHED_PLACES_MAX * 3 {
            brake.judge(&format!("place {number}"), 0, start);
        }
        assert_eq!(brake.places.len(), WATCHED_PLACES_MAX);
        assert_eq!(brake.judge("late", 0, start + WINDOW), Verdict::Pass { held_back: 0 });
    }

    #[test]
    fn levels_above_the_configured_one_are_not_written() {
        let logger = Logger::new(Destination::StandardError { colours: false }, level::WARNING);
        assert!(logger.is_enabled(level::ALERT) && logger.is_enabled(level::WARNING));
        assert!(!logger.is_enabled(level::NOTICE));
        logger.set_level(level::DEBUG);
        assert!(logger.is_enabled(level::DEBUG));
    }
}
