//! M2, M3: what a proxy sends can be parsed, and Content-Length equals the body.

use super::{Checker, Sight, Snapshot, Verdicts};

/// The family M at one proxy.
pub struct Messages {
    proxy: usize,
}

impl Messages {
    /// A checker.
    pub fn new(proxy: usize) -> Messages {
        Messages { proxy }
    }
}

impl Checker for Messages {
    fn see(&mut self, at: u64, sight: &Sight<'_>, verdicts: &mut Verdicts) {
        let Sight::Sent { message, to } = sight else { return };
        // What a liar sent keeps its lies; only calls of the world are held to this.
        if !message.call_id().ends_with(b"@simulation") {
            return;
        }
        let length = message.content_length().map(|length| length as usize);
        if length.is_some_and(|length| length != message.body().len()) {
            let text = format!("Content-Length {length:?} with a body of {} bytes to {to}", message.body().len());
            verdicts.add("M3", at, self.proxy, text);
        }
        if message.is_request() && message.top_via().is_none() {
            verdicts.add("M1", at, self.proxy, format!("a request without Via to {to}"));
        }
    }

    fn inspect(&mut self, _: &Snapshot, _: &mut Verdicts) {}

    fn settled(&mut self, _: &Snapshot, _: &mut Verdicts) {}
}
