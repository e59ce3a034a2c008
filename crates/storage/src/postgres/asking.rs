//! A statement of a script.

use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::pin;

use futures_core::Stream as _;
use tokio_postgres::{Client, Error, SimpleQueryMessage, SimpleQueryRow, Statement};

use crate::error::{ErrorKind, StorageError};
use crate::line::{Failure, within};
use crate::query::{QueryBounds, QueryResult, Value};
use crate::url::Url;

use super::reading::cancel;
use super::together::both;
use super::values::value_of;
use super::{Postgres, errors};

impl Postgres {
    pub(super) fn run_statement(&mut self, statement: &[u8], bounds: QueryBounds) -> Result<QueryResult, StorageError> {
        let (url, limit) = (self.line.url.clone(), self.line.limit);
        let refused = |reason: &str| StorageError::new(ErrorKind::Refused, url.to_string(), reason);
        let text = std::str::from_utf8(statement).map_err(|_| refused("the statement is not valid UTF-8"))?;
        if text.contains('\0') {
            return Err(refused("the statement holds a NUL byte"));
        }
        let may_open_transaction = mentions(text, "begin") || mentions(text, "start");
        self.line.run(async |connection| {
            let client = &connection.client;
            // The simple form gives every type as the text that PostgreSQL makes of it, but no types: those come from a
            // description of the same statement, asked for on the way.
            let describe = within(limit, async { Ok(client.prepare(text).await.ok()) });
            let (described, told) = both(describe, rows_of(client, &url, text, bounds, limit)).await;
            if may_open_transaction && within(limit, async { Ok(ends_open_transaction(client).await) }).await? {
                told?;
                return Err(refused("a statement may not leave a transaction open")
                    .remedy("put what belongs together into one statement")
                    .into());
            }
            Ok(typed(described.unwrap_or_default(), told?))
        })
    }
}

/// A result whose values are still texts.
struct Texts {
    columns: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
    affected: u64,
}

/// The rows of the first statement that has some.
async fn rows_of(client: &Client, url: &Url, text: &str, bounds: QueryBounds, limit: std::time::Duration) -> Result<Texts, Failure> {
    let failed = |error: Error| errors::of_statement(url, &error);
    let mut stream = pin!(within(limit, async { client.simple_query_raw(text).await.map_err(failed) }).await?);
    let mut next =
        async || within(limit, async { poll_fn(|context| stream.as_mut().poll_next(context)).await.transpose().map_err(failed) }).await;
    let mut result = Texts { columns: Vec::new(), rows: Vec::new(), affected: 0 };
    let (mut bytes, mut results) = (0, 0);
    while let Some(message) = next().await? {
        match message {
            SimpleQueryMessage::RowDescription(columns) => {
                results += 1;
                if results == 1 {
                    result.columns = columns.iter().map(|column| column.name().to_owned()).collect();
                }
            }
            SimpleQueryMessage::Row(row) if results == 1 => {
                if let ControlFlow::Break(what) = take(&mut result, &row, bounds, &mut bytes).map_err(failed)? {
                    within(limit, async {
                        cancel(client).await;
                        Ok(())
                    })
                    .await?;
                    // What was on its way, and then that it was cancelled.
                    while let Ok(Some(_)) = next().await {}
                    let reason = format!("the result has more than {what}");
                    return Err(StorageError::new(ErrorKind::Refused, url.to_string(), reason).remedy("ask for less, with LIMIT").into());
                }
            }
            SimpleQueryMessage::CommandComplete(rows) if results == 0 => result.affected += rows,
            _ => {}
        }
    }
    Ok(result)
}

/// Takes a row, unless that is more than the bounds allow.
fn take(result: &mut Texts, row: &SimpleQueryRow, bounds: QueryBounds, bytes: &mut usize) -> Result<ControlFlow<String>, Error> {
    if result.rows.len() >= bounds.rows_max {
        return Ok(ControlFlow::Break(format!("{} rows", bounds.rows_max)));
    }
    let mut texts = Vec::with_capacity(row.len());
    for place in 0..row.len() {
        let text = row.try_get(place)?;
        *bytes += size_of::<Value>() + text.map_or(0, str::len);
        texts.push(text.map(str::to_owned));
    }
    if *bytes > bounds.bytes_max {
        return Ok(ControlFlow::Break(format!("{} bytes", bounds.bytes_max)));
    }
    result.rows.push(texts);
    Ok(ControlFlow::Continue(()))
}

/// Several statements in one text have no description: their values stay texts.
fn typed(described: Option<Statement>, texts: Texts) -> QueryResult {
    let kinds = described.as_ref().map(Statement::columns).unwrap_or_default();
    let of_row = |row: Vec<Option<String>>| {
        let values = row.iter().enumerate().map(|(place, text)| value_of(kinds.get(place).map(|column| column.type_()), text.as_deref()));
        values.collect()
    };
    QueryResult { rows: texts.rows.into_iter().map(of_row).collect(), columns: texts.columns, affected: texts.affected }
}

fn mentions(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// Was a transaction left open? Only inside of one there is something to mark.
async fn ends_open_transaction(client: &Client) -> bool {
    let is_open = match client.batch_execute("SAVEPOINT left_open").await {
        Ok(()) => true,
        // One that has failed takes no mark, but is still open.
        Err(error) => error.code() == Some(&tokio_postgres::error::SqlState::IN_FAILED_SQL_TRANSACTION),
    };
    if is_open {
        let _ = client.batch_execute("ROLLBACK").await;
    }
    is_open
}
