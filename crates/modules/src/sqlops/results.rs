//! Results of statements: kept under their names, or written into attributes and variables.

use script::exports::Evaluate;
use script::value::{Text, Value};
use script::variable::Reference;

use crate::attributes::{Content, ENTRIES_MAX, Root};
use crate::database::Rows;
use crate::worker::Worker;

/// Makes room for a result: what stood under its name is gone. False: as many as may be are kept.
pub(super) fn begin(worker: &mut Worker, name: &Text) -> bool {
    let most = worker.node.states.sqlops.results_max;
    let results = &mut worker.run.sqlops.results;
    results.retain(|(own, _)| own != name);
    results.len() < most
}

pub(super) fn keep(worker: &mut Worker, name: Text, rows: Rows) {
    worker.run.sqlops.results.push((name, rows));
}

/// Notes how many rows the statement changed or gave.
pub(super) fn count(worker: &mut Worker, connection: usize, rows: &Rows) {
    let given = u64::try_from(rows.rows.len()).unwrap_or(u64::MAX);
    let affected = if rows.columns.is_empty() { rows.affected } else { given };
    let counts = &mut worker.run.sqlops.affected;
    match counts.iter_mut().find(|(place, _)| *place == connection) {
        Some((_, count)) => *count = affected,
        None => counts.push((connection, affected)),
    }
}

/// One root a row, in front of those that have the name already; `[0]` is the first row and, of columns with one name, the first.
pub(super) fn into_attributes(worker: &mut Worker, name: &Text, rows: Rows) -> Result<(), String> {
    let Rows { columns, rows, .. } = rows;
    if rows.len() > ENTRIES_MAX {
        return Err(format!("more than {ENTRIES_MAX} rows do not fit into $xavp({name})"));
    }
    for row in rows.into_iter().rev() {
        let fields = columns.iter().cloned().zip(row).rev().collect();
        if !worker.run.attributes.xavps.push(Root { name: name.clone(), content: Content::Fields(fields) }) {
            return Err(format!("more than {ENTRIES_MAX} values in $xavp"));
        }
    }
    Ok(())
}

/// The first row, column by column.
pub(super) fn into_variables(worker: &mut Worker, variables: &[Reference], rows: Rows) -> Result<(), String> {
    let Some(row) = rows.rows.into_iter().next() else { return Ok(()) };
    let columns = row.len();
    for (variable, value) in variables.iter().zip(row) {
        worker.write(variable, value).map_err(|error| format!("{}: {error}", variable.text()))?;
    }
    if columns > variables.len() {
        return Err(format!("{columns} columns do not fit into {} variables", variables.len()));
    }
    Ok(())
}

/// What `$dbr(name=>field)` names.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Field {
    Rows,
    Columns,
    /// `[row,column]`
    Cell(usize, usize),
    /// `colname[column]`
    Name(usize),
}

impl Field {
    /// None: no such field. A place that cannot be is one beyond the end.
    pub(super) fn parse(text: &[u8]) -> Option<Field> {
        match text.trim_ascii() {
            b"rows" => Some(Field::Rows),
            b"cols" => Some(Field::Columns),
            other => match other.strip_prefix(b"colname") {
                Some(rest) => Some(Field::Name(place(brackets(rest)?)?)),
                None => {
                    let inner = brackets(other)?;
                    let comma = inner.iter().position(|byte| *byte == b',')?;
                    Some(Field::Cell(place(inner.get(..comma)?)?, place(inner.get(comma + 1..)?)?))
                }
            },
        }
    }

    /// What it is in a result; None: a result that is not there, or was freed.
    pub(super) fn value(&self, rows: Option<&Rows>) -> Value {
        let integer = |number: usize| Value::Integer(i64::try_from(number).unwrap_or(i64::MAX));
        match self {
            Field::Rows => integer(rows.map_or(0, |rows| rows.rows.len())),
            // As in Kamailio, columns count only where there are rows.
            Field::Columns => integer(rows.filter(|rows| !rows.rows.is_empty()).map_or(0, |rows| rows.columns.len())),
            Field::Cell(row, column) => rows.and_then(|rows| rows.rows.get(*row)?.get(*column)).cloned().unwrap_or_default(),
            Field::Name(column) => rows
                .filter(|rows| !rows.rows.is_empty())
                .and_then(|rows| rows.columns.get(*column))
                .map_or(Value::Null, |name| Value::Text(name.clone())),
        }
    }
}

fn brackets(text: &[u8]) -> Option<&[u8]> {
    text.trim_ascii().strip_prefix(b"[")?.strip_suffix(b"]")
}

/// A number; one below 0 is beyond every end.
fn place(text: &[u8]) -> Option<usize> {
    let number = script::value::parse_integer(Some(text.trim_ascii()).filter(|text| !text.is_empty())?)?;
    Some(usize::try_from(number).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_and_nonsense_is_none() {
        assert_eq!(Field::parse(b" rows"), Some(Field::Rows));
        assert_eq!(Field::parse(b"[ 1 , 2 ]"), Some(Field::Cell(1, 2)));
        assert_eq!(Field::parse(b"[-1,0]"), Some(Field::Cell(usize::MAX, 0)));
        assert_eq!(Field::parse(b"colname[3]"), Some(Field::Name(3)));
        for bad in ["", "affected", "[1]", "[1,x]", "colname", "colname[]", "[", "[,]"] {
            assert_eq!(Field::parse(bad.as_bytes()), None, "{bad}");
        }
    }
}
