//! Reading both tables as a stream: rows are taken from the network as they are handed over, so memory stays small.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::pin;

use futures_core::Stream as _;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, NoTls, Row};

use crate::backend::Selection;
use crate::error::{ErrorKind, StorageError};
use crate::line::{Failure, within};
use crate::names::TableNames;
use crate::row::{Cell, DialogRow, VariableRow};
use crate::url::Url;

use super::values::Raw;
use super::{Postgres, errors};

/// Gets a row of a table.
type Each<'a> = &'a mut dyn FnMut(&Row) -> Result<ControlFlow<()>, StorageError>;

impl Postgres {
    pub(super) fn load_dialogs(
        &mut self,
        names: &TableNames,
        which: &Selection,
        each: &mut dyn FnMut(&DialogRow) -> ControlFlow<()>,
    ) -> Result<(), StorageError> {
        let [entry, _, call_id, ..] = &names.columns;
        let everything = format!("SELECT {} FROM {}", names.columns.join(", "), names.dialogs);
        let url = self.line.url.clone();
        let mut row = DialogRow::default();
        let mut hand_over = |found: &Row| {
            fill(&url, found, &mut row.cells)?;
            Ok(each(&row))
        };
        match which {
            Selection::All => self.read(&everything, &[], &mut hand_over),
            Selection::Slot(slot) => {
                let text = format!("{everything} WHERE {entry} = $1::int4");
                self.read(&text, &[&slot.cast_signed()], &mut hand_over)
            }
            Selection::CallId(wanted) => {
                // What is no text is in no column of texts.
                let Ok(wanted) = std::str::from_utf8(wanted) else { return Ok(()) };
                self.read(&format!("{everything} WHERE {call_id} = $1::text"), &[&wanted], &mut hand_over)
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
        let everything = format!("SELECT {} FROM {}", names.variable_columns.join(", "), names.variables);
        let url = self.line.url.clone();
        let mut row = VariableRow::default();
        let mut hand_over = |found: &Row| {
            fill(&url, found, [&mut row.entry, &mut row.id, &mut row.key, &mut row.value])?;
            Ok(each(&row))
        };
        match which {
            Selection::All => self.read(&format!("{everything} ORDER BY id"), &[], &mut hand_over),
            Selection::Slot(slot) => {
                let text = format!("{everything} WHERE {entry} = $1::int4 ORDER BY id");
                self.read(&text, &[&slot.cast_signed()], &mut hand_over)
            }
            Selection::CallId(_) => {
                Err(StorageError::new(ErrorKind::Refused, url.to_string(), "variables are not found by Call-ID, only by slot"))
            }
        }
    }

    pub(super) fn highest_numbers(&mut self, names: &TableNames, start: u32, step: u32) -> Result<Vec<(u32, u32)>, StorageError> {
        let url = self.line.url.clone();
        let [entry, id, ..] = &names.columns;
        let [own_entry, own_id, ..] = &names.variable_columns;
        // Variables of a dialog that has no row keep its number in use, too: a new dialog would inherit them. The numbers are
        // signed words in these columns and are compared by their 32 bits.
        let text = format!(
            "SELECT entry, max(id) FROM (\
             SELECT {entry} & 4294967295::int8 AS entry, {id} & 4294967295::int8 AS id FROM {} UNION ALL \
             SELECT {own_entry} & 4294967295::int8, {own_id} & 4294967295::int8 FROM {}) AS used \
             WHERE (id - $1::int8) % $2::int8 = 0 GROUP BY entry",
            names.dialogs, names.variables
        );
        let mut found = Vec::new();
        self.read(&text, &[&i64::from(start), &i64::from(step.max(1))], &mut |row| {
            let number = |place: usize| -> Option<u32> { row.try_get::<_, Option<i64>>(place).ok()??.try_into().ok() };
            found.extend(number(0).zip(number(1)));
            Ok(ControlFlow::Continue(()))
        })
        .map_err(|error| StorageError { place: url.to_string(), ..error })?;
        found.sort_unstable();
        Ok(found)
    }

    fn read(&mut self, text: &str, parameters: &[&(dyn ToSql + Sync)], each: Each<'_>) -> Result<(), StorageError> {
        let (url, limit) = (self.line.url.clone(), self.line.limit);
        let failed = |error: tokio_postgres::Error| errors::explained(&url, &error);
        self.line.run(async |connection| {
            let client = &connection.client;
            let begin = async {
                let statement = client.prepare(text).await.map_err(failed)?;
                client.query_raw(&statement, parameters.iter().copied()).await.map_err(failed)
            };
            let mut rows = pin!(within(limit, begin).await?);
            let mut next = async || {
                within(limit, async { poll_fn(|context| rows.as_mut().poll_next(context)).await.transpose().map_err(failed) }).await
            };
            while let Some(row) = next().await? {
                let flow = each(&row);
                if !matches!(flow, Ok(ControlFlow::Continue(()))) {
                    within(limit, async {
                        cancel(client).await;
                        Ok(())
                    })
                    .await?;
                    // What was on its way, and then that it was cancelled.
                    while let Ok(Some(_)) = next().await {}
                    return flow.map(drop).map_err(Failure::Told);
                }
            }
            Ok(())
        })
    }
}

/// Asks the server to stop what it does for this connection; it may be done already.
pub(super) async fn cancel(client: &Client) {
    let _ = client.cancel_token().cancel_query(NoTls).await;
}

fn fill<'c>(url: &Url, row: &Row, cells: impl IntoIterator<Item = &'c mut Cell>) -> Result<(), StorageError> {
    for ((place, column), cell) in row.columns().iter().enumerate().zip(cells) {
        let value: Option<Raw<'_>> = row.try_get(place).map_err(|error| errors::explained(url, &error))?;
        let Some(value) = value else {
            *cell = Cell::Null;
            continue;
        };
        if !value.put(column.type_(), cell) {
            let reason = format!("the column {} is of type {}, which holds neither numbers nor texts", column.name(), column.type_());
            return Err(StorageError::new(ErrorKind::Schema, url.to_string(), reason)
                .remedy("make it INTEGER or VARCHAR, as Kamailio's scripts do"));
        }
    }
    Ok(())
}
