//! Values as MySQL sends them.

use mysql_async::Value as Sent;
use mysql_async::consts::{ColumnFlags, ColumnType as Kind};

use crate::columns::ColumnType;
use crate::query::Value;
use crate::row::Cell;

/// Does a column hold such values?
pub(super) fn holds(column: &mysql_async::Column, wanted: ColumnType) -> bool {
    match wanted {
        ColumnType::Integer => Form::of(column) == Form::Integer,
        ColumnType::Text(_) => column.column_type().is_character_type(),
    }
}

/// Puts a value into the cell of a row.
pub(super) fn put(sent: Sent, cell: &mut Cell) {
    *cell = match sent {
        Sent::NULL => Cell::Null,
        Sent::Int(number) => Cell::Integer(number),
        Sent::UInt(number) => i64::try_from(number).map_or_else(|_| Cell::Text(number.to_string().into_bytes()), Cell::Integer),
        Sent::Bytes(bytes) => Cell::Text(bytes),
        Sent::Float(number) => Cell::Text(number.to_string().into_bytes()),
        Sent::Double(number) => Cell::Text(number.to_string().into_bytes()),
        date @ (Sent::Date(..) | Sent::Time(..)) => Cell::Text(date.as_sql(true).trim_matches('\'').as_bytes().to_vec()),
    };
}

/// What a column of a script's result holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Integer,
    Real,
    /// Bits come as the bytes of a big-endian number.
    Bits,
    /// Text, blobs, and what has no place among [`Value`]: decimals, dates.
    Text,
}

impl Form {
    pub(super) fn of(column: &mysql_async::Column) -> Form {
        match column.column_type() {
            Kind::MYSQL_TYPE_TINY
            | Kind::MYSQL_TYPE_SHORT
            | Kind::MYSQL_TYPE_INT24
            | Kind::MYSQL_TYPE_LONG
            | Kind::MYSQL_TYPE_LONGLONG
            | Kind::MYSQL_TYPE_YEAR => Form::Integer,
            Kind::MYSQL_TYPE_FLOAT | Kind::MYSQL_TYPE_DOUBLE => Form::Real,
            Kind::MYSQL_TYPE_BIT if column.flags().contains(ColumnFlags::UNSIGNED_FLAG) => Form::Bits,
            _ => Form::Text,
        }
    }

    /// A value of a script's result; MySQL sends it as text.
    pub(super) fn value(self, sent: Sent) -> Value {
        let bytes = match sent {
            Sent::NULL => return Value::Null,
            Sent::Bytes(bytes) => bytes,
            other => return Value::Text(other.as_sql(true).into_bytes()),
        };
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        let known = match self {
            Form::Integer => text.parse().ok().map(Value::Integer),
            Form::Real => text.parse().ok().map(Value::Real),
            Form::Bits if bytes.len() < 8 => Some(Value::Integer(bytes.iter().fold(0, |number, byte| number << 8 | i64::from(*byte)))),
            Form::Bits | Form::Text => None,
        };
        known.unwrap_or(Value::Text(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_its_type_where_there_is_one_for_it() {
        let sent = |text: &[u8]| Sent::Bytes(text.to_vec());
        assert_eq!(Form::Integer.value(sent(b"-9")), Value::Integer(-9));
        assert_eq!(Form::Integer.value(sent(b"18446744073709551615")), Value::Text(b"18446744073709551615".to_vec()));
        assert_eq!(Form::Real.value(sent(b"2.5")), Value::Real(2.5));
        assert_eq!(Form::Text.value(sent(b"1.10")), Value::Text(b"1.10".to_vec()));
        assert_eq!(Form::Bits.value(sent(&[1, 2])), Value::Integer(258));
        assert_eq!(Form::Text.value(Sent::NULL), Value::Null);
    }

    #[test]
    fn cells_take_every_value() {
        let mut cell = Cell::Null;
        put(Sent::UInt(u64::MAX), &mut cell);
        assert_eq!(cell, Cell::Text(u64::MAX.to_string().into_bytes()));
        put(Sent::Int(-1), &mut cell);
        assert_eq!(cell.number(), Some(u32::MAX));
        put(Sent::Date(2026, 1, 2, 3, 4, 5, 0), &mut cell);
        assert_eq!(cell.text(), Some(&b"2026-01-02 03:04:05"[..]));
        put(Sent::NULL, &mut cell);
        assert_eq!(cell, Cell::Null);
    }
}
