//! Statistics of group `tmx`, computed from what tm and the transaction table count (spec proxy-core 8).

use crate::node::Node;
use crate::registry::Statistic;

fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn reading(node: &Node) -> transaction::statistics::Reading {
    node.transactions.statistics().reading()
}

fn completed(node: &Node, class: usize) -> i64 {
    reading(node).completed.get(class).map_or(0, |count| integer(*count))
}

/// Replies sent upstream that were not made here.
fn relayed(node: &Node) -> u64 {
    let reading = reading(node);
    reading.rpl_sent.saturating_sub(reading.rpl_generated)
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
    statistic("UAS_transactions", |node| integer(reading(node).total.saturating_sub(reading(node).total_local))),
    statistic("UAC_transactions", |node| integer(reading(node).total_local)),
    statistic("2xx_transactions", |node| completed(node, 0)),
    statistic("3xx_transactions", |node| completed(node, 1)),
    statistic("4xx_transactions", |node| completed(node, 2)),
    statistic("5xx_transactions", |node| completed(node, 3)),
    statistic("6xx_transactions", |node| completed(node, 4)),
    statistic("inuse_transactions", |node| integer(node.transactions.statistics().reading().current)),
    statistic("active_transactions", active),
    statistic("rpl_received", |node| integer(reading(node).rpl_received)),
    statistic("rpl_absorbed", |node| integer(reading(node).rpl_received.saturating_sub(relayed(node)))),
    statistic("rpl_generated", |node| integer(reading(node).rpl_generated)),
    statistic("rpl_relayed", |node| integer(relayed(node))),
    statistic("rpl_sent", |node| integer(reading(node).rpl_sent)),
];
