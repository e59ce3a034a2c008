//! Answers that still count, shared by all workers (spec proxy-core 6.4).

use std::collections::BTreeMap;
use std::sync::Arc;

use sip::time::Time;

use super::entry::{Entry, Kept};
use super::limits::{ALIAS_DEPTH_MAX, ENTRIES_MAX};
use super::record::{Data, Kind, Question};
use super::settings::{RecordPreference, Settings};

/// Why a record cannot be added by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddError {
    /// The name's records are permanent and this one is not.
    Permanent,
    /// The cache is full.
    Full,
}

/// Why an entry is not deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeleteError {
    Unknown,
    Permanent,
}

/// A record added by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addition {
    pub question: Question,
    /// None: the name has no such record.
    pub data: Option<Data>,
    pub seconds: u32,
    pub is_permanent: bool,
}

/// The entries by name and kind.
#[derive(Debug, Default)]
pub struct Cache {
    entries: BTreeMap<Question, Arc<Entry>>,
    bytes: usize,
}

impl Cache {
    /// What is known about a question, aliases followed; None: it has to be asked. `stale`: entries count for ever.
    pub fn find(&self, question: &Question, now: Time, stale: bool) -> Option<Arc<Entry>> {
        let mut name = Arc::clone(&question.name);
        for _ in 0..=ALIAS_DEPTH_MAX {
            if let Some(entry) = self.fresh(&Question { name: Arc::clone(&name), kind: question.kind }, now, stale) {
                return Some(entry);
            }
            let alias = self.fresh(&Question { name, kind: Kind::Cname }, now, stale)?;
            name = Arc::clone(alias.alias()?);
        }
        // Aliases in a circle: as if there were no record.
        Some(Arc::new(Entry::negative(question.clone(), Some(now), now)))
    }

    fn fresh(&self, question: &Question, now: Time, stale: bool) -> Option<Arc<Entry>> {
        let entry = self.entries.get(question).filter(|entry| stale || !entry.is_expired(now))?;
        entry.touch(now);
        Some(Arc::clone(entry))
    }

    /// Keeps what an answer taught, as far as `dns_cache_rec_pref` and the room allow.
    pub fn store(&mut self, entry: Arc<Entry>, settings: &Settings, now: Time) {
        if entry.is_expired(now) {
            return;
        }
        if let Some(former) = self.entries.get(&entry.question).filter(|former| !former.is_expired(now)) {
            let keeps_former = former.is_permanent()
                || match settings.preference {
                    RecordPreference::None | RecordPreference::New => false,
                    RecordPreference::Old => true,
                    RecordPreference::LongerLived => former.expires > entry.expires,
                };
            if keeps_former {
                return;
            }
        }
        if self.make_room(entry.bytes, settings, now) {
            self.put(entry);
        }
    }

    /// Adds a record by hand to what the name has.
    pub fn add(&mut self, addition: Addition, settings: &Settings, now: Time) -> Result<(), AddError> {
        let Addition { question, data, seconds, is_permanent } = addition;
        let end = (!is_permanent).then(|| now.plus(u64::from(seconds) * 1_000));
        let former = self.entries.get(&question).filter(|former| !former.is_expired(now)).cloned();
        if former.as_ref().is_some_and(|former| former.is_permanent() && !is_permanent) {
            return Err(AddError::Permanent);
        }
        let former = former.filter(|former| former.is_permanent() == is_permanent);
        let entry = match data {
            None => Entry::negative(question, end, now),
            Some(data) => {
                let is_same = |kept: &Kept| is_same_place(&kept.data, &data);
                let mut records: Vec<Kept> =
                    former.iter().flat_map(|former| &former.records).filter(|kept| !is_same(kept)).cloned().collect();
                let longest = records.iter().map(|kept| kept.expires).max().flatten();
                records.push(Kept { data, expires: end });
                Entry::new(question, records, end.max(longest), now)
            }
        };
        if !self.make_room(entry.bytes, settings, now) {
            return Err(AddError::Full);
        }
        self.put(Arc::new(entry));
        Ok(())
    }

    fn put(&mut self, entry: Arc<Entry>) {
        self.bytes += entry.bytes;
        if let Some(former) = self.entries.insert(entry.question.clone(), entry) {
            self.bytes = self.bytes.saturating_sub(former.bytes);
        }
    }

    fn make_room(&mut self, bytes: usize, settings: &Settings, now: Time) -> bool {
        if self.has_room(bytes, settings) {
            return true;
        }
        self.sweep(now);
        if settings.drops_unexpired && !self.has_room(bytes, settings) {
            let mut by_use: Vec<(Time, Question)> = self
                .entries
                .values()
                .filter(|entry| !entry.is_permanent())
                .map(|entry| (entry.last_used(), entry.question.clone()))
                .collect();
            by_use.sort();
            for (_, question) in by_use {
                if self.has_room(bytes, settings) {
                    break;
                }
                self.remove(&question);
            }
        }
        self.has_room(bytes, settings)
    }

    fn has_room(&self, bytes: usize, settings: &Settings) -> bool {
        self.entries.len() < ENTRIES_MAX && self.bytes.saturating_add(bytes) <= settings.cache_bytes
    }

    fn remove(&mut self, question: &Question) {
        if let Some(entry) = self.entries.remove(question) {
            self.bytes = self.bytes.saturating_sub(entry.bytes);
        }
    }

    /// Forgets one entry on request; permanent ones stay.
    pub fn delete(&mut self, question: &Question, now: Time) -> Result<(), DeleteError> {
        match self.entries.get(question) {
            Some(entry) if entry.is_permanent() => Err(DeleteError::Permanent),
            Some(entry) if !entry.is_expired(now) => {
                self.remove(question);
                Ok(())
            }
            _ => Err(DeleteError::Unknown),
        }
    }

    /// Forgets every entry; permanent ones only by force.
    pub fn clear(&mut self, by_force: bool) {
        self.retain(|entry| entry.is_permanent() && !by_force);
    }

    /// Forgets what no longer counts.
    pub fn sweep(&mut self, now: Time) {
        self.retain(|entry| !entry.is_expired(now));
    }

    fn retain(&mut self, keeps: impl Fn(&Entry) -> bool) {
        self.entries.retain(|_, entry| keeps(entry));
        self.bytes = self.entries.values().map(|entry| entry.bytes).sum();
    }

    /// Every entry that counts, by name.
    pub fn entries(&self, now: Time) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.values().filter(move |entry| !entry.is_expired(now))
    }

    /// Bytes in use.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Would the new record take the place of the old one?
fn is_same_place(old: &Data, new: &Data) -> bool {
    match (old, new) {
        (Data::Server(old), Data::Server(new)) => old.target == new.target,
        _ => old == new,
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::Server;
    use super::*;

    fn question(name: &str, kind: Kind) -> Question {
        Question::new(name, kind).unwrap()
    }

    fn address(name: &str, text: &str, seconds: u32, is_permanent: bool) -> Addition {
        Addition { question: question(name, Kind::A), data: Some(Data::Address(text.parse().unwrap())), seconds, is_permanent }
    }

    fn server(priority: u16, weight: u16, port: u16, target: &str) -> Addition {
        let data = Data::Server(Server { priority, weight, port, target: Arc::from(target) });
        Addition { question: question("s.test", Kind::Srv), data: Some(data), seconds: 100, is_permanent: false }
    }

    fn entry(name: &str, seconds: u64) -> Arc<Entry> {
        let end = Some(Time(seconds * 1_000));
        let kept = Kept { data: Data::Address("192.0.2.1".parse().unwrap()), expires: end };
        Arc::new(Entry::new(question(name, Kind::A), vec![kept], end, Time(0)))
    }

    #[test]
    fn permanent_records_replace_passing_ones_and_refuse_them() {
        let settings = Settings::default();
        let mut cache = Cache::default();
        cache.add(address("a.test", "192.0.2.1", 100, false), &settings, Time(0)).unwrap();
        cache.add(address("a.test", "192.0.2.2", 200, false), &settings, Time(0)).unwrap();
        let found = cache.find(&question("a.test", Kind::A), Time(0), false).unwrap();
        assert_eq!((found.records.len(), found.expires), (2, Some(Time(200_000))));
        cache.add(address("a.test", "192.0.2.9", 30, true), &settings, Time(0)).unwrap();
        let found = cache.find(&question("a.test", Kind::A), Time(0), false).unwrap();
        assert_eq!((found.records.len(), found.expires), (1, None));
        assert_eq!(cache.add(address("a.test", "192.0.2.2", 200, false), &settings, Time(0)), Err(AddError::Permanent));
        cache.clear(false);
        assert_eq!(cache.entries(Time(0)).count(), 1);
        cache.clear(true);
        assert_eq!((cache.entries(Time(0)).count(), cache.bytes()), (0, 0));
    }

    #[test]
    fn a_server_takes_the_place_of_one_with_its_target() {
        let settings = Settings::default();
        let mut cache = Cache::default();
        for addition in [server(5, 10, 5061, "a.test"), server(6, 20, 5062, "a.test"), server(5, 10, 5061, "b.test")] {
            cache.add(addition, &settings, Time(0)).unwrap();
        }
        let found = cache.find(&question("s.test", Kind::Srv), Time(0), false).unwrap();
        let ports: Vec<u16> = found
            .records
            .iter()
            .map(|kept| match &kept.data {
                Data::Server(server) => server.port,
                _ => 0,
            })
            .collect();
        assert_eq!(ports, [5061, 5062]);
    }

    #[test]
    fn aliases_are_followed_and_circles_end() {
        let settings = Settings::default();
        let mut cache = Cache::default();
        for (owner, target) in [("a.test", "b.test"), ("x.test", "y.test"), ("y.test", "x.test")] {
            let data = Some(Data::Name(Arc::from(target)));
            cache
                .add(Addition { question: question(owner, Kind::Cname), data, seconds: 9, is_permanent: false }, &settings, Time(0))
                .unwrap();
        }
        cache.add(address("b.test", "192.0.2.1", 9, false), &settings, Time(0)).unwrap();
        assert_eq!(&*cache.find(&question("a.test", Kind::A), Time(0), false).unwrap().question.name, "b.test");
        assert!(cache.find(&question("x.test", Kind::A), Time(0), false).unwrap().is_negative());
        assert!(cache.find(&question("z.test", Kind::A), Time(0), false).is_none());
    }

    #[test]
    fn what_has_expired_is_asked_again_unless_the_name_server_is_known_to_be_down() {
        let settings = Settings::default();
        let mut cache = Cache::default();
        cache.store(entry("a.test", 10), &settings, Time(0));
        let asked = question("a.test", Kind::A);
        assert!(cache.find(&asked, Time(9_999), false).is_some());
        assert!(cache.find(&asked, Time(10_000), false).is_none());
        assert!(cache.find(&asked, Time(10_000), true).is_some());
        cache.sweep(Time(10_000));
        assert!(cache.find(&asked, Time(10_000), true).is_none());
    }

    #[test]
    fn a_full_cache_keeps_what_counts_unless_it_may_drop_it() {
        let mut settings = Settings { cache_bytes: 250, ..Settings::default() };
        let mut cache = Cache::default();
        cache.store(entry("a.test", 10), &settings, Time(0));
        cache.store(entry("b.test", 10), &settings, Time(0));
        cache.find(&question("a.test", Kind::A), Time(5), false);
        cache.store(entry("c.test", 10), &settings, Time(6));
        assert!(cache.find(&question("c.test", Kind::A), Time(6), false).is_none());
        settings.drops_unexpired = true;
        cache.store(entry("c.test", 10), &settings, Time(7));
        assert!(cache.find(&question("c.test", Kind::A), Time(7), false).is_some());
        assert!(cache.find(&question("b.test", Kind::A), Time(7), false).is_none());
        assert!(cache.bytes() <= 250);
    }

    #[test]
    fn the_preference_decides_which_of_two_answers_stays() {
        for (preference, expected) in
            [(RecordPreference::None, 20), (RecordPreference::Old, 10), (RecordPreference::New, 20), (RecordPreference::LongerLived, 20)]
        {
            let settings = Settings { preference, ..Settings::default() };
            let mut cache = Cache::default();
            cache.store(entry("a.test", 10), &settings, Time(0));
            cache.store(entry("a.test", 20), &settings, Time(0));
            let found = cache.find(&question("a.test", Kind::A), Time(0), false).unwrap();
            assert_eq!(found.expires, Some(Time(expected * 1_000)), "{preference:?}");
        }
    }
}
