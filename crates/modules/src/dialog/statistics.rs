//! The statistics of the module: group `dialog` as in Kamailio; extensions: `dialog_end`, the ended calls by reason, and
//! `dialog_db`, how storing goes.

use std::sync::atomic::Ordering::Relaxed;

use ::dialog::EndReason;
use ::dialog::statistics::Resettable;

use super::storage_health::{Condition, StorageHealth};
use crate::node::Node;
use crate::registry::Statistic;

/// Every statistic.
pub(super) static STATISTICS: &[Statistic] = &[
    Statistic::new("dialog", "active_dialogs", |node| count(node.dialogs.statistics().active)),
    Statistic::new("dialog", "early_dialogs", |node| count(node.dialogs.statistics().early)),
    Statistic::new("dialog", "expired_dialogs", |node| count(node.dialogs.statistics().expired))
        .resettable(|node| node.dialogs.reset_statistic(Resettable::Expired)),
    Statistic::new("dialog", "failed_dialogs", |node| count(node.dialogs.statistics().failed))
        .resettable(|node| node.dialogs.reset_statistic(Resettable::Failed)),
    Statistic::new("dialog", "processed_dialogs", |node| count(node.dialogs.statistics().processed))
        .resettable(|node| node.dialogs.reset_statistic(Resettable::Processed)),
    Statistic::new("dialog_db", "is_away", |node| i64::from(health(node).condition() == Condition::Away)),
    Statistic::new("dialog_db", "unsaved", |node| i64::try_from(node.dialogs.unsaved()).unwrap_or(i64::MAX)),
    Statistic::new("dialog_db", "written", |node| count(health(node).written.load(Relaxed))),
    Statistic::new("dialog_db", "commits", |node| count(health(node).commits.load(Relaxed))),
    Statistic::new("dialog_db", "failures", |node| count(health(node).failures.load(Relaxed))),
    Statistic::new("dialog_db", "refused", |node| count(health(node).refused.load(Relaxed))),
    Statistic::new("dialog_db", "unheld", |node| count(health(node).unheld.load(Relaxed))),
    ended::<0>(),
    ended::<1>(),
    ended::<2>(),
    ended::<3>(),
    ended::<4>(),
    ended::<5>(),
    ended::<6>(),
    ended::<7>(),
    ended::<8>(),
    ended::<9>(),
    ended::<10>(),
    ended::<11>(),
    ended::<12>(),
    ended::<13>(),
    ended::<14>(),
];

/// The calls ended by the reason at this place of [`EndReason::ALL`].
const fn ended<const PLACE: usize>() -> Statistic {
    let read = |node: &Node| count(node.dialogs.ended_by(EndReason::ALL[PLACE]));
    let reset = |node: &Node| node.dialogs.reset_statistic(Resettable::EndedBy(EndReason::ALL[PLACE]));
    Statistic::new("dialog_end", EndReason::ALL[PLACE].token(), read).resettable(reset)
}

fn health(node: &Node) -> &StorageHealth {
    &node.states.dialog.storage_health
}

fn count(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_is_counted() {
        let names: Vec<&str> =
            STATISTICS.iter().filter(|statistic| statistic.group == "dialog_end").map(|statistic| statistic.name).collect();
        assert_eq!(names, EndReason::ALL.map(EndReason::token));
    }
}
