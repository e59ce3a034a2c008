//! Reading both tables, row by row, in memory that is used again.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::mem;
use std::ops::ControlFlow;

use rusqlite::types::ValueRef;
use rusqlite::{Params, Row, ffi};

use crate::backend::Selection;
use crate::columns::COLUMNS;
use crate::error::{ErrorKind, StorageError};
use crate::names::TableNames;
use crate::row::{Cell, DialogRow, VariableRow};

use super::Sqlite;
use super::texts::Texts;
use super::writing::{Text, word};

/// Gets a row out of the table; the first column is the rowid.
type Each<'a> = &'a mut dyn FnMut(&Row<'_>) -> rusqlite::Result<ControlFlow<()>>;

impl Sqlite {
    pub(super) fn load_dialogs(
        &mut self,
        names: &TableNames,
        which: &Selection,
        each: &mut dyn FnMut(&DialogRow) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let texts = Texts::of(&mut self.texts, names);
        let mut row = DialogRow::default();
        let mut spare: [Vec<u8>; COLUMNS] = Default::default();
        let mut hand_over = |found: &Row<'_>| {
            for (place, (cell, spare)) in (1..).zip(row.cells.iter_mut().zip(&mut spare)) {
                take(found.get_ref(place)?, cell, spare);
            }
            Ok(each(&row))
        };
        match which {
            Selection::All => self.read_pages(&texts.page, &mut hand_over),
            Selection::Slot(entry) => self.read_some(&texts.by_slot, [word(*entry)], &mut hand_over),
            Selection::CallId(call_id) => self.read_some(&texts.by_call_id, [Text(call_id)], &mut hand_over),
        }
    }

    pub(super) fn load_variable_rows(
        &mut self,
        names: &TableNames,
        which: &Selection,
        each: &mut dyn FnMut(&VariableRow) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let texts = Texts::of(&mut self.texts, names);
        let mut row = VariableRow::default();
        let mut spare: [Vec<u8>; 4] = Default::default();
        let mut hand_over = |found: &Row<'_>| {
            let cells = [&mut row.entry, &mut row.id, &mut row.key, &mut row.value];
            for (place, (cell, spare)) in (1..).zip(cells.into_iter().zip(&mut spare)) {
                take(found.get_ref(place)?, cell, spare);
            }
            Ok(each(&row))
        };
        match which {
            Selection::All => self.read_pages(&texts.variables_page, &mut hand_over),
            Selection::Slot(entry) => self.read_some(&texts.variables_by_slot, [word(*entry)], &mut hand_over),
            Selection::CallId(_) => {
                Err(StorageError::new(ErrorKind::Refused, self.url.to_string(), "variables are not found by Call-ID, only by slot"))
            }
        }
    }

    pub(super) fn highest_numbers(&mut self, names: &TableNames, start: u32, step: u32) -> Result<Vec<(u32, u32)>, StorageError> {
        let texts = Texts::of(&mut self.texts, names);
        let mut found: BTreeMap<u32, u32> = BTreeMap::new();
        for text in &texts.highest {
            // Variables of a dialog that has no row keep its number in use, too: a new dialog would inherit them.
            self.read_some(text, [i64::from(start), i64::from(step.max(1))], &mut |row: &Row<'_>| {
                if let (Ok(entry), Ok(id)) = (u32::try_from(row.get::<_, i64>(0)?), u32::try_from(row.get::<_, i64>(1)?)) {
                    let highest = found.entry(entry).or_default();
                    *highest = id.max(*highest);
                }
                Ok(ControlFlow::Continue(()))
            })?;
        }
        Ok(found.into_iter().collect())
    }

    /// The whole table, so many rows at a time: no long read keeps the journal from being emptied, and writers go on.
    fn read_pages(&self, text: &str, each: Each<'_>) -> Result<(), StorageError> {
        let mut next = Some(i64::MIN);
        while let Some(from) = next.take() {
            let mut rows = 0;
            let mut stopped = false;
            self.read_some(text, [from, i64::from(self.page)], &mut |row: &Row<'_>| {
                rows += 1;
                let rowid = row.get::<_, i64>(0)?;
                // In a damaged file rows may come again and again.
                if next.unwrap_or(from) > rowid {
                    let reason = Some("the rows of a table are out of order".to_owned());
                    return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), reason));
                }
                next = rowid.checked_add(1);
                let flow = each(row)?;
                stopped = flow.is_break();
                Ok(flow)
            })?;
            if stopped || rows < self.page {
                return Ok(());
            }
        }
        Ok(())
    }

    fn read_some(&self, text: &str, parameters: impl Params, each: Each<'_>) -> Result<(), StorageError> {
        self.deadline.restart();
        let read = || -> rusqlite::Result<()> {
            let mut statement = self.connection.prepare_cached(text)?;
            let mut rows = statement.query(parameters)?;
            while let Some(row) = rows.next()? {
                if each(row)?.is_break() {
                    break;
                }
                self.deadline.restart();
            }
            Ok(())
        };
        read().map_err(|error| self.failed(&error))
    }
}

/// Puts a value in place. The memory of a text that makes room for a number or NULL is kept for the next text.
fn take(value: ValueRef<'_>, cell: &mut Cell, spare: &mut Vec<u8>) {
    match value {
        ValueRef::Null => displace(cell, Cell::Null, spare),
        ValueRef::Integer(number) => displace(cell, Cell::Integer(number), spare),
        ValueRef::Text(text) | ValueRef::Blob(text) => fill(cell, spare, |place| place.extend_from_slice(text)),
        ValueRef::Real(number) => fill(cell, spare, |place| {
            let _ = write!(place, "{number}");
        }),
    }
}

fn displace(cell: &mut Cell, with: Cell, spare: &mut Vec<u8>) {
    if let Cell::Text(text) = mem::replace(cell, with) {
        *spare = text;
    }
}

fn fill(cell: &mut Cell, spare: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    if !matches!(cell, Cell::Text(_)) {
        *cell = Cell::Text(mem::take(spare));
    }
    if let Cell::Text(text) = cell {
        text.clear();
        write(text);
    }
}
