//! The tables of a database: are they as they must be, making them, emptying them.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error, Row};

use crate::error::StorageError;
use crate::names::TableNames;
use crate::schema;
use crate::url::Driver;

use super::writing::all_or_nothing;
use super::{Mysql, State, list, quoted};

/// There is no such table.
const NO_SUCH_TABLE: u16 = 1146;

impl Mysql {
    pub(super) fn check_tables(&mut self, names: &TableNames) -> Result<(), StorageError> {
        self.line.call(async |connection| {
            let (conn, state) = (&mut connection.conn, &connection.state);
            check_columns(conn, state, &names.dialogs, &names.columns).await?;
            check_columns(conn, state, &names.variables, &names.variable_columns).await?;
            for (table, wanted) in schema::wanted_versions(names) {
                let found = version_of(conn, table).await.map_err(|error| state.failed(&error))?;
                if found != Some(wanted) {
                    return Err(schema::wrong_version(&state.url, table, found, wanted));
                }
            }
            Ok(())
        })
    }

    /// MySQL commits after each of these statements; each keeps what is there, so a second time goes on where the first ended.
    pub(super) fn create_tables(&mut self, names: &TableNames) -> Result<(), StorageError> {
        self.line.call(async |connection| {
            for statement in schema::create_statements(Driver::Mysql, names) {
                connection.conn.query_drop(statement).await.map_err(|error| connection.state.failed(&error))?;
            }
            Ok(())
        })
    }

    pub(super) fn empty_tables(&mut self, names: &TableNames) -> Result<(), StorageError> {
        self.line.call(async |connection| {
            all_or_nothing(connection, async |conn| {
                conn.query_drop(format!("DELETE FROM {}", quoted(&names.dialogs))).await?;
                conn.query_drop(format!("DELETE FROM {}", quoted(&names.variables))).await
            })
            .await
        })
    }
}

fn is_missing_table(error: &Error) -> bool {
    matches!(error, Error::Server(told) if told.code == NO_SUCH_TABLE)
}

async fn check_columns(conn: &mut Conn, state: &State, table: &str, wanted: &[String]) -> Result<(), StorageError> {
    let failed = |error: Error| {
        if is_missing_table(&error) { schema::missing_table(&state.url, table) } else { state.failed(&error) }
    };
    let result = conn.query_iter(format!("SELECT * FROM {} LIMIT 0", quoted(table))).await.map_err(failed)?;
    let found: Vec<String> = result.columns_ref().iter().map(|column| column.name_str().into_owned()).collect();
    result.drop_result().await.map_err(failed)?;
    let is_missing = |name: &&String| !found.iter().any(|column| column.eq_ignore_ascii_case(name));
    wanted.iter().find(is_missing).map_or(Ok(()), |column| Err(schema::missing_column(&state.url, table, column)))
}

/// What stands in `version` about a table.
async fn version_of(conn: &mut Conn, table: &str) -> Result<Option<i64>, Error> {
    let columns = list(&["table_version".to_owned()]);
    let text = format!("SELECT {columns} FROM {} WHERE table_name = ?", quoted(schema::VERSION_TABLE));
    match conn.exec_first::<Row, _, _>(text, (table,)).await {
        Err(error) if is_missing_table(&error) => Ok(None),
        found => Ok(found?.and_then(|row| row.get_opt(0)?.ok())),
    }
}
