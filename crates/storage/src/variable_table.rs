//! All stored variables in little memory, read before the dialogs they belong to.

use dialog::limits::{VARIABLES_BYTES_MAX, VARIABLES_MAX};

use crate::limits::VARIABLE_TABLE_BYTES_MAX;
use crate::row::VariableRow;

/// The variables of many dialogs: 16 bytes each, and the bytes of key and value.
#[derive(Debug, Default)]
pub struct VariableTable {
    /// Of each variable: length of the key (16 bits), length of the value (32 bits), key, value.
    texts: Vec<u8>,
    places: Vec<Place>,
    /// Where the variables of each slot begin, and at the end how many there are. Empty: not sorted yet.
    slots: Vec<u32>,
    /// The place behind the dialog asked for last in each slot: rows mostly come in the order of their numbers.
    cursors: Vec<u32>,
    refused: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    entry: u32,
    id: u32,
    /// Where it stands in the texts, and the mark [`SEEN`].
    at: u32,
}

/// Its dialog was asked for.
const SEEN: u32 = 1 << 31;
const LENGTHS: usize = 6;

/// Why a variable was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// Slot, number, key or value are NULL, or no number where one belongs.
    Incomplete,
    /// Key or value are longer than any dialog holds.
    TooLong,
    /// All variables together need more than [`VARIABLE_TABLE_BYTES_MAX`].
    Full,
}

impl VariableTable {
    /// Adds a row; to be called in the order in which rows were written, before the first [`VariableTable::of`].
    pub fn add(&mut self, row: &VariableRow) -> Result<(), Unusable> {
        let added = self.try_add(row);
        self.refused += u64::from(added.is_err());
        added
    }

    fn try_add(&mut self, row: &VariableRow) -> Result<(), Unusable> {
        let (entry, id) = row.entry.number().zip(row.id.number()).ok_or(Unusable::Incomplete)?;
        let (key, value) = row.key.to_text().zip(row.value.to_text()).ok_or(Unusable::Incomplete)?;
        let key_length = u16::try_from(key.len()).map_err(|_| Unusable::TooLong)?;
        let value_length = u32::try_from(value.len()).ok().filter(|_| value.len() <= VARIABLES_BYTES_MAX).ok_or(Unusable::TooLong)?;
        if self.texts.len() + LENGTHS + key.len() + value.len() > VARIABLE_TABLE_BYTES_MAX {
            return Err(Unusable::Full);
        }
        let at = u32::try_from(self.texts.len()).map_err(|_| Unusable::Full)?;
        self.texts.extend_from_slice(&key_length.to_le_bytes());
        self.texts.extend_from_slice(&value_length.to_le_bytes());
        self.texts.extend_from_slice(&key);
        self.texts.extend_from_slice(&value);
        self.places.push(Place { entry, id, at });
        Ok(())
    }

    /// Sorts what was added. `slots`: how many hash slots there are; rows beyond belong to no dialog.
    pub fn sort(&mut self, slots: u32) {
        self.places.sort_unstable();
        self.slots = vec![0; slots as usize + 1];
        let mut next = 0;
        for (place, variable) in self.places.iter().enumerate() {
            let place = u32::try_from(place).unwrap_or(u32::MAX);
            while next <= variable.entry && next <= slots {
                if let Some(start) = self.slots.get_mut(next as usize) {
                    *start = place;
                }
                next += 1;
            }
        }
        let count = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        for start in self.slots.iter_mut().skip(next as usize) {
            *start = count;
        }
        self.cursors.clone_from(&self.slots);
    }

    /// The variables of a dialog, newest first; of several with one key the newest. At most [`VARIABLES_MAX`].
    pub fn of(&mut self, entry: u32, id: u32) -> Vec<(&[u8], &[u8])> {
        let start = self.slots.get(entry as usize).copied().unwrap_or_default() as usize;
        let end = self.slots.get(entry as usize + 1).copied().unwrap_or_default() as usize;
        let slot = self.places.get(start..end).unwrap_or_default();
        let cursor = self.cursors.get(entry as usize).copied().unwrap_or_default() as usize;
        let is_next = cursor < end && self.places.get(cursor).is_some_and(|place| place.id == id && place.entry == entry);
        let first = if is_next { cursor } else { start + slot.partition_point(|place| place.id < id) };
        let mut behind = first;
        for place in self.places.iter_mut().take(end).skip(first).take_while(|place| place.id == id) {
            place.at |= SEEN;
            behind += 1;
        }
        if let Some(cursor) = self.cursors.get_mut(entry as usize).filter(|_| behind > first) {
            *cursor = u32::try_from(behind).unwrap_or(u32::MAX);
        }
        let mut found = Vec::new();
        for place in self.places.get(first..behind).unwrap_or_default().iter().rev() {
            let (key, value) = self.text(place.at & !SEEN);
            if found.len() < VARIABLES_MAX && !found.iter().any(|(known, _)| *known == key) {
                found.push((key, value));
            }
        }
        found
    }

    fn text(&self, at: u32) -> (&[u8], &[u8]) {
        let rest = self.texts.get(at as usize..).unwrap_or_default();
        let Some(([a, b, c, d, e, f], rest)) = rest.split_first_chunk() else { return Default::default() };
        let (key, value) = (usize::from(u16::from_le_bytes([*a, *b])), u32::from_le_bytes([*c, *d, *e, *f]) as usize);
        (rest.get(..key).unwrap_or_default(), rest.get(key..key + value).unwrap_or_default())
    }

    /// How many were added.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Nothing was added.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// How many rows were not taken.
    pub fn refused(&self) -> u64 {
        self.refused
    }

    /// How many belong to dialogs that nobody asked for: rows without a dialog.
    pub fn orphans(&self) -> usize {
        self.places.iter().filter(|place| place.at & SEEN == 0).count()
    }

    /// Bytes it needs.
    pub fn bytes(&self) -> usize {
        self.texts.capacity() + self.places.capacity() * size_of::<Place>() + self.slots.capacity() * size_of::<u32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Cell;

    fn row(entry: i64, id: i64, key: &str, value: &str) -> VariableRow {
        let text = |text: &str| Cell::Text(text.as_bytes().to_vec());
        VariableRow { entry: Cell::Integer(entry), id: Cell::Integer(id), key: text(key), value: text(value) }
    }

    fn of(table: &mut VariableTable, entry: u32, id: u32) -> String {
        let found = table.of(entry, id);
        let pairs = found.iter().map(|(key, value)| format!("{}={}", String::from_utf8_lossy(key), String::from_utf8_lossy(value)));
        pairs.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_dialog_gets_its_variables_newest_first_and_each_key_once() {
        let mut table = VariableTable::default();
        for (entry, id, key, value) in
            [(3, 9, "a", "1"), (0, 1, "x", "0"), (3, 9, "b", "2"), (3, 8, "z", "8"), (3, 9, "a", "3"), (7, 1, "e", "")]
        {
            assert_eq!(table.add(&row(entry, id, key, value)), Ok(()));
        }
        table.sort(8);
        assert_eq!(table.len(), 6);
        assert_eq!(table.orphans(), 6);
        assert_eq!(of(&mut table, 3, 9), "a=3 b=2");
        assert_eq!(of(&mut table, 3, 8), "z=8");
        assert_eq!(of(&mut table, 0, 1), "x=0");
        assert_eq!(of(&mut table, 7, 1), "e=");
        assert_eq!(of(&mut table, 3, 9), "a=3 b=2", "asking again gives the same");
        for (entry, id) in [(3, 7), (3, 10), (4, 9), (8, 1), (u32::MAX, 1)] {
            assert_eq!(of(&mut table, entry, id), "", "{entry}:{id}");
        }
        assert_eq!(table.orphans(), 0);
    }

    #[test]
    fn rows_that_no_dialog_can_have_are_refused_and_counted() {
        let mut table = VariableTable::default();
        assert_eq!(table.add(&VariableRow::default()), Err(Unusable::Incomplete));
        assert_eq!(table.add(&VariableRow { entry: Cell::Text(b"x".to_vec()), ..row(0, 1, "a", "b") }), Err(Unusable::Incomplete));
        assert_eq!(table.add(&VariableRow { value: Cell::Null, ..row(0, 1, "a", "b") }), Err(Unusable::Incomplete));
        assert_eq!(table.add(&row(0, 1, "a", &"x".repeat(VARIABLES_BYTES_MAX + 1))), Err(Unusable::TooLong));
        assert_eq!(table.add(&row(3, 2, "long", &"x".repeat(70_000))), Ok(()), "a dialog may hold it");
        assert_eq!(table.add(&VariableRow { value: Cell::Integer(17), ..row(0, 1, "a", "") }), Ok(()));
        assert_eq!(table.add(&row(5_000, 1, "a", "beyond the slots")), Ok(()));
        table.sort(4);
        assert_eq!(of(&mut table, 0, 1), "a=17");
        assert_eq!(of(&mut table, 3, 2).len(), "long=".len() + 70_000);
        assert_eq!((table.refused(), table.len(), table.orphans()), (4, 3, 1));
    }

    #[test]
    fn an_empty_table_answers_too() {
        let mut table = VariableTable::default();
        assert_eq!(of(&mut table, 0, 1), "");
        table.sort(4);
        assert_eq!(of(&mut table, 3, 1), "");
        assert!(table.is_empty());
    }

    #[test]
    fn a_million_variables_need_sixteen_bytes_each_besides_their_texts() {
        let mut table = VariableTable::default();
        for number in 0..100_000 {
            table.add(&row(number % 4096, number, "account", "alice")).unwrap();
        }
        table.sort(4096);
        // Capacities grow by doubling.
        assert!(table.bytes() < 2 * 100_000 * (16 + 12) + 5 * 4096, "{}", table.bytes());
        assert_eq!(of(&mut table, 99_999 % 4096, 99_999), "account=alice");
    }
}
