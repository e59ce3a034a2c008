//! Applying a batch: all of it in one transaction, in statements that write many rows each.

use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error, Params, Value};

use crate::batch::Batch;
use crate::columns::{ColumnType, DECLARATIONS};
use crate::error::StorageError;
use crate::limits::MYSQL_STATEMENT_ROWS_MAX;
use crate::line::{Failure, within};
use crate::names::TableNames;
use crate::plan::{Plan, Variable, text_of};
use crate::row::DialogRow;

use super::{Connection, Mysql, list, quoted};

/// MySQL's own setting may cut a text that is too long, or write an empty one for NULL, and only warn.
const STRICT: &str = "SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_ALL_TABLES')";

impl Mysql {
    pub(super) fn apply_batch(&mut self, names: &TableNames, batch: &Batch) -> Result<(), StorageError> {
        let url = self.line.url.clone();
        let plan = Plan::of(&url, names, batch, batch.is_retry)?;
        if plan.is_empty() {
            return Ok(());
        }
        let changed = self.line.call(async |connection| apply(connection, names, &plan).await)?;
        if changed == plan.rows_changed.len() as u64 {
            return Ok(());
        }
        // Somebody removed rows behind our back.
        let plan = Plan::of(&url, names, batch, true)?;
        self.line.call(async |connection| apply(connection, names, &plan).await).map(drop)
    }

    /// Runs statements of ours: all of them or none. There may be many, so the limit is for one at a time.
    pub(super) fn run_statements(&mut self, statements: &mut dyn Iterator<Item = String>) -> Result<(), StorageError> {
        let limit = self.line.limit;
        self.line.run(async |connection| {
            let (conn, state) = (&mut connection.conn, &connection.state);
            let mut run =
                async |text: String| within(limit, async { conn.query_drop(text).await.map_err(|error| state.failed(&error)) }).await;
            run("START TRANSACTION".to_owned()).await?;
            for statement in statements {
                if let Err(failure) = run(statement).await {
                    if matches!(failure, Failure::Told(_)) && !state.is_broken.get() {
                        run("ROLLBACK".to_owned()).await?;
                    }
                    return Err(failure);
                }
            }
            run("COMMIT".to_owned()).await
        })
    }
}

/// A transaction around `does`.
pub(super) async fn all_or_nothing<T>(
    connection: &mut Connection,
    does: impl AsyncFnOnce(&mut Conn) -> Result<T, Error>,
) -> Result<T, StorageError> {
    let Connection { conn, state, .. } = connection;
    conn.query_drop("START TRANSACTION").await.map_err(|error| state.failed(&error))?;
    let done = match does(conn).await {
        Ok(value) => conn.query_drop("COMMIT").await.map(|()| value),
        Err(error) => Err(error),
    };
    match done {
        Ok(value) => Ok(value),
        Err(error) => {
            let told = state.failed(&error);
            if !state.is_broken.get() {
                conn.query_drop("ROLLBACK").await.map_err(|error| state.failed(&error))?;
            }
            Err(told)
        }
    }
}

/// How many rows were found to be changed in place.
async fn apply(connection: &mut Connection, names: &TableNames, plan: &Plan<'_>) -> Result<u64, StorageError> {
    if !connection.state.is_strict.get() {
        connection.conn.query_drop(STRICT).await.map_err(|error| connection.state.failed(&error))?;
        connection.state.is_strict.set(true);
    }
    let steps = steps(names, plan);
    if let [_] = steps.as_slice() {
        // One statement is a transaction by itself.
        let Connection { conn, state, .. } = connection;
        return run(conn, steps).await.map_err(|error| state.failed(&error));
    }
    all_or_nothing(connection, async |conn| run(conn, steps).await).await
}

/// One statement with the values of many rows.
struct Step {
    text: String,
    values: Params,
    /// It changes rows in place.
    is_change: bool,
}

/// How many rows were found to be changed in place.
async fn run(conn: &mut Conn, steps: Vec<Step>) -> Result<u64, Error> {
    let mut changed = 0;
    for step in steps {
        conn.exec_drop(step.text, step.values).await?;
        if step.is_change {
            changed += rows_matched(&conn.info());
        }
    }
    Ok(changed)
}

fn steps(names: &TableNames, plan: &Plan<'_>) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut step = |text, values, is_change| steps.push(Step { text, values, is_change });
    let [entry, id, ..] = &names.columns;
    let [own_entry, own_id, ..] = &names.variable_columns;
    for ids in plan.rows_removed.chunks(MYSQL_STATEMENT_ROWS_MAX) {
        step(delete_text([&names.dialogs, entry, id], ids.len()), id_values(ids), false);
    }
    for ids in plan.variables_removed.chunks(MYSQL_STATEMENT_ROWS_MAX) {
        step(delete_text([&names.variables, own_entry, own_id], ids.len()), id_values(ids), false);
    }
    for rows in plan.rows_changed.chunks(MYSQL_STATEMENT_ROWS_MAX) {
        step(update_text(names, rows.len()), row_values(rows), true);
    }
    for rows in plan.rows_added.chunks(MYSQL_STATEMENT_ROWS_MAX) {
        step(insert_text(&names.dialogs, &names.columns, rows.len()), row_values(rows), false);
    }
    for variables in plan.variables_added.chunks(MYSQL_STATEMENT_ROWS_MAX) {
        step(insert_text(&names.variables, &names.variable_columns, variables.len()), variable_values(variables), false);
    }
    steps
}

/// Removes what belongs to some dialogs: table, its column of slots, its column of numbers.
fn delete_text([table, entry, id]: [&String; 3], dialogs: usize) -> String {
    let condition = format!("({} = ? AND {} = ?)", quoted(entry), quoted(id));
    format!("DELETE FROM {} WHERE {}", quoted(table), vec![condition; dialogs].join(" OR "))
}

fn insert_text(table: &str, columns: &[String], rows: usize) -> String {
    let row = format!("({})", vec!["?"; columns.len()].join(","));
    format!("INSERT INTO {} ({}) VALUES {}", quoted(table), list(columns), vec![row; rows].join(","))
}

/// Changes many rows, each to values of its own: those are a table that is joined.
fn update_text(names: &TableNames, rows: usize) -> String {
    let [entry, id, ..] = &names.columns;
    let named: Vec<String> = DECLARATIONS
        .iter()
        .enumerate()
        .map(|(place, declared)| match declared.kind {
            // Otherwise some servers compare texts, without the index.
            ColumnType::Integer => format!("CAST(? AS UNSIGNED) AS c{place}"),
            ColumnType::Text(_) => format!("? AS c{place}"),
        })
        .collect();
    let row = format!("SELECT {}", named.join(","));
    let assignments: Vec<String> =
        names.columns.iter().enumerate().skip(2).map(|(place, name)| format!("kept.{} = given.c{place}", quoted(name))).collect();
    format!(
        "UPDATE ({}) AS given STRAIGHT_JOIN {} AS kept ON kept.{} = given.c0 AND kept.{} = given.c1 SET {}",
        vec![row; rows].join(" UNION ALL "),
        quoted(&names.dialogs),
        quoted(entry),
        quoted(id),
        assignments.join(", ")
    )
}

fn id_values(ids: &[(u32, u32)]) -> Params {
    let values = ids.iter().flat_map(|(entry, id)| -> [Value; 2] { [(*entry).into(), (*id).into()] });
    Params::Positional(values.collect())
}

fn variable_values(variables: &[Variable<'_>]) -> Params {
    let values = variables
        .iter()
        .flat_map(|(entry, id, key, value)| -> [Value; 4] { [(*entry).into(), (*id).into(), (*key).into(), (*value).into()] });
    Params::Positional(values.collect())
}

fn row_values(rows: &[&DialogRow]) -> Params {
    let values = rows.iter().flat_map(|row| {
        DECLARATIONS.iter().map(|declared| {
            let cell = row.cell(declared.column);
            match declared.kind {
                ColumnType::Integer => cell.number().map_or(Value::NULL, Value::from),
                ColumnType::Text(_) => text_of(cell).map_or(Value::NULL, |text| Value::Bytes(text.into_owned().into_bytes())),
            }
        })
    });
    Params::Positional(values.collect())
}

/// Out of `Rows matched: 3  Changed: 2  Warnings: 0`, in whatever language the server speaks: rows that were found, whether or
/// not anything in them was different.
fn rows_matched(info: &str) -> u64 {
    let first = info.split(|letter: char| !letter.is_ascii_digit()).find(|digits| !digits.is_empty());
    first.and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_were_found_are_counted_though_nothing_in_them_changed() {
        assert_eq!(rows_matched("Rows matched: 12  Changed: 3  Warnings: 0"), 12);
        assert_eq!(rows_matched("Datensätze gefunden: 12  Geändert: 3  Warnungen: 0"), 12);
        assert_eq!(rows_matched(""), 0);
    }

    #[test]
    fn statements_have_a_parameter_for_every_value() {
        let names = TableNames::default();
        let count = |text: String| text.matches('?').count();
        assert_eq!(count(insert_text(&names.dialogs, &names.columns, 3)), 3 * names.columns.len());
        assert_eq!(count(update_text(&names, 2)), 2 * names.columns.len());
        assert!(!update_text(&names, 1).contains("kept.`hash_id` = given.c1,"), "slot and number are what rows are found by");
    }
}
