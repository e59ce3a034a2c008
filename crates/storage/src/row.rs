//! One row of each table, in memory that is used again for the next one.

use crate::columns::{COLUMNS, Column};
use crate::limits::SPARE_ROWS_MAX;

/// What stands in one place of a row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Cell {
    #[default]
    Null,
    Integer(i64),
    Text(Vec<u8>),
}

impl Cell {
    /// Puts a text in place, in the memory of the one before.
    pub fn set_text(&mut self, text: &[u8]) {
        match self {
            Cell::Text(old) => {
                old.clear();
                old.extend_from_slice(text);
            }
            _ => *self = Cell::Text(text.to_vec()),
        }
    }

    /// The same without copying; the text gets the memory of the one before.
    pub fn exchange_text(&mut self, text: &mut Vec<u8>) {
        match self {
            Cell::Text(old) => std::mem::swap(old, text),
            _ => *self = Cell::Text(std::mem::take(text)),
        }
    }

    /// Puts a text in place that is written into the memory of the one before.
    pub fn write_text(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let mut text = match self {
            Cell::Text(old) => std::mem::take(old),
            _ => Vec::new(),
        };
        text.clear();
        write(&mut text);
        *self = Cell::Text(text);
    }

    /// The text; None for NULL. Numbers have none: databases without strict types may hold one in a text column, so
    /// readers that want either take [`Cell::to_text`].
    pub fn text(&self) -> Option<&[u8]> {
        match self {
            Cell::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The text, or the decimal digits of a number.
    pub fn to_text(&self) -> Option<std::borrow::Cow<'_, [u8]>> {
        match self {
            Cell::Null => None,
            Cell::Integer(number) => Some(number.to_string().into_bytes().into()),
            Cell::Text(text) => Some(text.as_slice().into()),
        }
    }

    /// The number as Kamailio stores it: 32 bits, a negative one is the same bits; also out of digits. None: NULL, or no
    /// such number.
    pub fn number(&self) -> Option<u32> {
        let number = match self {
            Cell::Integer(number) => *number,
            Cell::Text(text) => std::str::from_utf8(text).ok()?.trim().parse().ok()?,
            Cell::Null => return None,
        };
        u32::try_from(number).ok().or_else(|| i32::try_from(number).ok().map(i32::cast_unsigned))
    }
}

/// A row of the table `dialog`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DialogRow {
    /// In the order of [`Column`].
    pub cells: [Cell; COLUMNS],
}

impl DialogRow {
    /// What stands in a column.
    pub fn cell(&self, column: Column) -> &Cell {
        self.cells.get(column as usize).unwrap_or(&Cell::Null)
    }

    /// The place of a column.
    pub fn cell_mut(&mut self, column: Column) -> &mut Cell {
        &mut self.cells[column as usize]
    }

    /// Puts a number in a column.
    pub fn set_number(&mut self, column: Column, number: u32) {
        *self.cell_mut(column) = Cell::Integer(i64::from(number));
    }

    /// Puts a text in a column.
    pub fn set_text(&mut self, column: Column, text: &[u8]) {
        self.cell_mut(column).set_text(text);
    }

    /// Slot and number, when both are there.
    pub fn id(&self) -> Option<(u32, u32)> {
        Some((self.cell(Column::HashEntry).number()?, self.cell(Column::HashId).number()?))
    }
}

/// Rows that are written, whose memory is used again.
#[derive(Debug, Default)]
pub struct SpareRows {
    #[expect(clippy::vec_box, reason = "they come from operations and go into operations, where they are boxed")]
    rows: Vec<Box<DialogRow>>,
}

impl SpareRows {
    /// A row to be overwritten, cell by cell: what stands in it is of another dialog.
    pub fn take(&mut self) -> Box<DialogRow> {
        self.rows.pop().unwrap_or_default()
    }

    /// Keeps a row for later, unless there are plenty.
    pub fn keep(&mut self, row: Box<DialogRow>) {
        if self.rows.len() < SPARE_ROWS_MAX {
            self.rows.push(row);
        }
    }
}

/// A row of the table `dialog_vars`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VariableRow {
    pub entry: Cell,
    pub id: Cell,
    pub key: Cell,
    pub value: Cell,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_of_signed_words_and_digits() {
        assert_eq!(Cell::Integer(4_294_967_295).number(), Some(u32::MAX));
        assert_eq!(Cell::Integer(-1).number(), Some(u32::MAX));
        assert_eq!(Cell::Text(b" 17".to_vec()).number(), Some(17));
        assert_eq!(Cell::Text(b"x".to_vec()).number(), None);
        assert_eq!(Cell::Integer(1 << 40).number(), None);
        assert_eq!(Cell::Null.number(), None);
        assert_eq!(Cell::Integer(12).to_text().as_deref(), Some(&b"12"[..]));
    }

    #[test]
    fn a_text_takes_the_place_of_the_one_before() {
        let mut cell = Cell::Null;
        cell.set_text(b"long text");
        cell.set_text(b"x");
        assert_eq!(cell.text(), Some(&b"x"[..]));
    }
}
