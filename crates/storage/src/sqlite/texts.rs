//! The texts of the statements, written once for the names of tables and columns. Values are always parameters.

use std::sync::Arc;

use crate::names::TableNames;

/// Statements over both tables. Parameters of rows stand in the order of the columns, slot and number first.
pub(super) struct Texts {
    names: TableNames,
    pub(super) insert: String,
    /// Slot and number are what the row is found by, so that its place in the index stays.
    pub(super) update: String,
    pub(super) delete: String,
    pub(super) insert_variable: String,
    pub(super) delete_variables: String,
    /// From a rowid on, so many rows; the rowid stands first.
    pub(super) page: String,
    pub(super) by_slot: String,
    pub(super) by_call_id: String,
    pub(super) variables_page: String,
    pub(super) variables_by_slot: String,
    /// The highest number of each slot: start and step.
    pub(super) highest: [String; 2],
}

impl Texts {
    /// The texts for these names: those at hand, if they are for the same.
    pub(super) fn of(at_hand: &mut Option<Arc<Texts>>, names: &TableNames) -> Arc<Texts> {
        if at_hand.as_ref().is_some_and(|texts| texts.names != *names) {
            *at_hand = None;
        }
        Arc::clone(at_hand.get_or_insert_with(|| Arc::new(Texts::write(names))))
    }

    fn write(names: &TableNames) -> Texts {
        let (dialogs, variables) = (&names.dialogs, &names.variables);
        let [entry, id, call_id, ..] = &names.columns;
        let [own_entry, own_id, ..] = &names.variable_columns;
        let (columns, own_columns) = (names.columns.join(", "), names.variable_columns.join(", "));
        Texts {
            names: names.clone(),
            insert: format!("INSERT INTO {dialogs} ({columns}) VALUES ({})", parameters(names.columns.len())),
            update: format!("UPDATE {dialogs} SET {} WHERE {entry} = ?1 AND {id} = ?2", assignments(&names.columns)),
            delete: format!("DELETE FROM {dialogs} WHERE {entry} = ?1 AND {id} = ?2"),
            insert_variable: format!("INSERT INTO {variables} ({own_columns}) VALUES ({})", parameters(names.variable_columns.len())),
            delete_variables: format!("DELETE FROM {variables} WHERE {own_entry} = ?1 AND {own_id} = ?2"),
            page: format!("SELECT rowid, {columns} FROM {dialogs} WHERE rowid >= ?1 ORDER BY rowid LIMIT ?2"),
            by_slot: format!("SELECT rowid, {columns} FROM {dialogs} WHERE {entry} = ?1 ORDER BY rowid"),
            by_call_id: format!("SELECT rowid, {columns} FROM {dialogs} WHERE {call_id} = ?1 ORDER BY rowid"),
            variables_page: format!("SELECT rowid, {own_columns} FROM {variables} WHERE rowid >= ?1 ORDER BY rowid LIMIT ?2"),
            variables_by_slot: format!("SELECT rowid, {own_columns} FROM {variables} WHERE {own_entry} = ?1 ORDER BY rowid"),
            highest: [highest(dialogs, entry, id), highest(variables, own_entry, own_id)],
        }
    }
}

/// Numbers may stand there as signed words, so they are compared by their 32 bits.
fn highest(table: &str, entry: &str, id: &str) -> String {
    format!(
        "SELECT {entry}, MAX({id} & 4294967295) FROM {table} WHERE typeof({entry}) = 'integer' AND typeof({id}) = 'integer' \
         AND (({id} & 4294967295) - ?1) % ?2 = 0 GROUP BY {entry}"
    )
}

fn parameters(count: usize) -> String {
    (1..=count).map(|place| format!("?{place}")).collect::<Vec<_>>().join(", ")
}

/// All columns but slot and number.
fn assignments(columns: &[String]) -> String {
    let pairs = columns.iter().enumerate().skip(2).map(|(place, name)| format!("{name} = ?{}", place + 1));
    pairs.collect::<Vec<_>>().join(", ")
}
