//! The tables of a database: are they as they must be, making them, emptying them.

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::error::StorageError;
use crate::names::TableNames;
use crate::schema;
use crate::url::{Driver, Url};

use super::{Postgres, errors};

impl Postgres {
    pub(super) fn check_tables(&mut self, names: &TableNames) -> Result<(), StorageError> {
        let url = self.line.url.clone();
        self.line.call(async |connection| {
            let client = &connection.client;
            check_columns(client, &url, &names.dialogs, &names.columns).await?;
            check_columns(client, &url, &names.variables, &names.variable_columns).await?;
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

async fn check_columns(client: &Client, url: &Url, table: &str, wanted: &[String]) -> Result<(), StorageError> {
    let statement = match client.prepare(&format!("SELECT * FROM {table}")).await {
        Ok(statement) => statement,
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => return Err(schema::missing_table(url, table)),
        Err(error) => return Err(errors::explained(url, &error)),
    };
    let is_missing = |name: &&String| !statement.columns().iter().any(|column| column.name().eq_ignore_ascii_case(name));
    wanted.iter().find(is_missing).map_or(Ok(()), |column| Err(schema::missing_column(url, table, column)))
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
