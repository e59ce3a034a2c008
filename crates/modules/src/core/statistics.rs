//! Counters of received, forwarded and dropped messages: the statistics group `core`.

use std::sync::atomic::{AtomicU64, Ordering};

use sip::Method;

/// Places of the counters; the names are in `statistics_table`.
pub(super) mod place {
    pub const REQUESTS: usize = 0;
    /// One for each [`sip::Method`] but `Other`.
    pub const METHODS: usize = 1;
    pub const UNSUPPORTED_METHODS: usize = 16;
    pub const REPLIES: usize = 17;
    pub const REPLIES_18X: usize = 18;
    /// Classes 1xx to 6xx.
    pub const CLASSES: usize = 19;
    /// The codes of [`super::CODES`].
    pub const CODES: usize = 25;
    /// Class times method, methods of [`super::REPLY_METHODS`].
    pub const CLASS_METHODS: usize = 30;
    pub const FORWARDED_REQUESTS: usize = 78;
    pub const FORWARDED_REPLIES: usize = 79;
    pub const DROPPED_REQUESTS: usize = 80;
    pub const DROPPED_REPLIES: usize = 81;
    pub const ERROR_REQUESTS: usize = 82;
    pub const ERROR_REPLIES: usize = 83;
    pub const BAD_URIS: usize = 84;
    pub const BAD_HEADERS: usize = 85;
    pub const COUNT: usize = 86;
}

/// Reply codes with a counter of their own.
pub const CODES: [u16; 5] = [401, 404, 407, 480, 486];
/// Methods whose replies are counted by class, in the order of the table.
pub const REPLY_METHODS: [Method; 8] =
    [Method::Invite, Method::Cancel, Method::Bye, Method::Register, Method::Message, Method::Prack, Method::Update, Method::Refer];

/// All counters of the core; each is updated on its own, without a lock.
#[derive(Debug)]
pub struct Counters {
    values: [AtomicU64; place::COUNT],
}

impl Default for Counters {
    fn default() -> Counters {
        Counters { values: std::array::from_fn(|_| AtomicU64::new(0)) }
    }
}

impl Counters {
    fn add(&self, place: usize) {
        if let Some(value) = self.values.get(place) {
            value.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn value(&self, place: usize) -> i64 {
        self.values.get(place).map_or(0, |value| i64::try_from(value.load(Ordering::Relaxed)).unwrap_or(i64::MAX))
    }

    pub(super) fn reset(&self, place: usize) {
        if let Some(value) = self.values.get(place) {
            value.store(0, Ordering::Relaxed);
        }
    }

    /// A request was received and parsed.
    pub fn received_request(&self, method: Method) {
        self.add(place::REQUESTS);
        if method == Method::Other {
            self.add(place::UNSUPPORTED_METHODS);
        } else {
            self.add(place::METHODS + method as usize);
        }
    }

    /// A reply was received and parsed.
    pub fn received_reply(&self, status: u16, method: Method) {
        self.add(place::REPLIES);
        if (180..190).contains(&status) {
            self.add(place::REPLIES_18X);
        }
        let class = match status / 100 {
            class @ 1..=6 => usize::from(class) - 1,
            _ => return,
        };
        self.add(place::CLASSES + class);
        if let Some(position) = CODES.iter().position(|code| *code == status) {
            self.add(place::CODES + position);
        }
        if let Some(position) = REPLY_METHODS.iter().position(|own| *own == method) {
            self.add(place::CLASS_METHODS + class * REPLY_METHODS.len() + position);
        }
    }

    /// A request was forwarded without a transaction.
    pub fn forwarded_request(&self) {
        self.add(place::FORWARDED_REQUESTS);
    }

    /// A reply was forwarded without a transaction.
    pub fn forwarded_reply(&self) {
        self.add(place::FORWARDED_REPLIES);
    }

    /// The script dropped a request before routing it.
    pub fn dropped_request(&self) {
        self.add(place::DROPPED_REQUESTS);
    }

    /// The script or the core dropped a reply.
    pub fn dropped_reply(&self) {
        self.add(place::DROPPED_REPLIES);
    }

    /// A request could not be handled: no Via, the route failed.
    pub fn error_request(&self) {
        self.add(place::ERROR_REQUESTS);
    }

    /// A reply could not be handled.
    pub fn error_reply(&self) {
        self.add(place::ERROR_REPLIES);
    }

    /// A URI that should be used could not be parsed.
    pub fn bad_uri(&self) {
        self.add(place::BAD_URIS);
    }

    /// A message whose headers could not be parsed.
    pub fn bad_header(&self) {
        self.add(place::BAD_HEADERS);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::statistics_table::TABLE;

    #[test]
    fn every_counter_has_one_name() {
        let own = TABLE.iter().filter(|row| row.group == "core" && !row.name.starts_with("overload"));
        let names: std::collections::BTreeSet<&str> = own.map(|row| row.name).collect();
        assert_eq!(names.len(), place::COUNT);
    }

    #[test]
    fn a_reply_counts_in_its_class_code_and_method() {
        let counters = Counters::default();
        counters.received_reply(486, Method::Invite);
        counters.received_reply(180, Method::Invite);
        counters.received_reply(200, Method::Register);
        assert_eq!(counters.value(place::REPLIES), 3);
        assert_eq!(counters.value(place::REPLIES_18X), 1);
        assert_eq!(counters.value(place::CLASSES + 3), 1);
        assert_eq!(counters.value(place::CODES + 4), 1);
        assert_eq!(counters.value(place::CLASS_METHODS + 3 * 8), 1);
        assert_eq!(counters.value(place::CLASS_METHODS + 8 + 3), 1);
    }

    #[test]
    fn an_unknown_method_counts_as_unsupported() {
        let counters = Counters::default();
        counters.received_request(Method::Other);
        counters.received_request(Method::Kdmq);
        assert_eq!(counters.value(place::REQUESTS), 2);
        assert_eq!(counters.value(place::UNSUPPORTED_METHODS), 1);
        assert_eq!(counters.value(place::METHODS + 14), 1);
    }
}
