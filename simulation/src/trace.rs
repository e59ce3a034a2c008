//! What happened, as a hash that two runs of one seed must share, and as lines for a reader.

use std::net::SocketAddr;

use dialog::{DialogView, Occurrence};

/// A running hash (FNV-1a) and, when wanted, lines on standard output.
#[derive(Debug)]
pub struct Trace {
    hash: u64,
    print: bool,
}

impl Trace {
    /// A trace; `print` writes each line.
    pub fn new(print: bool) -> Trace {
        Trace { hash: 0xcbf2_9ce4_8422_2325, print }
    }

    /// The hash of everything so far.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// A datagram arrives.
    pub fn datagram(&mut self, at: u64, from: SocketAddr, to: SocketAddr, bytes: &[u8]) {
        self.mix(&at.to_le_bytes());
        self.mix(bytes);
        if self.print {
            let first = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let call = String::from_utf8_lossy(bytes);
            let of = |name: &str| call.lines().find(|line| line.starts_with(name)).unwrap_or("").to_owned();
            println!(
                "{at:>8} {from} > {to} {} | {} | {} | {}",
                String::from_utf8_lossy(first).trim(),
                of("Call-ID"),
                of("CSeq"),
                of("Via")
            );
        }
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
        if self.print {
            println!("{text}");
        }
    }

    fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}
