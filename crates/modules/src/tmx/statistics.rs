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

/// Every statistic.
pub(super) static STATISTICS: &[Statistic] = &[
    Statistic::new("tmx", "UAS_transactions", |node| integer(reading(node).total.saturating_sub(reading(node).total_local))),
    Statistic::new("tmx", "UAC_transactions", |node| integer(reading(node).total_local)),
    Statistic::new("tmx", "2xx_transactions", |node| completed(node, 0)),
    Statistic::new("tmx", "3xx_transactions", |node| completed(node, 1)),
    Statistic::new("tmx", "4xx_transactions", |node| completed(node, 2)),
    Statistic::new("tmx", "5xx_transactions", |node| completed(node, 3)),
    Statistic::new("tmx", "6xx_transactions", |node| completed(node, 4)),
    Statistic::new("tmx", "inuse_transactions", |node| integer(node.transactions.statistics().reading().current)),
    Statistic::new("tmx", "active_transactions", active),
    Statistic::new("tmx", "rpl_received", |node| integer(reading(node).rpl_received)),
    Statistic::new("tmx", "rpl_absorbed", |node| integer(reading(node).rpl_received.saturating_sub(relayed(node)))),
    Statistic::new("tmx", "rpl_generated", |node| integer(reading(node).rpl_generated)),
    Statistic::new("tmx", "rpl_relayed", |node| integer(relayed(node))),
    Statistic::new("tmx", "rpl_sent", |node| integer(reading(node).rpl_sent)),
];
