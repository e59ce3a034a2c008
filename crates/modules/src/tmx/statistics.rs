//! Statistics of group `tmx`, computed from what tm and the transaction table count (spec proxy-core 8).

use std::sync::atomic::{AtomicU64, Ordering};

use crate::node::Node;
use crate::registry::Statistic;

fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn load(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

fn completed(node: &Node, class: usize) -> i64 {
    node.states.tm.counters.completed.get(class).map_or(0, |counter| integer(load(counter)))
}

/// Replies sent upstream that were not made here.
fn relayed(node: &Node) -> u64 {
    let counters = &node.states.tm.counters;
    load(&counters.replies_sent).saturating_sub(load(&counters.replies_generated))
}

/// Transactions that are not over and not in their wait time.
fn active(node: &Node) -> i64 {
    let reading = node.transactions.statistics().reading();
    integer(reading.current.saturating_sub(reading.waiting))
}

const fn statistic(name: &'static str, read: fn(&Node) -> i64) -> Statistic {
    Statistic { group: "tmx", name, read, reset: None }
}

/// Every statistic.
pub(super) static STATISTICS: &[Statistic] = &[
    statistic("UAS_transactions", |node| integer(load(&node.states.tm.counters.uas))),
    statistic("UAC_transactions", |node| integer(load(&node.states.tm.counters.uac))),
    statistic("2xx_transactions", |node| completed(node, 0)),
    statistic("3xx_transactions", |node| completed(node, 1)),
    statistic("4xx_transactions", |node| completed(node, 2)),
    statistic("5xx_transactions", |node| completed(node, 3)),
    statistic("6xx_transactions", |node| completed(node, 4)),
    statistic("inuse_transactions", |node| integer(node.transactions.statistics().reading().current)),
    statistic("active_transactions", active),
    statistic("rpl_received", |node| integer(load(&node.states.tm.counters.replies_received))),
    statistic("rpl_absorbed", |node| integer(load(&node.states.tm.counters.replies_received).saturating_sub(relayed(node)))),
    statistic("rpl_generated", |node| integer(load(&node.states.tm.counters.replies_generated))),
    statistic("rpl_relayed", |node| integer(relayed(node))),
    statistic("rpl_sent", |node| integer(load(&node.states.tm.counters.replies_sent))),
];
