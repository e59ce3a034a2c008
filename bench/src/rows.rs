//! The rows of a database against the dialogs that the subject lists: column by column.

use std::collections::BTreeMap;

use crate::database::{Database, Row};
use crate::dump::Dialog;

/// The columns of `dialog` in the order asked for.
const COLUMNS: [&str; 23] = [
    "hash_entry",
    "hash_id",
    "callid",
    "from_uri",
    "from_tag",
    "to_uri",
    "to_tag",
    "caller_cseq",
    "callee_cseq",
    "caller_route_set",
    "callee_route_set",
    "caller_contact",
    "callee_contact",
    "caller_sock",
    "callee_sock",
    "state",
    "start_time",
    "timeout",
    "sflags",
    "iflags",
    "toroute_name",
    "req_uri",
    "xdata",
];

/// Expiry is told in seconds that are rounded at different moments.
const TIMEOUT_TOLERANCE: i64 = 1;

/// Slot and number of a dialog.
type Id = (i64, i64);

/// What differs between rows and dialogs, in words; empty: nothing. `request_uri` tells the column that no listing shows.
pub fn differences(
    database: &Database,
    dialogs: &[Dialog],
    request_uri: impl Fn(&Dialog) -> Option<String>,
) -> Result<Vec<String>, String> {
    let mut different = Vec::new();
    let mut rows: BTreeMap<Id, Row> = BTreeMap::new();
    for row in database.run(&format!("SELECT {} FROM dialog;", COLUMNS.join(", ")))? {
        let id = (number(&row, 0), number(&row, 1));
        if rows.insert(id, row).is_some() {
            different.push(format!("two rows of {id:?}"));
        }
    }
    let mut variables: BTreeMap<Id, Vec<(String, String)>> = BTreeMap::new();
    for row in database.run("SELECT hash_entry, hash_id, dialog_key, dialog_value FROM dialog_vars;")? {
        variables.entry((number(&row, 0), number(&row, 1))).or_default().push((text(&row, 2).to_owned(), text(&row, 3).to_owned()));
    }
    for dialog in dialogs.iter().filter(|dialog| dialog.number("state") >= 3 && !dialog.has_ended()) {
        let mut own = variables.remove(&dialog.id()).unwrap_or_default();
        own.sort();
        if own != dialog.pairs("variables") {
            different.push(format!("variables {own:?} of {dialog:?}"));
        }
        match rows.remove(&dialog.id()) {
            Some(row) => compare(&row, dialog, request_uri(dialog), &mut different),
            None => different.push(format!("no row of {dialog:?}")),
        }
    }
    different.extend(rows.values().map(|row| format!("a row without dialog: {row:?}")));
    different.extend(variables.iter().map(|(id, own)| format!("variables without dialog: {id:?} {own:?}")));
    Ok(different)
}

fn text(row: &Row, place: usize) -> &str {
    row.get(place).and_then(Option::as_deref).unwrap_or_default()
}

fn number(row: &Row, place: usize) -> i64 {
    text(row, place).parse().unwrap_or(-1)
}

fn compare(row: &Row, dialog: &Dialog, request_uri: Option<String>, different: &mut Vec<String>) {
    for (place, column) in COLUMNS.iter().enumerate().skip(2) {
        let found = text(row, place);
        let of_number = |name: &str| dialog.number(name).to_string();
        let wanted = match *column {
            "callid" => dialog.text("call_id").to_owned(),
            "from_uri" | "to_uri" => dialog.text(column).to_owned(),
            "from_tag" => dialog.of_leg("caller", "tag").to_owned(),
            "to_tag" => dialog.of_leg("callee", "tag").to_owned(),
            "state" | "sflags" | "iflags" => of_number(column),
            "start_time" => of_number("start_ts"),
            "timeout" if (number(row, place) - dialog.number("timeout")).abs() <= TIMEOUT_TOLERANCE => continue,
            "timeout" => of_number("timeout"),
            "toroute_name" => String::new(),
            "req_uri" => request_uri.clone().unwrap_or_else(|| found.to_owned()),
            "xdata" => {
                let found = memberships(found);
                if found != dialog.pairs("profiles") {
                    different.push(format!("xdata {found:?} of {dialog:?}"));
                }
                continue;
            }
            column => {
                let (leg, name) = column.split_once('_').unwrap_or((column, ""));
                dialog.of_leg(leg, if name == "sock" { "socket" } else { name }).to_owned()
            }
        };
        if found != wanted {
            different.push(format!("{column} `{found}` instead of `{wanted}` of {}", dialog.text("call_id")));
        }
    }
}

/// Names and values of the profiles in `xdata`.
fn memberships(xdata: &str) -> Vec<(String, String)> {
    let value: serde_json::Value = serde_json::from_str(xdata).unwrap_or_default();
    let part = |member: &serde_json::Value, name: &str| member.get(name).and_then(|part| part.as_str()).unwrap_or_default().to_owned();
    let members = value.get("profiles").and_then(|profiles| profiles.as_array());
    let mut pairs: Vec<(String, String)> =
        members.into_iter().flatten().map(|member| (part(member, "name"), part(member, "value"))).collect();
    pairs.sort();
    pairs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profiles_of_a_row_are_read_by_name_and_value() {
        let xdata = r#"{"profiles":[{"name":"trunk","value":"t1","puid":"x"},{"name":"account","value":"a1","puid":"y"}]}"#;
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(memberships(xdata), [pair("account", "a1"), pair("trunk", "t1")]);
        assert_eq!(memberships(""), []);
    }
}
