use rusqlite::Connection;

use super::*;
use crate::error::ErrorKind;

/// Kamailio's own scripts where Debian puts them.
const KAMAILIO_SCRIPTS: &str = "/usr/share/kamailio/db_sqlite";

#[test]
fn tables_are_the_same_as_those_made_by_kamailios_script() {
    let scripts = ["standard-create.sql", "dialog-create.sql"].map(|name| fs::read_to_string(format!("{KAMAILIO_SCRIPTS}/{name}")));
    let [Ok(standard), Ok(dialog)] = scripts else {
        eprintln!("skipped: no Kamailio in {KAMAILIO_SCRIPTS}");
        return;
    };
    let theirs = Connection::open_in_memory().unwrap();
    theirs.execute_batch(&standard).unwrap();
    theirs.execute_batch(&dialog).unwrap();
    let directory = Directory::new();
    let ours = directory.ready();
    for table in ["version", "dialog", "dialog_vars"] {
        let wanted = shape(&theirs, table);
        assert!(wanted.len() >= 4, "{table}");
        assert_eq!(shape(&ours.connection, table), wanted, "{table}");
    }
    let versions = "SELECT group_concat(table_name || table_version) FROM (SELECT * FROM version ORDER BY table_name)";
    let of = |connection: &Connection| connection.query_row(versions, [], |row| row.get::<_, String>(0)).unwrap();
    assert_eq!(of(&ours.connection), of(&theirs));
}

/// Columns with type, null, default and key; then indexes with their columns.
fn shape(connection: &Connection, table: &str) -> Vec<String> {
    let columns =
        "SELECT name || '|' || type || '|' || \"notnull\" || '|' || ifnull(dflt_value, '-') || '|' || pk FROM pragma_table_info(?1)";
    let indexes = "SELECT list.name || '|' || list.\"unique\" || '|' || info.name \
                   FROM pragma_index_list(?1) AS list, pragma_index_info(list.name) AS info ORDER BY list.name, info.seqno";
    let read = |text: &str| {
        let mut statement = connection.prepare(text).unwrap();
        let lines = statement.query_map([table], |row| row.get::<_, String>(0)).unwrap();
        lines.map(Result::unwrap).collect::<Vec<_>>()
    };
    [read(columns), read(indexes)].concat()
}

#[test]
fn a_file_that_does_not_exist_is_made_with_its_tables() {
    let directory = Directory::new();
    let mut open = directory.ready();
    open.check(&names()).unwrap();
    let mode: String = open.connection.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "wal");
}

#[test]
fn a_file_that_may_not_be_made_is_an_error_with_the_remedy() {
    let directory = Directory::new();
    let error = open(&directory.url(), ConnectOptions { may_create: false, ..options() }).err().unwrap();
    assert_eq!(error.kind, ErrorKind::Schema);
    assert!(error.to_string().ends_with(&format!("no such file (make it with `duolog db create {}`)", directory.url())), "{error}");
    assert!(!directory.file().exists());
}

#[test]
fn a_file_without_tables_names_the_command_that_makes_them() {
    let directory = Directory::new();
    let other = Connection::open(directory.file()).unwrap();
    other.execute_batch("CREATE TABLE subscriber (name TEXT)").unwrap();
    let mut open = open(&directory.url(), options()).unwrap();
    let error = open.check(&names()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Schema);
    assert!(error.to_string().contains("no table `dialog` (run `duolog db create sqlite:///"), "{error}");
    // Somebody else's file is left as it was.
    let mode: String = other.query_row("PRAGMA journal_mode", [], |row| row.get(0)).unwrap();
    assert_eq!(mode, "delete");
    open.create(&names()).unwrap();
    open.check(&names()).unwrap();
}

#[test]
fn making_tables_twice_keeps_what_is_there() {
    let directory = Directory::new();
    let mut open = directory.ready();
    apply(&mut open, vec![new(row(1, 1))]).unwrap();
    open.create(&names()).unwrap();
    assert_eq!(rows(&mut open, &Selection::All).len(), 1);
    let versions: i64 = open.connection.query_row("SELECT count(*) FROM version", [], |row| row.get(0)).unwrap();
    assert_eq!(versions, 3);
}

#[test]
fn versions_that_are_wrong_or_missing_name_table_found_wanted_and_remedy() {
    let directory = Directory::new();
    let mut open = directory.ready();
    let mut told = |change: &str| {
        open.connection.execute_batch(change).unwrap();
        let error = open.check(&names()).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Schema);
        error.to_string()
    };
    let text = told("UPDATE version SET table_version = 6 WHERE table_name = 'dialog'");
    assert!(text.contains("`dialog` is of version 6, wanted is 7 (bring it to version 7"), "{text}");
    let text = told("DELETE FROM version WHERE table_name = 'dialog'");
    assert!(text.contains("`dialog` has no row in `version`, wanted is version 7 (run `duolog db create"), "{text}");
    let text = told("DROP TABLE version");
    assert!(text.contains("`dialog` has no row in `version`"), "{text}");
    open.create(&names()).unwrap();
    open.check(&names()).unwrap();
}

#[test]
fn a_missing_column_is_named() {
    let directory = Directory::new();
    let mut open = directory.ready();
    open.connection.execute_batch("ALTER TABLE dialog DROP COLUMN xdata").unwrap();
    let error = open.check(&names()).unwrap_err();
    assert!(error.to_string().contains("`dialog` has no column `xdata`"), "{error}");
    open.connection.execute_batch("ALTER TABLE dialog ADD COLUMN XDATA VARCHAR(512); DROP TABLE dialog_vars").unwrap();
    let error = open.check(&names()).unwrap_err();
    assert!(error.to_string().contains("no table `dialog_vars`"), "{error}");
    // At run time, too.
    let error = open.load_variables(&names(), &Selection::All, &mut |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Schema);
    assert!(error.to_string().contains("dialog_vars") && error.to_string().contains("duolog db create"), "{error}");
}

#[test]
fn renamed_tables_and_columns_are_used_everywhere() {
    let directory = Directory::new();
    let mut open = open(&directory.url(), options()).unwrap();
    let renamed = |name: &str| match name {
        "table_name" => Some("calls".to_owned()),
        "vars_table_name" => Some("words".to_owned()),
        "h_entry_column" | "vars_h_entry_column" => Some("slot".to_owned()),
        "h_id_column" | "vars_h_id_column" => Some("number".to_owned()),
        "call_id_column" => Some("call".to_owned()),
        "vars_value_column" => Some("content".to_owned()),
        _ => None,
    };
    let names = TableNames::from_parameters(renamed).unwrap();
    open.check(&names).unwrap();
    let put = Operation::Put { row: row(1, 1), is_new: true, variables: pairs(&[("a", "1")]) };
    open.apply(&names, &batch(vec![put, known(row(1, 1)), new(row(1, 2)), Operation::Remove { entry: 1, id: 2 }])).unwrap();
    let mut seen = 0;
    for which in [Selection::All, Selection::Slot(1), Selection::CallId(b"callid of 1:1".to_vec())] {
        let count = &mut |found: &DialogRow| {
            assert_eq!(*found, *row(1, 1));
            seen += 1;
            ControlFlow::Continue(())
        };
        open.load(&names, &which, count).unwrap();
    }
    assert_eq!(seen, 3);
    assert_eq!(open.highest(&names, 0, 1).unwrap(), [(1, 1)]);
    open.empty(&names).unwrap();
    assert_eq!(open.highest(&names, 0, 1).unwrap(), []);
    // The default names are still others.
    assert_eq!(open.check(&TableNames::default()).unwrap_err().kind, ErrorKind::Schema);
}

#[test]
fn options_choose_journal_and_synchronous_and_unknown_ones_are_refused() {
    let directory = Directory::new();
    let url = |options: &str| Url::parse(&format!("sqlite://{}?{options}", directory.file().display())).unwrap();
    let mut open_file = open(&url("journal=delete&synchronous=full"), options()).unwrap();
    open_file.check(&names()).unwrap();
    let pragma =
        |open: &Sqlite, name: &str| open.connection.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, rusqlite::types::Value>(0));
    assert_eq!(pragma(&open_file, "journal_mode").unwrap(), rusqlite::types::Value::Text("delete".to_owned()));
    assert_eq!(pragma(&open_file, "synchronous").unwrap(), rusqlite::types::Value::Integer(2));
    apply(&mut open_file, vec![new(row(1, 1))]).unwrap();
    for (given, told) in [("journal=off", "wal, delete"), ("cache=shared", "journal=wal|delete")] {
        let error = open(&url(given), options()).err().unwrap();
        assert_eq!(error.kind, ErrorKind::Configuration);
        assert!(error.to_string().contains(told), "{error}");
    }
}
