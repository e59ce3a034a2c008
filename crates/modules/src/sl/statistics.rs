//! Counters of stateless replies, for statistics and `sl.stats`.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::registry::Statistic;
use crate::rpc::{Fault, Item, Parameters, Reply};
use crate::worker::Worker;

/// What is counted. The order is that of `sl.stats`, then what only statistics show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counter {
    Ok,
    Accepted,
    Success,
    MultipleChoices,
    MovedPermanently,
    MovedTemporarily,
    Redirect,
    BadRequest,
    Unauthorized,
    Forbidden,
    NotFound,
    ProxyAuthentication,
    RequestTimeout,
    TooManyHops,
    ClientError,
    InternalError,
    ServerError,
    GlobalFailure,
    Other,
    Provisional,
    Sent,
    SendErrors,
    Failures,
    ReceivedAcks,
}

const COUNTERS: usize = Counter::ReceivedAcks as usize + 1;

/// Keys of `sl.stats`, in order, and which statistics each sums.
const KEYS: [&str; 19] =
    ["200", "202", "2xx", "300", "301", "302", "3xx", "400", "401", "403", "404", "407", "408", "483", "4xx", "500", "5xx", "6xx", "xxx"];

/// One counter for each kind; relaxed, read one by one.
#[derive(Debug, Default)]
pub(super) struct Counters([AtomicU64; COUNTERS]);

impl Counters {
    /// One more of this kind.
    pub(super) fn add(&self, counter: Counter) {
        if let Some(count) = self.0.get(counter as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// One more reply with this status code.
    pub(super) fn add_reply(&self, code: u16) {
        self.add(kind(code));
    }

    fn at(&self, index: usize) -> i64 {
        self.0.get(index).map_or(0, |count| i64::try_from(count.load(Ordering::Relaxed)).unwrap_or(i64::MAX))
    }
}

fn kind(code: u16) -> Counter {
    match code {
        100..=199 => Counter::Provisional,
        200 => Counter::Ok,
        202 => Counter::Accepted,
        201 | 203..=299 => Counter::Success,
        300 => Counter::MultipleChoices,
        301 => Counter::MovedPermanently,
        302 => Counter::MovedTemporarily,
        303..=399 => Counter::Redirect,
        400 => Counter::BadRequest,
        401 => Counter::Unauthorized,
        403 => Counter::Forbidden,
        404 => Counter::NotFound,
        407 => Counter::ProxyAuthentication,
        408 => Counter::RequestTimeout,
        483 => Counter::TooManyHops,
        402 | 405 | 406 | 409..=482 | 484..=499 => Counter::ClientError,
        500 => Counter::InternalError,
        501..=599 => Counter::ServerError,
        600..=699 => Counter::GlobalFailure,
        _ => Counter::Other,
    }
}

macro_rules! statistics {
    ($($name:literal => $counter:ident),* $(,)?) => {
        /// The statistics of group `sl`.
        pub(super) static STATISTICS: &[Statistic] = &[$(Statistic::new("sl", $name, |node| node.states.sl.statistics.at(Counter::$counter as usize)).resettable(|node| {
            if let Some(count) = node.states.sl.statistics.0.get(Counter::$counter as usize) {
                count.store(0, Ordering::Relaxed);
            }
        })),*];
    };
}

statistics! {
    "1xx_replies" => Provisional,
    "200_replies" => Ok,
    "202_replies" => Accepted,
    "2xx_replies" => Success,
    "300_replies" => MultipleChoices,
    "301_replies" => MovedPermanently,
    "302_replies" => MovedTemporarily,
    "3xx_replies" => Redirect,
    "400_replies" => BadRequest,
    "401_replies" => Unauthorized,
    "403_replies" => Forbidden,
    "404_replies" => NotFound,
    "407_replies" => ProxyAuthentication,
    "408_replies" => RequestTimeout,
    "483_replies" => TooManyHops,
    "4xx_replies" => ClientError,
    "500_replies" => InternalError,
    "5xx_replies" => ServerError,
    "6xx_replies" => GlobalFailure,
    "xxx_replies" => Other,
    "sent_replies" => Sent,
    "sent_err_replies" => SendErrors,
    "failures" => Failures,
    "received_ACKs" => ReceivedAcks,
}

/// `sl.stats`.
pub(super) fn command(worker: &mut Worker, _: &mut Parameters) -> Result<Reply, Fault> {
    let counters = &worker.node.states.sl.statistics;
    let fields = KEYS.iter().enumerate().map(|(index, key)| ((*key).into(), Item::Integer(counters.at(index)))).collect();
    Ok(Reply::one(Item::Structure(fields)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_of_the_listing_stands_for_its_counter() {
        for (index, key) in KEYS.iter().enumerate() {
            let code: u16 = match *key {
                "2xx" => 299,
                "3xx" => 399,
                "4xx" => 499,
                "5xx" => 599,
                "6xx" => 603,
                "xxx" => 700,
                exact => exact.parse().unwrap_or(0),
            };
            assert_eq!(kind(code) as usize, index, "{key}");
        }
    }
}
