//! The names of tables and columns as the parameters give them (spec dialog 3.4).

use crate::columns::{COLUMNS, Column, DECLARATIONS, VARIABLE_COLUMNS};
use crate::error::{ErrorKind, StorageError};

/// Names of both tables and all their columns; every one is safe to stand in a statement without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableNames {
    /// `dialog`
    pub dialogs: String,
    /// In the order of [`Column`].
    pub columns: [String; COLUMNS],
    /// `dialog_vars`
    pub variables: String,
    /// Slot, number, key, value.
    pub variable_columns: [String; 4],
}

impl Default for TableNames {
    fn default() -> TableNames {
        TableNames {
            dialogs: "dialog".to_owned(),
            columns: DECLARATIONS.map(|declaration| declaration.name.to_owned()),
            variables: "dialog_vars".to_owned(),
            variable_columns: VARIABLE_COLUMNS.map(|(name, _, _)| name.to_owned()),
        }
    }
}

impl TableNames {
    /// Kamailio's names, with those changed that `parameter` knows by the name of their parameter. A name that is no plain
    /// word (letters, digits, `_`) is refused: names stand in statements.
    pub fn from_parameters(parameter: impl Fn(&str) -> Option<String>) -> Result<TableNames, StorageError> {
        let mut names = TableNames::default();
        let change = |name: &mut String, of: &str| -> Result<(), StorageError> {
            let Some(given) = parameter(of).filter(|given| !given.is_empty()) else { return Ok(()) };
            if !is_word(&given) {
                return Err(StorageError::new(ErrorKind::Schema, format!("{of} `{given}`"), "is no name of a table or column")
                    .remedy("use letters, digits and _ only"));
            }
            *name = given;
            Ok(())
        };
        change(&mut names.dialogs, "table_name")?;
        change(&mut names.variables, "vars_table_name")?;
        for (name, declaration) in names.columns.iter_mut().zip(&DECLARATIONS) {
            if let Some(of) = declaration.parameter {
                change(name, of)?;
            }
        }
        for (name, (_, of, _)) in names.variable_columns.iter_mut().zip(&VARIABLE_COLUMNS) {
            change(name, of)?;
        }
        Ok(names)
    }

    /// The name of a column of the table of dialogs.
    pub fn column(&self, column: Column) -> &str {
        self.columns.get(column as usize).map_or("", String::as_str)
    }
}

fn is_word(name: &str) -> bool {
    name.len() <= 64
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_rename_and_what_is_no_word_is_refused() {
        let names = TableNames::from_parameters(|name| (name == "from_cseq_column").then(|| "cseq_a".to_owned())).unwrap();
        assert_eq!((names.column(Column::CallerCseq), names.column(Column::CalleeCseq)), ("cseq_a", "callee_cseq"));
        for bad in ["dialog; drop table x", "a b", "1a", "a-b", "\"a\""] {
            assert!(TableNames::from_parameters(|name| (name == "table_name").then(|| bad.to_owned())).is_err(), "{bad}");
        }
    }
}
