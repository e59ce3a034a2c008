//! A statement of a script.

use mysql_async::consts::StatusFlags;
use mysql_async::prelude::Queryable as _;
use mysql_async::{Conn, Error};

use crate::error::{ErrorKind, StorageError};
use crate::line::{Failure, within};
use crate::query::{QueryBounds, QueryResult, Value};

use super::values::Form;
use super::{Connection, Mysql, errors};

/// This command is not supported in the prepared statement protocol.
const NOT_PREPARED: u16 = 1295;

impl Mysql {
    pub(super) fn run_statement(&mut self, statement: &[u8], bounds: QueryBounds) -> Result<QueryResult, StorageError> {
        let limit = self.line.limit;
        let place = self.line.url.to_string();
        let may_be_several = may_be_several(statement);
        let may_open_transaction = mentions(statement, b"begin") || mentions(statement, b"start") || mentions(statement, b"autocommit");
        let refused = |reason: String| StorageError::new(ErrorKind::Refused, place, reason);
        self.line.run(async |connection| {
            if may_be_several {
                refuse_several(connection, statement, limit).await?;
            }
            let outcome = rows_of(connection, statement, bounds, limit).await;
            let Connection { conn, state, .. } = connection;
            let ends = async { ends_open_transaction(conn).await.map_err(|error| state.failed(&error)) };
            if may_open_transaction && !state.is_broken.get() && within(limit, ends).await? {
                drop(outcome?);
                let reason = "a statement may not leave a transaction open".to_owned();
                return Err(refused(reason).remedy("put what belongs together into one statement").into());
            }
            match outcome? {
                Ok(result) => Ok(result),
                Err(what) => Err(refused(format!("the result has more than {what}")).remedy("ask for less, with LIMIT").into()),
            }
        })
    }
}

/// The rows of the first statement of the text, or which bound they are beyond.
async fn rows_of(
    connection: &mut Connection,
    statement: &[u8],
    bounds: QueryBounds,
    limit: std::time::Duration,
) -> Result<Result<QueryResult, String>, Failure> {
    let Connection { conn, state, .. } = connection;
    let failed = |error: Error| errors::of_statement(state.failed(&error));
    let mut rows = within(limit, async { conn.query_iter(statement).await.map_err(failed) }).await?;
    let columns = rows.columns_ref();
    let forms: Vec<Form> = columns.iter().map(Form::of).collect();
    let columns = columns.iter().map(|column| column.name_str().into_owned()).collect();
    let mut result = QueryResult { columns, rows: Vec::new(), affected: rows.affected_rows() };
    let (mut bytes, mut beyond) = (0, None);
    while let Some(row) = within(limit, async { rows.next().await.map_err(failed) }).await? {
        if result.rows.len() >= bounds.rows_max {
            beyond = Some(format!("{} rows", bounds.rows_max));
            break;
        }
        let values: Vec<Value> = row.unwrap().into_iter().zip(&forms).map(|(sent, form)| form.value(sent)).collect();
        bytes += values.iter().map(|value| size_of::<Value>() + if let Value::Text(text) = value { text.len() } else { 0 }).sum::<usize>();
        if bytes > bounds.bytes_max {
            beyond = Some(format!("{} bytes", bounds.bytes_max));
            break;
        }
        result.rows.push(values);
    }
    // MySQL cannot be told to stop but through another connection. What is too much is read and dropped; if that takes long,
    // the connection is given up, and the next one ends what the server still does for it.
    within(limit, async { rows.drop_result().await.map_err(failed) }).await?;
    Ok(beyond.map_or(Ok(result), Err))
}

/// Does something stand behind a semicolon? It may be part of a text in quotes.
fn may_be_several(statement: &[u8]) -> bool {
    let end = statement.trim_ascii_end();
    end.strip_suffix(b";").unwrap_or(end).contains(&b';')
}

/// The driver always allows several statements in one text; Kamailio does not, and a value that left its quotes could add
/// one. The server takes only one that is to be prepared.
async fn refuse_several(connection: &mut Connection, statement: &[u8], limit: std::time::Duration) -> Result<(), Failure> {
    let Connection { conn, state, .. } = connection;
    let text = String::from_utf8_lossy(statement);
    let prepared = async {
        match conn.prep(text.as_ref()).await {
            Ok(prepared) => conn.close(prepared).await.map_err(|error| errors::of_statement(state.failed(&error))),
            // One that is never prepared, such as CREATE PROCEDURE.
            Err(Error::Server(told)) if told.code == NOT_PREPARED => Ok(()),
            Err(error) => Err(errors::of_statement(state.failed(&error))),
        }
    };
    within(limit, prepared).await
}

fn mentions(text: &[u8], word: &[u8]) -> bool {
    text.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word))
}

/// Was a transaction left open? Every answer tells, also that to a statement without effect.
async fn ends_open_transaction(conn: &mut Conn) -> Result<bool, Error> {
    conn.query_drop("DO 0").await?;
    let flags = conn.last_ok_packet().map(|packet| packet.status_flags()).unwrap_or_default();
    if !flags.contains(StatusFlags::SERVER_STATUS_AUTOCOMMIT) {
        conn.query_drop("SET autocommit = 1").await?;
    }
    let is_open = flags.contains(StatusFlags::SERVER_STATUS_IN_TRANS);
    if is_open {
        conn.query_drop("ROLLBACK").await?;
    }
    Ok(is_open)
}
