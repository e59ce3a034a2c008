//! D9: the dialog statistics equal a recount of the records at every look.

use super::{Checker, Sight, Snapshot, Verdicts};

/// The statistics of one proxy.
pub struct Counts {
    proxy: usize,
}

impl Counts {
    /// A checker.
    pub fn new(proxy: usize) -> Counts {
        Counts { proxy }
    }
}

impl Checker for Counts {
    fn see(&mut self, _: u64, _: &Sight<'_>, _: &mut Verdicts) {}

    fn inspect(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        let (at, proxy) = (snapshot.at, self.proxy);
        let mut recount = [0u64; 6];
        for dialog in &snapshot.dialogs {
            if let Some(count) = recount.get_mut(dialog.state.number() as usize) {
                *count += 1;
            }
        }
        let states = &snapshot.states;
        let walked = [0, states.unconfirmed, states.early, states.confirmed_no_ack, states.confirmed, states.deleted];
        if recount != walked || snapshot.records != snapshot.dialogs.len() as u64 {
            verdicts.add("D9", at, proxy, format!("listing {recount:?}, walk {walked:?}, records {}", snapshot.records));
        }
        let counts = &snapshot.counts;
        let gauges = (counts.unconfirmed, counts.early, counts.active);
        if gauges != (states.unconfirmed, states.early, states.confirmed_no_ack + states.confirmed) {
            verdicts.add("D9", at, proxy, format!("statistics {gauges:?}, recount {walked:?}"));
        }
        let ended = counts.failed + counts.ended + counts.abandoned;
        if counts.processed + counts.loaded != counts.unconfirmed + counts.early + counts.active + ended {
            verdicts.add("D9", at, proxy, format!("the sum does not hold: {counts:?}"));
        }
    }

    fn settled(&mut self, snapshot: &Snapshot, verdicts: &mut Verdicts) {
        let counts = &snapshot.counts;
        if counts.unconfirmed + counts.early + counts.active != 0 {
            verdicts.add("D9", snapshot.at, self.proxy, format!("all calls are over and the statistics say {counts:?}"));
        }
    }
}
