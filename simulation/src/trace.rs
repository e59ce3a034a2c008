//! What happened, as a hash that two runs of one seed must share, and as lines for a reader.

use std::collections::VecDeque;
use std::net::SocketAddr;

use dialog::{DialogView, Occurrence};

use crate::limits::STORY_LINES_MAX;

/// What is done with the lines of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    Hashed,
    Printed,
    /// The last ones are kept, to tell how an invariant came to break.
    Kept,
}

/// A running hash (FNV-1a) and, when wanted, lines for a reader.
#[derive(Debug)]
pub struct Trace {
    hash: u64,
    lines: Lines,
    kept: VecDeque<String>,
}

impl Trace {
    /// A trace of nothing yet.
    pub fn new(lines: Lines) -> Trace {
        Trace { hash: 0xcbf2_9ce4_8422_2325, lines, kept: VecDeque::new() }
    }

    /// The lines kept.
    pub fn story(self) -> Vec<String> {
        self.kept.into()
    }

    /// The hash of everything so far.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// A message arrives.
    pub fn message(&mut self, at: u64, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        self.mix(&at.to_le_bytes());
        self.mix(bytes);
        if self.lines == Lines::Hashed {
            return;
        }
        let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let call = String::from_utf8_lossy(bytes);
        let of = |name: &str| call.lines().find(|line| line.starts_with(name)).unwrap_or("").to_owned();
        let (first, via) = (String::from_utf8_lossy(first), of("Via"));
        self.tell(format!("{at:>8} {from} > {to} {} | {} | {} | {via}", first.trim(), of("Call-ID"), of("CSeq")));
    }

    /// A dialog reports.
    pub fn dialog(&mut self, at: u64, proxy: usize, dialog: &DialogView, occurrence: Occurrence) {
        let text = format!("{at:>8} proxy {proxy} dialog {} {} {:?}", dialog.id, String::from_utf8_lossy(&dialog.call_id), occurrence.kind);
        self.note_text(&text);
    }

    /// A proxy logs.
    pub fn line(&mut self, at: u64, proxy: usize, level: i32, text: &str) {
        self.note_text(&format!("{at:>8} proxy {proxy} log {level} {}", text.trim_end()));
    }

    /// Anything else.
    pub fn note(&mut self, at: u64, text: &str) {
        self.note_text(&format!("{at:>8} {text}"));
    }

    fn note_text(&mut self, text: &str) {
        self.mix(text.as_bytes());
        if self.lines != Lines::Hashed {
            self.tell(text.to_owned());
        }
    }

    fn tell(&mut self, line: String) {
        if self.lines == Lines::Printed {
            println!("{line}");
            return;
        }
        if self.kept.len() >= STORY_LINES_MAX {
            self.kept.pop_front();
        }
        self.kept.push_back(line);
    }

    fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
