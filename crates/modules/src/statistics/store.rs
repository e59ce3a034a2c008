//! Counters defined by the configuration.

use std::sync::atomic::{AtomicI64, Ordering};

/// One counter.
#[derive(Debug)]
pub struct Variable {
    pub group: String,
    pub name: String,
    pub description: String,
    pub may_reset: bool,
    value: AtomicI64,
}

impl Variable {
    /// The value now.
    pub fn value(&self) -> i64 {
        self.value.load(Ordering::Relaxed)
    }

    /// Adds a number, which may be negative.
    pub fn add(&self, number: i64) {
        self.value.fetch_add(number, Ordering::Relaxed);
    }

    /// Sets the value.
    pub fn set(&self, number: i64) {
        self.value.store(number, Ordering::Relaxed);
    }

    /// Sets 0, unless it was declared without reset.
    pub fn reset(&self) {
        if self.may_reset {
            self.set(0);
        }
    }
}

/// The counters of one module; fixed after the start, so reading needs no lock.
#[derive(Debug, Default)]
pub struct Store {
    pub list: Vec<Variable>,
}

impl Store {
    /// Adds a counter unless it exists.
    pub fn add(&mut self, group: &str, name: &str, description: &str, may_reset: bool) {
        if self.find(Some(group), name).is_none() {
            self.list.push(Variable {
                group: group.to_owned(),
                name: name.to_owned(),
                description: description.to_owned(),
                may_reset,
                value: AtomicI64::new(0),
            });
        }
    }

    /// The counter of this name, in a group or any.
    pub fn find(&self, group: Option<&str>, name: &str) -> Option<&Variable> {
        self.list.iter().find(|variable| variable.name == name && group.is_none_or(|group| group == variable.group))
    }
}
