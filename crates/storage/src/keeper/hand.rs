//! The batch in hand: out at the database, or waiting to be tried again, perhaps in parts.

use std::collections::VecDeque;

use sip::time::Time;

use crate::batch::{Batch, Operation};
use crate::error::StorageError;

/// Changes that left the journal and are not known to be written.
#[derive(Debug)]
pub(super) struct Hand {
    /// The first one is tried next. More than one only after a refusal.
    parts: VecDeque<Batch>,
    /// All noted up to here is written once the hand is empty; None for removals taken out of turn.
    pub upto: Option<u64>,
    /// Nothing that was due was left behind in the journal.
    pub is_all: bool,
    /// What it held at first.
    pub operations: usize,
}

/// What became of a refused part.
pub(super) enum Sorted {
    /// It is tried again in two halves.
    Halved,
    /// It was this operation; it is tried again without what does not fit.
    Trimmed(Operation),
    /// It was this operation; it is out.
    Dropped(Operation),
    Nothing,
}

impl Hand {
    pub fn new(operations: Vec<Operation>, is_retry: bool, upto: Option<u64>, is_all: bool) -> Hand {
        let count = operations.len();
        Hand { parts: VecDeque::from([Batch { operations, is_retry }]), upto, is_all, operations: count }
    }

    pub fn first(&self) -> Option<&Batch> {
        self.parts.front()
    }

    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Operations that are not written yet.
    pub fn left(&self) -> usize {
        self.parts.iter().map(|part| part.operations.len()).sum()
    }

    /// The first part is written.
    pub fn written(&mut self) -> usize {
        self.parts.pop_front().map_or(0, |part| part.operations.len())
    }

    /// Nobody knows whether the first part is written. Much may pile up behind it before it is.
    pub fn is_uncertain(&mut self) {
        self.is_all = false;
        if let Some(part) = self.parts.front_mut() {
            part.is_retry = true;
        }
    }

    /// Nothing of the first part is written, because of one of its operations: halves find it in few attempts, and the
    /// order stays.
    pub fn refused(&mut self) -> Sorted {
        let Some(mut part) = self.parts.pop_front() else { return Sorted::Nothing };
        if part.operations.len() <= 1 {
            let Some(operation) = part.operations.pop() else { return Sorted::Nothing };
            let Some(trimmed) = operation.trimmed() else { return Sorted::Dropped(operation) };
            self.parts.push_front(Batch { operations: vec![trimmed], is_retry: part.is_retry });
            return Sorted::Trimmed(operation);
        }
        let second = part.operations.split_off(part.operations.len() / 2);
        self.parts.push_front(Batch { operations: second, is_retry: part.is_retry });
        self.parts.push_front(part);
        Sorted::Halved
    }
}

/// A row of failures.
#[derive(Debug)]
pub(super) struct Trouble {
    /// When the first attempt failed.
    pub since: Time,
    pub attempts: u32,
    pub retry_at: Time,
    /// Longest pause so far, milliseconds.
    pub pause: u64,
    pub told: Time,
    pub error: StorageError,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_row_is_tried_once_more_without_what_does_not_fit() {
        let variables = vec![(b"long".to_vec(), vec![b'x'; 600]), (b"short".to_vec(), b"1".to_vec())];
        let put = |variables| Operation::Put { row: Box::default(), is_new: true, variables: Some(variables) };
        let mut hand = Hand::new(vec![put(variables.clone())], false, Some(1), true);
        assert!(matches!(hand.refused(), Sorted::Trimmed(whole) if whole == put(variables.clone())));
        let short = put(variables[1..].to_vec());
        assert_eq!(hand.first(), Some(&Batch { operations: vec![short.clone()], is_retry: false }));
        assert!(matches!(hand.refused(), Sorted::Dropped(out) if out == short));
        assert!(hand.is_empty());
    }
}
