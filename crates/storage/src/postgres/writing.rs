//! Applying a batch: all of it in one transaction whose statements are on their way together, so that it costs one round trip
//! however many rows it has.

use std::borrow::Cow;
use std::future::Future;
use std::pin::Pin;

use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Error, Statement};

use crate::batch::Batch;
use crate::columns::{ColumnType, DECLARATIONS};
use crate::error::StorageError;
use crate::limits::POSTGRES_STATEMENT_ROWS_MAX;
use crate::line::{Failure, within};
use crate::names::TableNames;
use crate::plan::{Plan, Variable, text_of, variable_kinds};
use crate::row::DialogRow;
use crate::url::Url;

use super::together::in_order;
use super::{Connection, Postgres, errors};

impl Postgres {
    pub(super) fn apply_batch(&mut self, names: &TableNames, batch: &Batch) -> Result<(), StorageError> {
        let url = self.line.url.clone();
        let plan = Plan::of(&url, names, batch, batch.is_retry)?;
        if plan.is_empty() {
            return Ok(());
        }
        let changed = self.line.call(async |connection| apply(connection, &url, names, &plan).await)?;
        if changed == plan.rows_changed.len() as u64 {
            return Ok(());
        }
        // Somebody removed rows behind our back.
        let plan = Plan::of(&url, names, batch, true)?;
        self.line.call(async |connection| apply(connection, &url, names, &plan).await).map(drop)
    }

    /// Runs statements of ours: all of them or none. There may be many, so the limit is for some at a time.
    pub(super) fn run_statements(&mut self, statements: &mut dyn Iterator<Item = String>) -> Result<(), StorageError> {
        let (url, limit) = (self.line.url.clone(), self.line.limit);
        let failed = |error: Error| errors::explained(&url, &error);
        self.line.run(async |connection| {
            let client = &connection.client;
            let run = async |text: &str| within(limit, async { client.batch_execute(text).await.map_err(failed) }).await;
            run("BEGIN").await?;
            loop {
                let some: Vec<String> = statements.take(POSTGRES_STATEMENT_ROWS_MAX).collect();
                if some.is_empty() {
                    return run("COMMIT").await;
                }
                // One text of many statements takes one round trip.
                if let Err(failure) = run(&some.join(";\n")).await {
                    if let Failure::Told(_) = failure {
                        run("ROLLBACK").await?;
                    }
                    return Err(failure);
                }
            }
        })
    }
}

/// How many rows were changed in place.
async fn apply(connection: &mut Connection, url: &Url, names: &TableNames, plan: &Plan<'_>) -> Result<u64, StorageError> {
    let failed = |error: Error| errors::explained(url, &error);
    if connection.statements.as_ref().is_none_or(|statements| statements.names != *names) {
        connection.statements = Some(Statements::prepare(&connection.client, names).await.map_err(failed)?);
    }
    let Some(statements) = &connection.statements else { return Ok(0) };
    let steps = steps(statements, plan);
    match transaction(&connection.client, &steps).await {
        Ok(counts) => Ok(counts.iter().zip(&steps).filter(|(_, step)| step.is_change).map(|(count, _)| count).sum()),
        Err(error) if errors::is_too_long(&error) => {
            let mut told = failed(error);
            if let Ok(longest) = longest_texts(&connection.client, names).await {
                let find = |table: &str, column: &str| {
                    let known = |known: &&(String, String, usize)| known.0 == table && known.1.eq_ignore_ascii_case(column);
                    longest.iter().find(known).map(|known| known.2)
                };
                told.reason = plan.first_too_long(names, find).unwrap_or(told.reason);
            }
            Err(told)
        }
        Err(error) => Err(failed(error)),
    }
}

/// Rows changed by each step; the first error when there was one, then nothing is left of any step.
async fn transaction(client: &Client, steps: &[Step<'_>]) -> Result<Vec<u64>, Error> {
    type Request<'a> = Pin<Box<dyn Future<Output = Result<u64, Error>> + 'a>>;
    let text = |text: &'static str| -> Request<'_> { Box::pin(async move { client.batch_execute(text).await.map(|()| 0) }) };
    if let [step] = steps {
        return client.execute_raw(step.statement, step.values.iter().map(Values::parameter)).await.map(|count| vec![count]);
    }
    let mut requests = vec![text("BEGIN")];
    for step in steps {
        requests.push(Box::pin(client.execute_raw(step.statement, step.values.iter().map(Values::parameter))));
    }
    // After an error this rolls back.
    requests.push(text("COMMIT"));
    let outcomes = in_order(requests).await.into_iter().collect::<Result<Vec<u64>, Error>>()?;
    Ok(outcomes.into_iter().skip(1).take(steps.len()).collect())
}

/// One statement with the values of many rows.
struct Step<'a> {
    statement: &'a Statement,
    values: Vec<Values<'a>>,
    /// It changes rows in place.
    is_change: bool,
}

/// The values of one column.
enum Values<'a> {
    Integers(Vec<Option<i32>>),
    Texts(Vec<Option<Cow<'a, str>>>),
}

impl Values<'_> {
    fn parameter(&self) -> &(dyn ToSql + Sync) {
        match self {
            Values::Integers(values) => values,
            Values::Texts(values) => values,
        }
    }
}

fn steps<'a>(statements: &'a Statements, plan: &'a Plan<'a>) -> Vec<Step<'a>> {
    let mut steps = Vec::new();
    let mut step = |statement, values, is_change| steps.push(Step { statement, values, is_change });
    for (statement, ids) in [(&statements.delete, &plan.rows_removed), (&statements.delete_variables, &plan.variables_removed)] {
        ids.chunks(POSTGRES_STATEMENT_ROWS_MAX).for_each(|ids| step(statement, id_values(ids), false));
    }
    for (statement, rows, is_change) in [(&statements.update, &plan.rows_changed, true), (&statements.insert, &plan.rows_added, false)] {
        rows.chunks(POSTGRES_STATEMENT_ROWS_MAX).for_each(|rows| step(statement, row_values(rows), is_change));
    }
    let variables = plan.variables_added.chunks(POSTGRES_STATEMENT_ROWS_MAX);
    variables.for_each(|variables| step(&statements.insert_variables, variable_values(variables), false));
    steps
}

fn id_values(ids: &[(u32, u32)]) -> Vec<Values<'static>> {
    let entries = ids.iter().map(|(entry, _)| Some(entry.cast_signed())).collect();
    let numbers = ids.iter().map(|(_, id)| Some(id.cast_signed())).collect();
    vec![Values::Integers(entries), Values::Integers(numbers)]
}

fn row_values<'a>(rows: &[&'a DialogRow]) -> Vec<Values<'a>> {
    let columns = DECLARATIONS.iter().map(|declared| {
        let cells = rows.iter().map(|row| row.cell(declared.column));
        match declared.kind {
            ColumnType::Integer => Values::Integers(cells.map(|cell| cell.number().map(u32::cast_signed)).collect()),
            ColumnType::Text(_) => Values::Texts(cells.map(text_of).collect()),
        }
    });
    columns.collect()
}

fn variable_values<'a>(variables: &[Variable<'a>]) -> Vec<Values<'a>> {
    let ids: Vec<(u32, u32)> = variables.iter().map(|(entry, id, _, _)| (*entry, *id)).collect();
    let mut values: Vec<Values<'a>> = id_values(&ids);
    values.push(Values::Texts(variables.iter().map(|(_, _, key, _)| Some(Cow::Borrowed(*key))).collect()));
    values.push(Values::Texts(variables.iter().map(|(_, _, _, value)| Some(Cow::Borrowed(*value))).collect()));
    values
}

/// The statements that write, prepared for some names. Each takes an array for each column.
pub(super) struct Statements {
    names: TableNames,
    insert: Statement,
    update: Statement,
    delete: Statement,
    insert_variables: Statement,
    delete_variables: Statement,
}

impl Statements {
    async fn prepare(client: &Client, names: &TableNames) -> Result<Statements, Error> {
        // The planner knows neither how few rows an array has nor how many the table will have: rows are found by the index.
        // Older servers lack some of these settings.
        client
            .batch_execute(
                "SELECT set_config(name, CASE name WHEN 'plan_cache_mode' THEN 'force_generic_plan' ELSE 'off' END, false) \
                 FROM pg_settings \
                 WHERE name IN ('plan_cache_mode', 'jit', 'enable_seqscan', 'enable_hashjoin', 'enable_mergejoin')",
            )
            .await?;
        let kinds = DECLARATIONS.map(|declared| declared.kind);
        let (rows, variables) = (arrays(&kinds), arrays(&variable_kinds()));
        let ids = arrays(&[ColumnType::Integer, ColumnType::Integer]);
        let columns = names.columns.join(", ");
        let [entry, id, ..] = &names.columns;
        let assignments: Vec<String> = names.columns.iter().skip(2).map(|name| format!("{name} = given.{name}")).collect();
        let delete = |table: &str, entry: &str, id: &str| {
            format!(
                "DELETE FROM {table} AS kept USING unnest({ids}) AS gone (entry, id) WHERE kept.{entry} = gone.entry AND kept.{id} = gone.id"
            )
        };
        let insert = |table: &str, columns: &str, values: &str| format!("INSERT INTO {table} ({columns}) SELECT * FROM unnest({values})");
        let update = format!(
            "UPDATE {} AS kept SET {} FROM unnest({rows}) AS given ({columns}) WHERE kept.{entry} = given.{entry} AND kept.{id} = given.{id}",
            names.dialogs,
            assignments.join(", ")
        );
        let [own_entry, own_id, ..] = &names.variable_columns;
        Ok(Statements {
            names: names.clone(),
            insert: client.prepare(&insert(&names.dialogs, &columns, &rows)).await?,
            update: client.prepare(&update).await?,
            delete: client.prepare(&delete(&names.dialogs, entry, id)).await?,
            insert_variables: client.prepare(&insert(&names.variables, &names.variable_columns.join(", "), &variables)).await?,
            delete_variables: client.prepare(&delete(&names.variables, own_entry, own_id)).await?,
        })
    }
}

/// `$1::int4[], $2::text[]`.
fn arrays(kinds: &[ColumnType]) -> String {
    let array = |(place, kind): (usize, &ColumnType)| match kind {
        ColumnType::Integer => format!("${}::int4[]", place + 1),
        ColumnType::Text(_) => format!("${}::text[]", place + 1),
    };
    kinds.iter().enumerate().map(array).collect::<Vec<_>>().join(", ")
}

/// How many characters the columns of both tables take: table, column, characters.
async fn longest_texts(client: &Client, names: &TableNames) -> Result<Vec<(String, String, usize)>, Error> {
    let text = "SELECT attname::text, atttypmod - 4 FROM pg_attribute WHERE attrelid = $1::text::regclass AND atttypmod > 4";
    let mut longest = Vec::new();
    for table in [&names.dialogs, &names.variables] {
        for row in client.query(text, &[table]).await? {
            let characters: i32 = row.try_get(1)?;
            longest.push((table.clone(), row.try_get(0)?, usize::try_from(characters).unwrap_or(usize::MAX)));
        }
    }
    Ok(longest)
}
