//! `$dbr` and `$sqlrows`.

use script::exports::{Index, Inner};
use script::value::Value;

use super::results::Field;
use crate::worker::Worker;

/// `$dbr(result=>rows|cols|[row,column]|colname[column])`: null beyond the ends.
pub(super) fn result(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    let word = inner.word();
    let at = memchr::memmem::find(word, b"=>");
    let parts = at.and_then(|at| Some((word.get(..at)?.trim_ascii(), Field::parse(word.get(at + 2..)?)?)));
    let Some((name, field)) = parts else {
        worker.log(-1, "sqlops", &format!("$dbr({}) is none of rows, cols, [row,column], colname[column]", String::from_utf8_lossy(word)));
        return Value::Null;
    };
    field.value(worker.run.sqlops.results.iter().find(|(own, _)| own[..] == *name).map(|(_, rows)| rows))
}

/// `$sqlrows(connection)`: rows that the last statement of this run changed or gave there; null before the first.
pub(super) fn affected(worker: &mut Worker, inner: &Inner, _: Option<Index>) -> Value {
    let name = inner.word();
    let place = worker.node.states.database.named.iter().find(|(own, _)| own[..] == *name).map(|(_, place)| *place);
    let count = worker.run.sqlops.affected.iter().find(|(own, _)| Some(*own) == place).map(|(_, count)| *count);
    count.map_or(Value::Null, |count| Value::Integer(i64::try_from(count).unwrap_or(i64::MAX)))
}
