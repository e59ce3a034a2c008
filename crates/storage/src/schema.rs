//! Kamailio's tables `dialog`, `dialog_vars` and `version` as CREATE statements of the three databases, written out of the
//! declarations of the columns, and the errors about tables that are not as they must be (spec dialog 8.1).

use std::fmt::Write as _;

use crate::columns::{ColumnType, DECLARATIONS, VARIABLE_COLUMNS};
use crate::error::{ErrorKind, StorageError};
use crate::names::TableNames;
use crate::url::{Driver, Url};

/// The table in which Kamailio keeps the versions of all its tables.
pub const VERSION_TABLE: &str = "version";
/// The version of the table of dialogs that this server reads and writes.
pub const DIALOGS_VERSION: i64 = 7;
/// The version of the table of variables.
pub const VARIABLES_VERSION: i64 = 1;

/// Both tables of dialogs with the version that each must have.
pub fn wanted_versions(names: &TableNames) -> [(&str, i64); 2] {
    [(&names.dialogs, DIALOGS_VERSION), (&names.variables, VARIABLES_VERSION)]
}

/// The statements that make the tables, their indexes and their rows in `version`, to be run in this order. Each of them
/// keeps what is there, so running them twice does no harm.
pub fn create_statements(driver: Driver, names: &TableNames) -> Vec<String> {
    let mut statements = create_version(driver);
    let columns = names.columns.iter().zip(&DECLARATIONS).map(|(name, declared)| {
        let null = if declared.may_be_null { "" } else { " NOT NULL" };
        let default = if declared.defaults_to_zero { " DEFAULT 0" } else { "" };
        format!("{name} {}{default}{null}", type_name(driver, declared.kind))
    });
    statements.extend(create_table(driver, &names.dialogs, columns.collect(), &index_columns(&names.columns)));
    let columns = names.variable_columns.iter().zip(&VARIABLE_COLUMNS);
    let columns = columns.map(|(name, (_, _, kind))| format!("{name} {} NOT NULL", type_name(driver, *kind)));
    statements.extend(create_table(driver, &names.variables, columns.collect(), &index_columns(&names.variable_columns)));
    statements.extend(wanted_versions(names).map(|(table, version)| insert_version(driver, table, version)));
    statements
}

fn create_version(driver: Driver) -> Vec<String> {
    let constraint = match driver {
        Driver::Mysql => "table_name_idx",
        Driver::Sqlite | Driver::Postgres => "version_table_name_idx",
    };
    let lines = [
        format!("id {}", key_type(driver)),
        format!("table_name {} NOT NULL", type_name(driver, ColumnType::Text(32))),
        format!("table_version {} DEFAULT 0 NOT NULL", type_name(driver, ColumnType::Integer)),
        format!("CONSTRAINT {constraint} UNIQUE (table_name)"),
    ];
    vec![create_if_missing(VERSION_TABLE, &lines), insert_version(driver, VERSION_TABLE, 1)]
}

/// A table whose first column is its own key, with the index over slot and number. MySQL knows no `CREATE INDEX IF NOT
/// EXISTS`, so there the index is made with the table.
fn create_table(driver: Driver, table: &str, columns: Vec<String>, indexed: &str) -> Vec<String> {
    let mut lines = vec![format!("id {}", key_type(driver))];
    lines.extend(columns);
    if driver == Driver::Mysql {
        lines.push(format!("KEY hash_idx ({indexed})"));
        // The server's own choice may know no transactions.
        return vec![create_if_missing(table, &lines) + " ENGINE=InnoDB"];
    }
    let index = format!("CREATE INDEX IF NOT EXISTS {table}_hash_idx ON {table} ({indexed})");
    vec![create_if_missing(table, &lines), index]
}

fn create_if_missing(table: &str, lines: &[String]) -> String {
    let mut statement = format!("CREATE TABLE IF NOT EXISTS {table} (");
    for (place, line) in lines.iter().enumerate() {
        let separator = if place == 0 { "" } else { "," };
        let _ = write!(statement, "{separator}\n    {line}");
    }
    statement + "\n)"
}

/// The row of a table in `version`, unless there is one. The table may lack the constraint, so it is asked.
fn insert_version(driver: Driver, table: &str, version: i64) -> String {
    let from = if driver == Driver::Mysql { " FROM DUAL" } else { "" };
    format!(
        "INSERT INTO {VERSION_TABLE} (table_name, table_version) SELECT '{table}', {version}{from} \
         WHERE NOT EXISTS (SELECT 1 FROM {VERSION_TABLE} WHERE table_name = '{table}')"
    )
}

/// Slot and number, the first two columns of either table.
fn index_columns(columns: &[String]) -> String {
    columns.iter().take(2).map(String::as_str).collect::<Vec<_>>().join(", ")
}

fn type_name(driver: Driver, kind: ColumnType) -> String {
    match (kind, driver) {
        (ColumnType::Text(length), _) => format!("VARCHAR({length})"),
        (ColumnType::Integer, Driver::Mysql) => "INT(10) UNSIGNED".to_owned(),
        (ColumnType::Integer, _) => "INTEGER".to_owned(),
    }
}

fn key_type(driver: Driver) -> &'static str {
    match driver {
        Driver::Sqlite => "INTEGER PRIMARY KEY NOT NULL",
        Driver::Postgres => "SERIAL PRIMARY KEY NOT NULL",
        Driver::Mysql => "INT(10) UNSIGNED AUTO_INCREMENT PRIMARY KEY NOT NULL",
    }
}

/// A table is not there.
pub fn missing_table(url: &Url, table: &str) -> StorageError {
    StorageError::new(ErrorKind::Schema, url.to_string(), format!("there is no table `{table}`")).remedy(create_remedy(url))
}

/// A column is not there.
pub fn missing_column(url: &Url, table: &str, column: &str) -> StorageError {
    StorageError::new(ErrorKind::Schema, url.to_string(), format!("the table `{table}` has no column `{column}`")).remedy(format!(
        "name the column that is there with the parameter of the module dialog; or move the table away, and {}",
        create_remedy(url)
    ))
}

/// A column cannot hold what belongs into it.
pub fn wrong_type(url: &Url, table: &str, column: &str, found: &str, wanted: ColumnType) -> StorageError {
    let wanted = match wanted {
        ColumnType::Integer => "INTEGER".to_owned(),
        ColumnType::Text(length) => format!("VARCHAR({length})"),
    };
    StorageError::new(ErrorKind::Schema, url.to_string(), format!("the column `{column}` of the table `{table}` is of type {found}"))
        .remedy(format!("make it {wanted}, as Kamailio's scripts do"))
}

/// MySQL keeps a table in a way that knows no transactions: half of a batch could be left.
#[cfg(feature = "mysql")]
pub fn without_transactions(url: &Url, table: &str, engine: &str) -> StorageError {
    let reason = format!("the table `{table}` is kept by {engine}, which knows no transactions");
    StorageError::new(ErrorKind::Schema, url.to_string(), reason).remedy(format!("run `ALTER TABLE {table} ENGINE=InnoDB`"))
}

/// A table has no version, or another one than this server can use.
pub fn wrong_version(url: &Url, table: &str, found: Option<i64>, wanted: i64) -> StorageError {
    let (reason, remedy) = match found {
        Some(found) => (
            format!("the table `{table}` is of version {found}, wanted is {wanted}"),
            format!("bring it to version {wanted} with Kamailio's scripts; or move it away, remove its row in `{VERSION_TABLE}`, and "),
        ),
        None => (format!("the table `{table}` has no row in `{VERSION_TABLE}`, wanted is version {wanted}"), String::new()),
    };
    StorageError::new(ErrorKind::Schema, url.to_string(), reason).remedy(remedy + &create_remedy(url))
}

fn create_remedy(url: &Url) -> String {
    format!("run `duolog db create {url}`, which makes what is missing")
}

#[cfg(test)]
mod tests;
