//! Which requests are being processed right now, so that a retransmission that comes too early is seen (`t_precheck_trans`).

use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, PoisonError};

use hashbrown::HashSet;
use sip::message::Message;
use sip::method::Method;

use crate::worker::Worker;
use script::exports::{Argument, Flow};

/// Most requests published at the same time; more are processed unpublished.
pub const PUBLISHED_MAX: usize = 65_536;

/// Hashes of the requests being processed.
#[derive(Debug, Default)]
pub struct Processing {
    hashes: Mutex<HashSet<u64, foldhash::fast::FixedState>>,
}

/// One published request; dropping it takes the publication back.
#[derive(Debug)]
pub struct Claim {
    processing: Arc<Processing>,
    hash: u64,
}

/// What an attempt to publish found.
#[derive(Debug)]
pub enum Published {
    Now(Claim),
    /// Somebody is processing the same request.
    Already,
    Full,
}

impl Processing {
    /// Publishes a request by its hash.
    pub fn publish(self: &Arc<Processing>, hash: u64) -> Published {
        let mut hashes = self.hashes.lock().unwrap_or_else(PoisonError::into_inner);
        if hashes.contains(&hash) {
            return Published::Already;
        }
        if hashes.len() >= PUBLISHED_MAX {
            return Published::Full;
        }
        hashes.insert(hash);
        Published::Now(Claim { processing: Arc::clone(self), hash })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.processing.hashes.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.hash);
    }
}

/// Call-ID, CSeq, From tag and Via branch: what a retransmission repeats (spec proxy-core 8).
fn hash(seed: u64, message: &Message) -> Option<u64> {
    let cseq = message.cseq()?;
    let via = message.top_via()?;
    let key = (message.call_id(), cseq.number, cseq.method_text, message.from_tag(), via.branch);
    Some(foldhash::fast::FixedState::with_seed(seed).hash_one(key))
}

/// `t_precheck_trans()`: 1 when another worker is processing the same request.
pub(super) fn t_precheck_trans(worker: &mut Worker, _arguments: &[Argument]) -> Flow {
    let message = &worker.run.message;
    if worker.run.tmx.claim.is_some() || !message.is_request() || matches!(message.method(), Method::Ack | Method::Cancel) {
        return Flow::Code(-1);
    }
    let seed = worker.node.process.secret.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    let (Some(processing), Some(hash)) = (&worker.node.states.tmx.processing, hash(seed, message)) else { return Flow::Code(-1) };
    match processing.publish(hash) {
        Published::Now(claim) => {
            worker.run.tmx.claim = Some(claim);
            Flow::Code(-1)
        }
        Published::Already => Flow::Code(1),
        Published::Full => {
            worker.log(0, "tmx", "too many requests are being processed; this one is not published");
            Flow::Code(-1)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_published_until_its_claim_is_dropped() {
        let processing = Arc::new(Processing::default());
        let Published::Now(claim) = processing.publish(7) else { panic!("not published") };
        assert!(matches!(processing.publish(7), Published::Already));
        assert!(matches!(processing.publish(8), Published::Now(_)));
        drop(claim);
        assert!(matches!(processing.publish(7), Published::Now(_)));
    }

    #[test]
    fn publications_are_bounded() {
        let processing = Arc::new(Processing::default());
        let held: Vec<Published> = (0..PUBLISHED_MAX as u64).map(|hash| processing.publish(hash)).collect();
        assert!(held.iter().all(|published| matches!(published, Published::Now(_))));
        assert!(matches!(processing.publish(u64::MAX), Published::Full));
    }

    #[test]
    fn a_retransmission_hashes_as_the_request_did() {
        let text = |branch: &str, method: &str| {
            format!(
                "{method} sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch={branch}\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>\r\nCall-ID: c\r\nCSeq: 5 {method}\r\n\r\n"
            )
        };
        let of = |text: String| Message::from_bytes(text.as_bytes()).ok().and_then(|message| hash(3, &message));
        let first = of(text("z9hG4bKa", "INVITE"));
        assert!(first.is_some());
        assert_eq!(first, of(text("z9hG4bKa", "INVITE")));
        assert_ne!(first, of(text("z9hG4bKb", "INVITE")));
        assert_ne!(first, of(text("z9hG4bKa", "OPTIONS")));
    }
}
