//! What is known about one name and kind: its records and how long they count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sip::time::Time;

use super::limits::{ALIAS_DEPTH_MAX, LIFETIME_CEILING, LIFETIME_FLOOR, RECORDS_PER_ENTRY_MAX};
use super::order;
use super::record::{Data, Kind, Question, Record, Reply};
use super::settings::Settings;

/// One record with the moment from which it no longer counts; None: it always counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub data: Data,
    pub expires: Option<Time>,
}

/// Everything known about one name and kind. Without records it says that there are none.
#[derive(Debug)]
pub struct Entry {
    pub question: Question,
    /// In the order they are to be tried.
    pub records: Vec<Kept>,
    /// None: permanent.
    pub expires: Option<Time>,
    /// Bytes the entry stands for, counted as Kamailio does.
    pub bytes: usize,
    last_used: AtomicU64,
}

impl Entry {
    /// An entry with its records put in order.
    pub fn new(question: Question, mut records: Vec<Kept>, expires: Option<Time>, now: Time) -> Entry {
        order::sort(&mut records);
        records.truncate(RECORDS_PER_ENTRY_MAX);
        let bytes = bytes_of(&question, &records);
        Entry { question, records, expires, bytes, last_used: AtomicU64::new(now.0) }
    }

    /// An entry that says: nothing there.
    pub fn negative(question: Question, expires: Option<Time>, now: Time) -> Entry {
        Entry::new(question, Vec::new(), expires, now)
    }

    /// Does it say that there are no records?
    pub fn is_negative(&self) -> bool {
        self.records.is_empty()
    }

    /// Does it stay until it is deleted by force?
    pub fn is_permanent(&self) -> bool {
        self.expires.is_none()
    }

    /// Has its time passed?
    pub fn is_expired(&self, now: Time) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    /// Marks the entry as used now.
    pub fn touch(&self, now: Time) {
        self.last_used.store(now.0, Ordering::Relaxed);
    }

    /// When it was used last.
    pub fn last_used(&self) -> Time {
        Time(self.last_used.load(Ordering::Relaxed))
    }

    /// The name this entry is an alias of.
    pub fn alias(&self) -> Option<&Arc<str>> {
        match self.records.first() {
            Some(Kept { data: Data::Name(target), .. }) if self.question.kind == Kind::Cname => Some(target),
            _ => None,
        }
    }
}

/// What an answer teaches: one entry for each name and kind in it, and the one that answers the question. An answer without
/// the records asked for is an entry that says so.
pub fn learn(question: &Question, reply: &Reply, settings: &Settings, now: Time) -> (Vec<Arc<Entry>>, Arc<Entry>) {
    let mut entries: Vec<Arc<Entry>> = Vec::new();
    let mut name = Arc::clone(&question.name);
    for _ in 0..=ALIAS_DEPTH_MAX {
        if let Some(entry) = of_owner(&name, question.kind, reply, settings, now) {
            entries.push(Arc::clone(&entry));
            return (entries, entry);
        }
        let Some(alias) = of_owner(&name, Kind::Cname, reply, settings, now) else { break };
        let Some(target) = alias.alias().cloned() else { break };
        entries.push(alias);
        name = target;
    }
    let missing = Question { name, kind: question.kind };
    let lifetime = u64::from(settings.negative_seconds.min(LIFETIME_CEILING)) * 1_000;
    let negative = Arc::new(Entry::negative(missing, Some(now.plus(lifetime)), now));
    entries.push(Arc::clone(&negative));
    (entries, negative)
}

fn of_owner(owner: &Arc<str>, kind: Kind, reply: &Reply, settings: &Settings, now: Time) -> Option<Arc<Entry>> {
    let records: Vec<Kept> = reply
        .records
        .iter()
        .filter(|record| record.kind == kind && record.owner == *owner)
        .map(|record| Kept { data: record.data.clone(), expires: Some(now.plus(lifetime(record, settings))) })
        .collect();
    let expires = records.iter().filter_map(|record| record.expires).max()?;
    let question = Question { name: Arc::clone(owner), kind };
    let mut entry = Entry::new(question, records, Some(expires), now);
    // Of an answer, the last record is padded too.
    entry.bytes = entry.bytes.next_multiple_of(8);
    Some(Arc::new(entry))
}

/// Milliseconds a record counts: what the name server says, within `dns_cache_min_ttl`, `dns_cache_max_ttl` and our bounds.
fn lifetime(record: &Record, settings: &Settings) -> u64 {
    let wanted = record.seconds.max(settings.lifetime_min).min(settings.lifetime_max);
    u64::from(wanted.clamp(LIFETIME_FLOOR, LIFETIME_CEILING)) * 1_000
}

/// Kamailio's arithmetic: an entry of 64 bytes with its name, then the records, each but the last padded to eight.
fn bytes_of(question: &Question, records: &[Kept]) -> usize {
    let head = 64 + question.name.len();
    let last = records.len().saturating_sub(1);
    records.iter().enumerate().fold(head, |sum, (index, record)| {
        let bytes = 24 + data_bytes(&record.data);
        let start = sum.next_multiple_of(8);
        start + if index == last { bytes } else { bytes.next_multiple_of(8) }
    })
}

fn data_bytes(data: &Data) -> usize {
    match data {
        Data::Address(std::net::IpAddr::V4(_)) => 4,
        Data::Address(std::net::IpAddr::V6(_)) => 16,
        Data::Server(server) => 8 + server.target.len(),
        Data::Pointer(pointer) => {
            48 + pointer.flags.len() + pointer.service.len() + pointer.expression.len() + pointer.replacement.len() + 1
        }
        Data::Name(name) => 2 + name.len(),
        Data::Text(texts) => 8 + texts.iter().map(|text| 17 + text.len()).sum::<usize>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(name: &str, kind: Kind) -> Question {
        Question::new(name, kind).unwrap()
    }

    fn address(owner: &str, text: &str, seconds: u32) -> Record {
        Record { owner: Arc::from(owner), kind: Kind::A, seconds, data: Data::Address(text.parse().unwrap()) }
    }

    fn alias(owner: &str, target: &str) -> Record {
        Record { owner: Arc::from(owner), kind: Kind::Cname, seconds: 300, data: Data::Name(Arc::from(target)) }
    }

    fn learnt(name: &str, records: Vec<Record>) -> (Vec<Arc<Entry>>, Arc<Entry>) {
        learn(&question(name, Kind::A), &Reply { records, milliseconds: 1 }, &Settings::default(), Time(0))
    }

    #[test]
    fn an_alias_and_its_target_become_entries_of_their_own() {
        let (entries, answer) = learnt("a.test", vec![alias("a.test", "b.test"), address("b.test", "192.0.2.1", 20)]);
        assert_eq!(entries.len(), 2);
        assert_eq!(&*answer.question.name, "b.test");
        assert_eq!(answer.expires, Some(Time(20_000)));
    }

    #[test]
    fn a_circle_of_aliases_ends_as_no_record() {
        let (entries, answer) = learnt("a.test", vec![alias("a.test", "b.test"), alias("b.test", "a.test")]);
        assert!(answer.is_negative());
        assert!(entries.len() <= ALIAS_DEPTH_MAX + 2);
    }

    #[test]
    fn records_of_other_names_are_not_taken() {
        let (_, answer) = learnt("a.test", vec![address("evil.test", "192.0.2.66", 300)]);
        assert!(answer.is_negative());
        assert_eq!(answer.expires, Some(Time(60_000)));
    }

    #[test]
    fn lifetimes_have_a_floor_and_a_ceiling() {
        let (_, short) = learnt("a.test", vec![address("a.test", "192.0.2.1", 0)]);
        assert_eq!(short.expires, Some(Time(1_000)));
        let (_, long) = learnt("a.test", vec![address("a.test", "192.0.2.1", u32::MAX)]);
        assert_eq!(long.expires, Some(Time(86_400_000)));
    }

    #[test]
    fn a_thousand_servers_are_cut_to_the_most_preferred_ones() {
        let records = (0..1_000_u16)
            .map(|number| {
                let server = super::super::record::Server { priority: 1_000 - number, weight: 0, port: 5060, target: Arc::from("a.test") };
                Record { owner: Arc::from("_sip._udp.a.test"), kind: Kind::Srv, seconds: 60, data: Data::Server(server) }
            })
            .collect();
        let reply = Reply { records, milliseconds: 0 };
        let (_, answer) = learn(&question("_sip._udp.a.test", Kind::Srv), &reply, &Settings::default(), Time(0));
        assert_eq!(answer.records.len(), RECORDS_PER_ENTRY_MAX);
        assert!(matches!(&answer.records[0].data, Data::Server(server) if server.priority == 1));
    }

    #[test]
    fn entries_are_as_large_as_kamailio_says() {
        let one = |name: &str, data: Data| Entry::new(question(name, Kind::A), vec![Kept { data, expires: None }], None, Time(0)).bytes;
        assert_eq!(one("st.test", Data::Address("127.0.0.1".parse().unwrap())), 100);
        assert_eq!(one("st.test", Data::Address("::1".parse().unwrap())), 112);
        assert_eq!(Entry::negative(question("nx.test", Kind::A), None, Time(0)).bytes, 71);
    }
}
