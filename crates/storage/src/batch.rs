//! What is written in one transaction.

use crate::columns::Column;
use crate::membership;
use crate::row::DialogRow;

/// One change of the tables. Each stands for a dialog as it is now, so doing it twice does no harm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Operation {
    /// The dialog has this row, and these variables when they are given (key, value; newest first): then those in the table
    /// that are not among them go.
    Put { row: Box<DialogRow>, is_new: bool, variables: Option<Vec<(Vec<u8>, Vec<u8>)>> },
    /// Neither a row nor variables of this dialog are left.
    Remove { entry: u32, id: u32 },
}

/// Changes to be applied together or not at all, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    pub operations: Vec<Operation>,
    /// Tried before with unknown outcome: a row that is new may be there already, one that is not may be missing.
    pub is_retry: bool,
}

/// Bytes of a variable's name and value in Kamailio's tables, and of the memberships.
const KEY_BYTES_MAX: usize = 128;
const VALUE_BYTES_MAX: usize = 512;
const MEMBERSHIP_BYTES_MAX: usize = 512;

/// Key and value of a variable.
type Pair = (Vec<u8>, Vec<u8>);

impl Operation {
    /// The same within what Kamailio's tables take where something can be left out: variables too long or that are no
    /// text go, memberships become shorter; then variables of letters that the table may not know (`latin1`) go. None:
    /// nothing can be left out. For a row that was refused: better most of a call than none of it.
    pub fn trimmed(&self) -> Option<Operation> {
        let Operation::Put { row, is_new, variables } = self else { return None };
        let is_text = |text: &[u8]| !text.contains(&0) && std::str::from_utf8(text).is_ok();
        let fits = |(key, value): &&Pair| key.len() <= KEY_BYTES_MAX && value.len() <= VALUE_BYTES_MAX && is_text(key) && is_text(value);
        let memberships = row.cell(Column::ExtraData).text().and_then(|text| membership::shortened(text, MEMBERSHIP_BYTES_MAX));
        let is_plain = |(key, value): &&Pair| key.is_ascii() && value.is_ascii();
        let but = |memberships: Option<String>, stays: &dyn Fn(&&Pair) -> bool| {
            let is_trimmed = memberships.is_some() || variables.iter().flatten().any(|pair| !stays(&pair));
            is_trimmed.then(|| {
                let mut row = row.clone();
                if let Some(memberships) = memberships {
                    row.set_text(Column::ExtraData, memberships.as_bytes());
                }
                let variables = variables.as_ref().map(|variables| variables.iter().filter(stays).cloned().collect());
                Operation::Put { row, is_new: *is_new, variables }
            })
        };
        but(memberships, &fits).or_else(|| but(None, &is_plain))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_left_out_and_nothing_else() {
        let variables = vec![(b"long".to_vec(), vec![b'x'; 513]), (b"short".to_vec(), vec![b'x'; 512])];
        let put = |variables| Operation::Put { row: Box::default(), is_new: true, variables: Some(variables) };
        assert_eq!(put(variables.clone()).trimmed(), Some(put(variables[1..].to_vec())));
        assert_eq!(put(variables[1..].to_vec()).trimmed(), None);
        for odd in [&b"\xff"[..], b"a\0b"] {
            let odd = vec![(b"odd".to_vec(), odd.to_vec()), (b"short".to_vec(), b"1".to_vec())];
            assert_eq!(put(odd.clone()).trimmed(), Some(put(odd[1..].to_vec())), "a value that some databases never take");
        }
        let odd = vec![(b"name".to_vec(), "Zoë 😀".as_bytes().to_vec()), (b"short".to_vec(), b"1".to_vec())];
        assert_eq!(put(odd.clone()).trimmed(), Some(put(odd[1..].to_vec())), "letters that a table of latin1 does not know");
        assert_eq!(Operation::Remove { entry: 1, id: 2 }.trimmed(), None);
    }
}
