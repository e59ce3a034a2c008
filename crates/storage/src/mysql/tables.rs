//! The tables of a database: are they as they must be, making them, emptying them.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Column, Conn, Error, Row};

use crate::columns::{ColumnType, DECLARATIONS};
use crate::error::StorageError;
use crate::names::TableNames;
use crate::plan::variable_kinds;
use crate::schema;
use crate::url::Driver;

use super::writing::all_or_nothing;
use super::{Mysql, State, list, quoted, values};

/// There is no such table.
const NO_SUCH_TABLE: u16 = 1146;

impl Mysql {
    pub(super) fn check_tables(&mut self, names: &TableNames) -> Result<(), StorageError> {
        self.line.call(async |connection| {
            let (conn, state) = (&mut connection.conn, &connection.state);
            let kinds = DECLARATIONS.map(|declared| declared.kind);
            check_columns(conn, state, &names.dialogs, names.columns.iter().zip(kinds)).await?;
            check_columns(conn, state, &names.variables, names.variable_columns.iter().zip(variable_kinds())).await?;
            for (table, wanted) in schema::wanted_versions(names) {
                if let Some(engine) = engine_without_transactions(conn, table).await.map_err(|error| state.failed(&error))? {
                    return Err(schema::without_transactions(&state.url, table, &engine));
                }
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

/// Are all columns there, each of a type that holds what belongs into it?
async fn check_columns<'n>(
    conn: &mut Conn,
    state: &State,
    table: &str,
    wanted: impl IntoIterator<Item = (&'n String, ColumnType)>,
) -> Result<(), StorageError> {
    let failed = |error: Error| {
        if is_missing_table(&error) { schema::missing_table(&state.url, table) } else { state.failed(&error) }
    };
    let result = conn.query_iter(format!("SELECT * FROM {} LIMIT 0", quoted(table))).await.map_err(failed)?;
    let found: Vec<Column> = result.columns_ref().to_vec();
    result.drop_result().await.map_err(failed)?;
    for (name, kind) in wanted {
        let column = found.iter().find(|column| column.name_str().eq_ignore_ascii_case(name));
        let column = column.ok_or_else(|| schema::missing_column(&state.url, table, name))?;
        if !values::holds(column, kind) {
            let found = format!("{:?}", column.column_type());
            return Err(schema::wrong_type(&state.url, table, name, found.trim_start_matches("MYSQL_TYPE_"), kind));
        }
    }
    Ok(())
}

/// What keeps the table, when that knows no transactions.
async fn engine_without_transactions(conn: &mut Conn, table: &str) -> Result<Option<String>, Error> {
    let text = "SELECT kept.ENGINE FROM information_schema.TABLES AS kept JOIN information_schema.ENGINES AS known \
                ON known.ENGINE = kept.ENGINE \
                WHERE kept.TABLE_SCHEMA = DATABASE() AND kept.TABLE_NAME = ? AND known.TRANSACTIONS = 'NO'";
    let found: Option<Row> = conn.exec_first(text, (table,)).await?;
    Ok(found.and_then(|row| row.get_opt(0)?.ok()))
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
