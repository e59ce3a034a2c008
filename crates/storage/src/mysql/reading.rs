//! Reading both tables as a stream: rows are taken from the network as they are handed over, so memory stays small.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use mysql_async::prelude::Queryable as _;
use mysql_async::{Params, Row, Value};

use crate::backend::Selection;
use crate::error::{ErrorKind, StorageError};
use crate::line::within;
use crate::names::TableNames;
use crate::row::{Cell, DialogRow, VariableRow};

use super::{Mysql, list, quoted, values};

/// Gets a row of a table.
type Each<'a> = &'a mut dyn FnMut(Row) -> ControlFlow<()>;

impl Mysql {
    pub(super) fn load_dialogs(
        &mut self,
        names: &TableNames,
        which: &Selection,
        each: &mut dyn FnMut(&DialogRow) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let [entry, _, call_id, ..] = &names.columns;
        let everything = format!("SELECT {} FROM {}", list(&names.columns), quoted(&names.dialogs));
        let mut row = DialogRow::default();
        let mut hand_over = |found: Row| {
            fill(found, &mut row.cells);
            each(&row)
        };
        match which {
            Selection::All => self.read(everything, Params::Empty, &mut hand_over),
            Selection::Slot(slot) => {
                let text = format!("{everything} WHERE {} = ?", quoted(entry));
                self.read(text, Params::Positional(vec![(*slot).into()]), &mut hand_over)
            }
            Selection::CallId(wanted) => {
                // What is no text is in no column of texts. A column may compare without regard to case; a Call-ID may not.
                let Ok(wanted) = std::str::from_utf8(wanted) else { return Ok(()) };
                let own = quoted(call_id);
                let text = format!("{everything} WHERE {own} = ? AND CAST({own} AS BINARY) = CAST(? AS BINARY)");
                self.read(text, Params::Positional(vec![wanted.into(), wanted.into()]), &mut hand_over)
            }
        }
    }

    pub(super) fn load_variable_rows(
        &mut self,
        names: &TableNames,
        which: &Selection,
        each: &mut dyn FnMut(&VariableRow) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let [entry, ..] = &names.variable_columns;
        let everything = format!("SELECT {} FROM {}", list(&names.variable_columns), quoted(&names.variables));
        let mut row = VariableRow::default();
        let mut hand_over = |found: Row| {
            fill(found, [&mut row.entry, &mut row.id, &mut row.key, &mut row.value]);
            each(&row)
        };
        match which {
            Selection::All => self.read(format!("{everything} ORDER BY id"), Params::Empty, &mut hand_over),
            Selection::Slot(slot) => {
                let text = format!("{everything} WHERE {} = ? ORDER BY id", quoted(entry));
                self.read(text, Params::Positional(vec![(*slot).into()]), &mut hand_over)
            }
            Selection::CallId(_) => {
                let place = self.line.url.to_string();
                Err(StorageError::new(ErrorKind::Refused, place, "variables are not found by Call-ID, only by slot"))
            }
        }
    }

    pub(super) fn highest_numbers(&mut self, names: &TableNames, start: u32, step: u32) -> Result<Vec<(u32, u32)>, StorageError> {
        let [entry, id, ..] = &names.columns;
        let [own_entry, own_id, ..] = &names.variable_columns;
        let mut found: BTreeMap<u32, u32> = BTreeMap::new();
        // Variables of a dialog that has no row keep its number in use, too: a new dialog would inherit them.
        for (table, entry, id) in [(&names.dialogs, entry, id), (&names.variables, own_entry, own_id)] {
            let (entry, id) = (quoted(entry), quoted(id));
            let text =
                format!("SELECT {entry}, MAX({id}) FROM {} WHERE (CAST({id} AS SIGNED) - ?) % ? = 0 GROUP BY {entry}", quoted(table));
            let parameters = Params::Positional(vec![i64::from(start).into(), i64::from(step.max(1)).into()]);
            let mut cells = [Cell::Null, Cell::Null];
            self.read(text, parameters, &mut |row| {
                fill(row, &mut cells);
                let [entry, id] = &cells;
                if let (Some(entry), Some(id)) = (entry.number(), id.number()) {
                    let highest = found.entry(entry).or_default();
                    *highest = id.max(*highest);
                }
                ControlFlow::Continue(())
            })?;
        }
        Ok(found.into_iter().collect())
    }

    fn read(&mut self, text: String, parameters: Params, each: Each<'_>) -> Result<(), StorageError> {
        let limit = self.line.limit;
        self.line.run(async |connection| {
            let (conn, state) = (&mut connection.conn, &connection.state);
            let failed = |error: mysql_async::Error| state.failed(&error);
            let mut rows = within(limit, async { conn.exec_iter(text, parameters).await.map_err(failed) }).await?;
            let mut is_wanted = true;
            // MySQL cannot be told to stop but through another connection: rows nobody wants any more are read and dropped.
            while let Some(row) = within(limit, async { rows.next().await.map_err(failed) }).await? {
                is_wanted = is_wanted && each(row).is_continue();
            }
            within(limit, async { rows.drop_result().await.map_err(failed) }).await
        })
    }
}

fn fill<'c>(row: Row, cells: impl IntoIterator<Item = &'c mut Cell>) {
    for (sent, cell) in row.unwrap_raw().into_iter().zip(cells) {
        values::put(sent.unwrap_or(Value::NULL), cell);
    }
}
