//! The tables of a database: are they as they must be, making them, emptying them.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::columns::{ColumnType, DECLARATIONS};
use crate::error::StorageError;
use crate::names::TableNames;
use crate::plan::variable_kinds;
use crate::schema;
use crate::url::{Driver, Url};

use super::{Postgres, errors, values};

impl Postgres {
    pub(super) fn check_tables(&mut self, names: &TableNames) -> Result<(), StorageError> {
        let url = self.line.url.clone();
        self.line.call(async |connection| {
            let client = &connection.client;
            let kinds = DECLARATIONS.map(|declared| declared.kind);
            check_columns(client, &url, &names.dialogs, names.columns.iter().zip(kinds)).await?;
            check_columns(client, &url, &names.variables, names.variable_columns.iter().zip(variable_kinds())).await?;
            for (table, wanted) in schema::wanted_versions(names) {
                let found = version_of(client, table).await.map_err(|error| errors::explained(&url, &error))?;
                if found != Some(wanted) {
                    return Err(schema::wrong_version(&url, table, found, wanted));
                }
            }
            Ok(())
        })
    }

    pub(super) fn create_tables(&mut self, names: &TableNames) -> Result<(), StorageError> {
        // One text is one transaction.
        self.execute_text(&schema::create_statements(Driver::Postgres, names).join(";\n"))
    }

    pub(super) fn empty_tables(&mut self, names: &TableNames) -> Result<(), StorageError> {
        self.execute_text(&format!("DELETE FROM {}; DELETE FROM {}", names.dialogs, names.variables))
    }

    fn execute_text(&mut self, text: &str) -> Result<(), StorageError> {
        let url = self.line.url.clone();
        self.line.call(async |connection| connection.client.batch_execute(text).await.map_err(|error| errors::explained(&url, &error)))
    }
}

/// Are all columns there, each of a type that holds what belongs into it?
async fn check_columns<'n>(
    client: &Client,
    url: &Url,
    table: &str,
    wanted: impl IntoIterator<Item = (&'n String, ColumnType)>,
) -> Result<(), StorageError> {
    let statement = match client.prepare(&format!("SELECT * FROM {table}")).await {
        Ok(statement) => statement,
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => return Err(schema::missing_table(url, table)),
        Err(error) => return Err(errors::explained(url, &error)),
    };
    for (name, kind) in wanted {
        let found = statement.columns().iter().find(|column| column.name().eq_ignore_ascii_case(name));
        let found = found.ok_or_else(|| schema::missing_column(url, table, name))?;
        if !values::holds(found.type_(), kind) {
            return Err(schema::wrong_type(url, table, name, found.type_().name(), kind));
        }
    }
    Ok(())
}

/// What stands in `version` about a table.
async fn version_of(client: &Client, table: &str) -> Result<Option<i64>, tokio_postgres::Error> {
    let text = format!("SELECT table_version::int8 FROM {} WHERE table_name = $1::text", schema::VERSION_TABLE);
    match client.query_opt(&text, &[&table]).await {
        Ok(row) => row.map(|row| row.try_get(0)).transpose(),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
        Err(error) => Err(error),
    }
}
