//! The batch in hand: out at the database, or waiting to be tried again, perhaps in parts.

use std::collections::VecDeque;

use sip::time::Time;

use crate::batch::{Batch, Operation};
use crate::error::StorageError;

/// Changes that left the journal and are not known to be written.
#[derive(Debug)]
pub(super) struct Hand {
    /// The first one is tried next. More than one only after a refusal or failures in a row.
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

    /// The first part is written; it is handed out.
    pub fn written(&mut self) -> Vec<Operation> {
        self.parts.pop_front().map(|part| part.operations).unwrap_or_default()
    }

    /// Nobody knows whether the first part is written. Much may pile up behind it before it is. Parts become no larger than
    /// `most`: a slow database may never do a large one within its time.
    pub fn became_uncertain(&mut self, most: usize) {
        self.is_all = false;
        if let Some(part) = self.parts.front_mut() {
            part.is_retry = true;
        }
        for mut part in std::mem::take(&mut self.parts) {
            while part.operations.len() > most {
                let operations = part.operations.split_off(most);
                self.parts.push_back(Batch { operations: std::mem::replace(&mut part.operations, operations), ..part });
            }
            self.parts.push_back(part);
        }
    }

    /// The first part is not written, because of one of its operations: halves find it in few attempts, and the order stays.
    /// Rows of others may be there, when it was refused while a row that had gone was put back.
    pub fn refused(&mut self) -> Sorted {
        let Some(mut part) = self.parts.pop_front() else { return Sorted::Nothing };
        if part.operations.len() <= 1 {
            let Some(operation) = part.operations.pop() else { return Sorted::Nothing };
            let Some(trimmed) = operation.trimmed() else { return Sorted::Dropped(operation) };
            self.parts.push_front(Batch { operations: vec![trimmed], is_retry: true });
            return Sorted::Trimmed(operation);
        }
        let second = part.operations.split_off(part.operations.len() / 2);
        self.parts.push_front(Batch { operations: second, is_retry: true });
        self.parts.push_front(Batch { is_retry: true, ..part });
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
        assert_eq!(hand.first(), Some(&Batch { operations: vec![short.clone()], is_retry: true }));
        assert!(matches!(hand.refused(), Sorted::Dropped(out) if out == short));
        assert!(hand.is_empty());
    }
}
