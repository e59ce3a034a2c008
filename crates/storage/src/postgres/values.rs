//! Values as PostgreSQL sends them: in its binary form when rows are loaded, as text when a script asks.

use std::error::Error;

use tokio_postgres::types::{FromSql, Type};

use crate::columns::ColumnType;
use crate::query::Value;
use crate::row::Cell;

/// Does a column of this type hold such values?
pub(super) fn holds(kind: &Type, wanted: ColumnType) -> bool {
    match wanted {
        ColumnType::Integer => [Type::INT4, Type::INT8].contains(kind),
        ColumnType::Text(_) => [Type::TEXT, Type::VARCHAR].contains(kind),
    }
}

/// A value in binary form, not looked into yet.
pub(super) struct Raw<'a>(&'a [u8]);

impl<'a> FromSql<'a> for Raw<'a> {
    fn from_sql(_: &Type, bytes: &'a [u8]) -> Result<Raw<'a>, Box<dyn Error + Sync + Send>> {
        Ok(Raw(bytes))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

impl Raw<'_> {
    /// Puts it into the cell of a row; false for a type that no column of these tables has.
    #[must_use]
    pub(super) fn put(&self, kind: &Type, cell: &mut Cell) -> bool {
        let number = match (kind, self.0) {
            (&Type::INT2, &[a, b]) => i64::from(i16::from_be_bytes([a, b])),
            (&Type::INT4, &[a, b, c, d]) => i64::from(i32::from_be_bytes([a, b, c, d])),
            (&Type::INT8, &[a, b, c, d, e, f, g, h]) => i64::from_be_bytes([a, b, c, d, e, f, g, h]),
            (&Type::TEXT | &Type::VARCHAR | &Type::BPCHAR | &Type::NAME, text) => {
                cell.set_text(text);
                return true;
            }
            _ => return false,
        };
        *cell = Cell::Integer(number);
        true
    }
}

/// A value of a script's result. Types that have no place among [`Value`] stay the text that PostgreSQL makes of them: decimals,
/// dates, addresses.
pub(super) fn value_of(kind: Option<&Type>, text: Option<&str>) -> Value {
    let Some(text) = text else { return Value::Null };
    let as_text = || Value::Text(text.as_bytes().to_vec());
    match kind {
        Some(&Type::INT2 | &Type::INT4 | &Type::INT8 | &Type::OID) => text.parse().map_or_else(|_| as_text(), Value::Integer),
        Some(&Type::FLOAT4 | &Type::FLOAT8) => text.parse().map_or_else(|_| as_text(), Value::Real),
        Some(&Type::BYTEA) => bytes_of(text).map_or_else(as_text, Value::Text),
        _ => as_text(),
    }
}

/// The bytes of `\x6162`.
fn bytes_of(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("\\x")?.as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_keeps_its_type_where_there_is_one_for_it() {
        assert_eq!(value_of(Some(&Type::INT8), Some("-9")), Value::Integer(-9));
        assert_eq!(value_of(Some(&Type::FLOAT8), Some("2.5")), Value::Real(2.5));
        assert_eq!(value_of(Some(&Type::NUMERIC), Some("1.10")), Value::Text(b"1.10".to_vec()));
        assert_eq!(value_of(Some(&Type::BYTEA), Some("\\x6100ff")), Value::Text(b"a\0\xff".to_vec()));
        assert_eq!(value_of(None, Some("5")), Value::Text(b"5".to_vec()));
        assert_eq!(value_of(Some(&Type::INT4), None), Value::Null);
    }

    #[test]
    fn binary_values_become_cells_and_strange_types_do_not() {
        let mut cell = Cell::Null;
        assert!(Raw(&[0xff; 4]).put(&Type::INT4, &mut cell));
        assert_eq!((&cell, cell.number()), (&Cell::Integer(-1), Some(u32::MAX)));
        assert!(Raw(b"abc").put(&Type::VARCHAR, &mut cell));
        assert_eq!(cell, Cell::Text(b"abc".to_vec()));
        assert!(!Raw(b"abc").put(&Type::INT4, &mut cell), "a number of three bytes");
        assert!(!Raw(&[0; 8]).put(&Type::TIMESTAMP, &mut cell));
    }
}
