mod asking;
mod damage;
mod failing;
mod killing;
mod locking;
mod storing;
mod tables;

use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::backend::{Backend, ConnectOptions, Selection};
use crate::batch::{Batch, Operation};
use crate::columns::{Column, ColumnType, DECLARATIONS};
use crate::error::StorageError;
use crate::names::TableNames;
use crate::row::{Cell, DialogRow};
use crate::url::Url;

use super::Sqlite;
use super::opening::open;

/// A directory of one test, removed at its end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Directory {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("duolog-storage-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    fn file(&self) -> PathBuf {
        self.0.join("calls.sqlite")
    }

    fn url(&self) -> Url {
        url_of(&self.file())
    }

    /// A connection to the file, with the tables made and checked.
    fn ready(&self) -> Sqlite {
        let mut open = open(&self.url(), options()).unwrap();
        open.check(&names()).unwrap();
        open
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn url_of(path: &Path) -> Url {
    Url::parse(&format!("sqlite://{}", path.display())).unwrap()
}

fn options() -> ConnectOptions {
    ConnectOptions {
        connect_timeout: Duration::from_millis(100),
        call_timeout: Duration::from_millis(100),
        may_create: true,
        fetch_rows: 3,
    }
}

fn names() -> TableNames {
    TableNames::default()
}

/// A row with something in every column.
fn row(entry: u32, id: u32) -> Box<DialogRow> {
    let mut row = Box::new(DialogRow::default());
    for (cell, declared) in row.cells.iter_mut().zip(&DECLARATIONS) {
        *cell = match declared.kind {
            ColumnType::Integer => Cell::Integer(i64::from(id) + declared.column as i64),
            ColumnType::Text(_) => Cell::Text(format!("{} of {entry}:{id}", declared.name).into_bytes()),
        };
    }
    *row.cell_mut(Column::HashEntry) = Cell::Integer(i64::from(entry));
    *row.cell_mut(Column::HashId) = Cell::Integer(i64::from(id));
    row
}

fn with(mut row: Box<DialogRow>, column: Column, cell: Cell) -> Box<DialogRow> {
    *row.cell_mut(column) = cell;
    row
}

fn text(text: &str) -> Cell {
    Cell::Text(text.as_bytes().to_vec())
}

/// Newest first.
fn pairs(pairs: &[(&str, &str)]) -> Option<Vec<(Vec<u8>, Vec<u8>)>> {
    Some(pairs.iter().map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec())).collect())
}

fn new(row: Box<DialogRow>) -> Operation {
    Operation::Put { row, is_new: true, variables: None }
}

fn known(row: Box<DialogRow>) -> Operation {
    Operation::Put { row, is_new: false, variables: None }
}

fn batch(operations: Vec<Operation>) -> Batch {
    Batch { operations, is_retry: false }
}

fn again(batch: &Batch) -> Batch {
    Batch { is_retry: true, ..batch.clone() }
}

fn apply(open: &mut Sqlite, operations: Vec<Operation>) -> Result<(), StorageError> {
    open.apply(&names(), &batch(operations))
}

fn rows(open: &mut Sqlite, which: &Selection) -> Vec<DialogRow> {
    let mut rows = Vec::new();
    let keep = &mut |row: &DialogRow| {
        rows.push(row.clone());
        ControlFlow::Continue(())
    };
    open.load(&names(), which, keep).unwrap();
    rows
}

/// Slot, number, key, value.
type Variable = (u32, u32, String, String);

/// As they are read.
fn variables(open: &mut Sqlite, which: &Selection) -> Vec<Variable> {
    let mut found = Vec::new();
    open.load_variables(&names(), which, &mut |row| {
        let text = |cell: &Cell| String::from_utf8(cell.text().unwrap().to_vec()).unwrap();
        found.push((row.entry.number().unwrap(), row.id.number().unwrap(), text(&row.key), text(&row.value)));
        ControlFlow::Continue(())
    })
    .unwrap();
    found
}

/// Everything in both tables but the keys, in an order of its own.
fn contents(open: &mut Sqlite) -> (Vec<DialogRow>, Vec<Variable>) {
    let mut all = rows(open, &Selection::All);
    all.sort_by_key(|row| row.id());
    let mut own = variables(open, &Selection::All);
    own.sort_by_key(|variable| (variable.0, variable.1));
    (all, own)
}
