//! A dialog as its row has it, comparable.

use dialog::{DialogId, DialogView};
use storage::dialogs::row_of;
use storage::membership::{self, StoredMembership};
use storage::row::Cell;
use storage::{Column, DialogRow};

use crate::checkers::text;
use crate::database::{Tables, id_of};

/// A deadline a second away may be over by the time it is looked at, seconds.
const IMMINENT: u64 = 1;

/// One version of a dialog: its row, and its variables newest first.
#[derive(Clone, Debug)]
pub struct Version {
    row: DialogRow,
    variables: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Version {
    /// `date`: a lifetime that was over by then is not compared any more.
    pub fn of(dialog: &DialogView, date: u64) -> Version {
        let mut row = row_of(dialog);
        if u64::from(dialog.timeout) <= date + IMMINENT {
            row.set_number(Column::Timeout, 0);
        }
        Version { row, variables: dialog.variables.clone() }
    }

    /// The version in the tables.
    pub fn of_row(row: &DialogRow, tables: &Tables) -> Option<(DialogId, Version)> {
        let id = id_of(row)?;
        Some((id, Version { row: row.clone(), variables: tables.variables_of(id) }))
    }

    pub fn equals(&self, other: &Version) -> bool {
        let differs = |one: &Version, other: &Version| one.difference_to(&other.row, &other.variables).is_some();
        !differs(self, other) && !differs(other, self)
    }

    /// How the tables differ from it.
    pub fn difference(&self, id: DialogId, tables: &Tables) -> Option<String> {
        match tables.rows_of(id) {
            [] => Some(String::from("it has no row")),
            [row] => self.difference_to(row, &tables.variables_of(id)),
            rows => Some(format!("it has {} rows", rows.len())),
        }
    }

    /// How a dialog loaded from it differs. What was over in time has no deadline any more.
    pub fn difference_when_loaded(&self, loaded: &Version, date: u64) -> Option<String> {
        let mut own = self.clone();
        let is_over = own.row.cell(Column::Timeout).number().is_none_or(|timeout| u64::from(timeout) <= date + IMMINENT);
        if is_over {
            own.row.set_number(Column::Timeout, 0);
        }
        own.difference_to(&loaded.row, &loaded.variables)
    }

    fn difference_to(&self, row: &DialogRow, variables: &[(Vec<u8>, Vec<u8>)]) -> Option<String> {
        for (place, (own, other)) in self.row.cells.iter().zip(&row.cells).enumerate() {
            let column = storage::columns::DECLARATIONS.get(place).map(|declaration| declaration.column);
            let is_same = match column {
                Some(Column::Timeout) => own.number().is_none_or(|own| own == 0 || Some(own) == other.number()),
                Some(Column::ExtraData) => memberships(own) == memberships(other),
                _ => own == other,
            };
            if !is_same {
                let name = column.map_or("", |column| column.declared().name);
                return Some(format!("{name} is {}, not {}", shown(other), shown(own)));
            }
        }
        (self.variables != variables).then(|| format!("the variables are {}, not {}", pairs(variables), pairs(&self.variables)))
    }

    pub fn memberships(&self) -> Vec<StoredMembership> {
        memberships(self.row.cell(Column::ExtraData))
    }

    /// Its Call-ID.
    pub fn call_id(&self) -> Option<Vec<u8>> {
        self.row.cell(Column::CallId).text().map(<[u8]>::to_vec)
    }

    /// Is it the dialog of a request with these tags, either way?
    pub fn is_of(&self, call_id: &[u8], from_tag: &[u8], to_tag: &[u8]) -> bool {
        let holds = |column, wanted: &[u8]| self.row.cell(column).text() == Some(wanted);
        let tags = |caller, callee| holds(Column::FromTag, caller) && holds(Column::ToTag, callee);
        holds(Column::CallId, call_id) && (tags(from_tag, to_tag) || tags(to_tag, from_tag))
    }
}

/// Memberships without what is made anew at each start.
fn memberships(cell: &Cell) -> Vec<StoredMembership> {
    cell.text().map(|text| membership::read(text, &mut 0)).unwrap_or_default()
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::from("NULL"),
        Cell::Integer(number) => number.to_string(),
        Cell::Text(bytes) => format!("'{}'", text(bytes)),
    }
}

fn pairs(pairs: &[(Vec<u8>, Vec<u8>)]) -> String {
    let shown = pairs.iter().take(8).map(|(key, value)| format!("{}={}", text(key), text(value.get(..40).unwrap_or(value))));
    format!("[{}]", shown.collect::<Vec<_>>().join(" "))
}
