//! A batch, sorted into what is done to each table: which rows go, which change, which come. Several operations for one
//! dialog become one, so that whole groups of rows can be sent at once.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::batch::{Batch, Operation};
use crate::columns::{ColumnType, DECLARATIONS, VARIABLE_COLUMNS};
use crate::error::{ErrorKind, StorageError};
use crate::names::TableNames;
use crate::row::{Cell, DialogRow};
use crate::url::Url;

/// One variable: slot and number of its dialog, key, value.
pub(crate) type Variable<'a> = (u32, u32, &'a str, &'a str);

/// To be done in the order of the fields.
#[derive(Debug, Default)]
pub(crate) struct Plan<'a> {
    pub(crate) rows_removed: Vec<(u32, u32)>,
    pub(crate) variables_removed: Vec<(u32, u32)>,
    pub(crate) rows_changed: Vec<&'a DialogRow>,
    pub(crate) rows_added: Vec<&'a DialogRow>,
    pub(crate) variables_added: Vec<Variable<'a>>,
}

/// What is left of all operations for one dialog.
#[derive(Default)]
struct Outcome<'a> {
    row: Option<&'a DialogRow>,
    variables: Option<&'a [(Vec<u8>, Vec<u8>)]>,
    /// There is no row yet.
    is_new: bool,
    /// What stands in the tables goes first.
    is_removed: bool,
}

impl<'a> Plan<'a> {
    /// Sorts a batch. With `replaces`, rows that are put take the place of whatever is there, even of nothing: that is right
    /// after any outcome of an attempt before.
    pub(crate) fn of(url: &Url, names: &TableNames, batch: &'a Batch, replaces: bool) -> Result<Plan<'a>, StorageError> {
        let refused = |reason: String| StorageError::new(ErrorKind::Refused, url.to_string(), reason);
        let mut order: Vec<(u32, u32)> = Vec::with_capacity(batch.operations.len());
        let mut outcomes: HashMap<(u32, u32), Outcome<'a>> = HashMap::with_capacity(batch.operations.len());
        for operation in &batch.operations {
            let id = match operation {
                Operation::Put { row, .. } => row.id().ok_or_else(|| refused("the row has no slot or no number".to_owned()))?,
                Operation::Remove { entry, id } => (*entry, *id),
            };
            let outcome = outcomes.entry(id).or_insert_with(|| {
                order.push(id);
                Outcome::default()
            });
            match operation {
                Operation::Put { row, is_new, variables } => {
                    outcome.is_new = outcome.is_new || (*is_new && outcome.row.is_none());
                    outcome.row = Some(row);
                    outcome.variables = variables.as_deref().or(outcome.variables);
                }
                Operation::Remove { .. } => *outcome = Outcome { is_removed: true, ..Outcome::default() },
            }
        }
        let mut plan = Plan::default();
        for id in order {
            if let Some(outcome) = outcomes.remove(&id) {
                plan.add(names, id, &outcome, replaces).map_err(|reason| refused(format!("dialog {}:{}: {reason}", id.0, id.1)))?;
            }
        }
        Ok(plan)
    }

    fn add(&mut self, names: &TableNames, id: (u32, u32), outcome: &Outcome<'a>, replaces: bool) -> Result<(), String> {
        if outcome.is_removed || (replaces && outcome.row.is_some()) {
            self.rows_removed.push(id);
        }
        if outcome.is_removed || outcome.variables.is_some() {
            self.variables_removed.push(id);
        }
        let Some(row) = outcome.row else { return Ok(()) };
        check_row(names, row)?;
        if outcome.is_new || outcome.is_removed || replaces {
            self.rows_added.push(row);
        } else {
            self.rows_changed.push(row);
        }
        // Oldest first: what is read last is the newest.
        for (key, value) in outcome.variables.unwrap_or_default().iter().rev() {
            let [_, _, key_column, value_column] = &names.variable_columns;
            let (key, value) = (check_text(key_column, key)?, check_text(value_column, value)?);
            self.variables_added.push((id.0, id.1, key, value));
        }
        Ok(())
    }

    /// Nothing is to be done.
    pub(crate) fn is_empty(&self) -> bool {
        self.rows_removed.is_empty()
            && self.variables_removed.is_empty()
            && self.rows_changed.is_empty()
            && self.rows_added.is_empty()
            && self.variables_added.is_empty()
    }

    /// The first text that is longer than its column takes: `longest` gives characters for a table and a column. For databases
    /// that do not tell which one they refused.
    #[cfg(any(feature = "postgres", test))]
    pub(crate) fn first_too_long(&self, names: &TableNames, longest: impl Fn(&str, &str) -> Option<usize>) -> Option<String> {
        for row in self.rows_changed.iter().chain(&self.rows_added) {
            for (name, cell) in names.columns.iter().zip(&row.cells) {
                let length = cell.text().and_then(|text| std::str::from_utf8(text).ok()).map_or(0, |text| text.chars().count());
                if let Some(most) = longest(&names.dialogs, name).filter(|most| length > *most) {
                    let (entry, id) = row.id().unwrap_or_default();
                    return Some(format!("dialog {entry}:{id}: {name} has {length} characters, its column takes {most}"));
                }
            }
        }
        for (entry, id, key, value) in &self.variables_added {
            for (name, text) in names.variable_columns.iter().skip(2).zip([key, value]) {
                let length = text.chars().count();
                if let Some(most) = longest(&names.variables, name).filter(|most| length > *most) {
                    return Some(format!("dialog {entry}:{id}: {name} of `{key}` has {length} characters, its column takes {most}"));
                }
            }
        }
        None
    }
}

fn check_row(names: &TableNames, row: &DialogRow) -> Result<(), String> {
    for ((declared, name), cell) in DECLARATIONS.iter().zip(&names.columns).zip(&row.cells) {
        match (declared.kind, cell) {
            (ColumnType::Text(_), Cell::Text(text)) => drop(check_text(name, text)?),
            (ColumnType::Integer, Cell::Integer(_) | Cell::Text(_)) if cell.number().is_none() => {
                return Err(format!("{name} is no number of 32 bits"));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A text that every database can hold.
fn check_text<'t>(column: &str, text: &'t [u8]) -> Result<&'t str, String> {
    if text.contains(&0) {
        return Err(format!("{column} holds a NUL byte"));
    }
    std::str::from_utf8(text).map_err(|_| format!("{column} holds bytes that are not UTF-8"))
}

/// The text of a cell that was checked.
pub(crate) fn text_of(cell: &Cell) -> Option<Cow<'_, str>> {
    match cell {
        Cell::Null => None,
        Cell::Integer(number) => Some(number.to_string().into()),
        Cell::Text(text) => Some(String::from_utf8_lossy(text)),
    }
}

/// What the columns of the table of variables hold.
pub(crate) fn variable_kinds() -> [ColumnType; 4] {
    VARIABLE_COLUMNS.map(|(_, _, kind)| kind)
}

#[cfg(test)]
mod tests;
