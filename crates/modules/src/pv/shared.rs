//! Variables shared by all workers: `$shv(name)`, `$shvinc(name)`.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use script::exports::{Index, Inner};
use script::value::{Text, Value};

use crate::worker::Worker;

/// Most shared variables of a node.
pub const SHARED_MAX: usize = 16_384;

/// Values by name; the lock is held for one read or write.
#[derive(Debug, Default)]
pub struct Shared {
    values: Mutex<BTreeMap<Text, Value>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<Text, Value>> {
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value, None when the variable was never used.
    pub fn find(&self, name: &[u8]) -> Option<Value> {
        self.lock().get(&Text::from(name)).cloned()
    }

    /// The value; the first use makes it 0.
    pub fn read(&self, name: &[u8]) -> Value {
        let mut values = self.lock();
        let key = Text::from(name);
        if let Some(value) = values.get(&key) {
            return value.clone();
        }
        if values.len() < SHARED_MAX {
            values.insert(key, Value::Integer(0));
        }
        Value::Integer(0)
    }

    /// Sets a value; null sets the empty text.
    pub fn set(&self, name: &[u8], value: Value) -> Result<(), String> {
        let mut values = self.lock();
        let key = Text::from(name);
        if !values.contains_key(&key) && values.len() >= SHARED_MAX {
            return Err(format!("more than {SHARED_MAX} shared variables"));
        }
        values.insert(key, if value.is_null() { Value::Text(Text::empty()) } else { value.kept() });
        Ok(())
    }

    /// Adds one to an integer and answers it; text counts as 0.
    pub fn increment(&self, name: &[u8]) -> Value {
        let mut values = self.lock();
        let key = Text::from(name);
        let next = match values.get(&key) {
            Some(Value::Integer(number)) => number.saturating_add(1),
            _ => 1,
        };
        if values.contains_key(&key) || values.len() < SHARED_MAX {
            values.insert(key, Value::Integer(next));
        }
        Value::Integer(next)
    }

    /// All names and values in order of names.
    pub fn all(&self) -> Vec<(Text, Value)> {
        self.lock().iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}

pub(super) fn read(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    worker.node.states.pv.shared.read(inner.word())
}

pub(super) fn write(worker: &mut Worker, inner: &Inner, _index: Option<Index>, value: Value) -> Result<(), String> {
    worker.node.states.pv.shared.set(inner.word(), value)
}

pub(super) fn increment(worker: &mut Worker, inner: &Inner, _index: Option<Index>) -> Value {
    worker.node.states.pv.shared.increment(inner.word())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_use_makes_a_shared_variable_zero() {
        let shared = Shared::default();
        assert_eq!(shared.find(b"a"), None);
        assert_eq!(shared.read(b"a"), Value::Integer(0));
        assert_eq!(shared.find(b"a"), Some(Value::Integer(0)));
        assert_eq!(shared.increment(b"a"), Value::Integer(1));
        shared.set(b"a", Value::text("x")).unwrap();
        assert_eq!(shared.all(), [(Text::from("a"), Value::text("x"))]);
        shared.set(b"a", Value::Null).unwrap();
        assert_eq!(shared.read(b"a"), Value::Text(Text::empty()));
    }
}
