//! A statement of a script.

use rusqlite::Batch;
use rusqlite::fallible_iterator::FallibleIterator as _;
use rusqlite::types::ValueRef;

use crate::error::{ErrorKind, StorageError};
use crate::query::{QueryBounds, QueryResult, Value};

use super::Sqlite;
use super::transaction::{in_transaction, leave};

impl Sqlite {
    pub(super) fn run_statement(&mut self, statement: &[u8], bounds: QueryBounds) -> Result<QueryResult, StorageError> {
        self.deadline.restart();
        leave(&self.connection).map_err(|error| self.failed(&error))?;
        let refused = |reason: &str| StorageError::new(ErrorKind::Refused, self.url.to_string(), reason);
        let text = std::str::from_utf8(statement).map_err(|_| refused("the statement is not valid UTF-8"))?;
        if text.contains('\0') {
            // SQLite would take what stands in front of it for the whole.
            return Err(refused("the statement holds a NUL byte"));
        }
        let outcome = self.rows_of(text, bounds);
        if !self.connection.is_autocommit() {
            // Whatever comes next on this connection would stand in that transaction, and nobody else could write.
            leave(&self.connection).map_err(|error| self.failed(&error))?;
            outcome?;
            return Err(refused("a statement may not leave a transaction open").remedy("put what belongs together into one statement"));
        }
        outcome
    }

    pub(super) fn run_all_statements(&mut self, statements: &mut dyn Iterator<Item = String>) -> Result<(), StorageError> {
        self.deadline.restart();
        let run = || {
            for statement in statements {
                self.deadline.restart();
                self.connection.execute_batch(&statement)?;
            }
            self.deadline.restart();
            Ok(())
        };
        in_transaction(&self.connection, run).map_err(|error: rusqlite::Error| self.statement_failed(&error))
    }

    fn rows_of(&self, text: &str, bounds: QueryBounds) -> Result<QueryResult, StorageError> {
        let failed = |error: rusqlite::Error| self.statement_failed(&error);
        let changed_before = self.connection.total_changes();
        // The first statement of a text counts, as in Kamailio.
        let Some(mut prepared) = Batch::new(&self.connection, text).next().map_err(failed)? else { return Ok(QueryResult::default()) };
        let columns: Vec<String> = prepared.column_names().map(str::to_owned).collect();
        let mut result = QueryResult { columns, rows: Vec::new(), affected: 0 };
        let mut bytes = 0_usize;
        let mut rows = prepared.query([]).map_err(failed)?;
        while let Some(row) = rows.next().map_err(failed)? {
            if result.rows.len() >= bounds.rows_max {
                return Err(self.too_long(format!("more than {} rows", bounds.rows_max)));
            }
            let mut values = Vec::with_capacity(result.columns.len());
            for place in 0..result.columns.len() {
                let value = owned(row.get_ref(place).map_err(failed)?);
                bytes += size_of::<Value>() + if let Value::Text(text) = &value { text.len() } else { 0 };
                if bytes > bounds.bytes_max {
                    return Err(self.too_long(format!("more than {} bytes", bounds.bytes_max)));
                }
                values.push(value);
            }
            result.rows.push(values);
            self.deadline.restart();
        }
        drop(rows);
        // `changes` still tells of the last INSERT, UPDATE or DELETE when this statement was none.
        if self.connection.total_changes() != changed_before {
            result.affected = self.connection.changes();
        }
        Ok(result)
    }

    /// A wrong text is the fault of who wrote it, not the database's.
    fn statement_failed(&self, error: &rusqlite::Error) -> StorageError {
        match self.failed(error) {
            own if own.kind == ErrorKind::Schema => StorageError { kind: ErrorKind::Refused, remedy: String::new(), ..own },
            own => own,
        }
    }

    fn too_long(&self, what: String) -> StorageError {
        StorageError::new(ErrorKind::Refused, self.url.to_string(), format!("the result has {what}")).remedy("ask for less, with LIMIT")
    }
}

fn owned(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Real(number) => Value::Real(number),
        ValueRef::Text(text) | ValueRef::Blob(text) => Value::Text(text.to_vec()),
    }
}
