//! The statistics of the module: group `dialog` as in Kamailio, and `dialog_end`, the ended calls by reason (extension).

use ::dialog::EndReason;
use ::dialog::statistics::Resettable;

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
