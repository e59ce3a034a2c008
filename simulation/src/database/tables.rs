//! The two tables, as databases keep them: an index that is not unique, so that a row written twice is there twice.

use std::collections::BTreeMap;

use dialog::DialogId;
use storage::batch::Batch;
use storage::row::Cell;
use storage::{DialogRow, Operation, VariableRow};

/// Key and value.
type Pair = (Vec<u8>, Vec<u8>);

/// Both tables, by dialog.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    dialogs: BTreeMap<DialogId, Vec<DialogRow>>,
    /// In the order in which they were written.
    variables: BTreeMap<DialogId, Vec<Pair>>,
}

/// Slot and number of a row.
pub fn id_of(row: &DialogRow) -> Option<DialogId> {
    row.id().map(|(entry, id)| DialogId { entry, id })
}

impl Tables {
    /// Applies all of a batch.
    pub fn apply(&mut self, batch: &Batch) {
        for operation in &batch.operations {
            match operation {
                Operation::Put { row, is_new, variables } => self.put(row, *is_new, variables.as_deref(), batch.is_retry),
                Operation::Remove { entry, id } => self.remove(DialogId { entry: *entry, id: *id }),
            }
        }
    }

    fn put(&mut self, row: &DialogRow, is_new: bool, variables: Option<&[Pair]>, is_retry: bool) {
        let Some(id) = id_of(row) else { return };
        let rows = self.dialogs.entry(id).or_default();
        if is_new && is_retry {
            rows.clear();
        }
        if is_new || rows.is_empty() {
            rows.push(row.clone());
        } else {
            rows.iter_mut().for_each(|own| own.clone_from(row));
        }
        match variables {
            Some([]) => drop(self.variables.remove(&id)),
            Some(variables) => drop(self.variables.insert(id, variables.iter().rev().cloned().collect())),
            None => {}
        }
    }

    fn remove(&mut self, id: DialogId) {
        self.dialogs.remove(&id);
        self.variables.remove(&id);
    }

    /// Rows of dialogs.
    pub fn len(&self) -> usize {
        self.dialogs.values().map(Vec::len).sum()
    }

    /// Neither rows nor variables.
    pub fn is_empty(&self) -> bool {
        self.dialogs.is_empty() && self.variables.is_empty()
    }

    /// The rows of a dialog; one, unless something went wrong.
    pub fn rows_of(&self, id: DialogId) -> &[DialogRow] {
        self.dialogs.get(&id).map_or(&[], Vec::as_slice)
    }

    /// The variables of a dialog, newest first.
    pub fn variables_of(&self, id: DialogId) -> Vec<Pair> {
        self.variables.get(&id).into_iter().flatten().rev().cloned().collect()
    }

    /// All rows, in the order of their dialogs.
    pub fn rows(&self) -> impl Iterator<Item = &DialogRow> {
        self.dialogs.values().flatten()
    }

    /// All dialogs that have a row, or variables without one.
    pub fn ids(&self) -> impl Iterator<Item = DialogId> {
        self.dialogs.keys().chain(self.variables.keys().filter(|id| !self.dialogs.contains_key(id))).copied()
    }

    /// All variables as rows, in the order in which they were written.
    pub fn variable_rows(&self) -> impl Iterator<Item = VariableRow> {
        let number = |number: u32| Cell::Integer(i64::from(number));
        self.variables.iter().flat_map(move |(id, pairs)| {
            pairs.iter().map(move |(key, value)| VariableRow {
                entry: number(id.entry),
                id: number(id.id),
                key: Cell::Text(key.clone()),
                value: Cell::Text(value.clone()),
            })
        })
    }
}
