//! Making and checking tables.

use std::process::Command;

use storage::{Batch, ErrorKind, Selection, StorageError, TableNames};

use crate::homes::{Home, Kind, ask, names, put, put_with, row, rows, variables};

pub fn creating_twice_does_no_harm_and_names_can_be_changed(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    backend.apply(&names(), &Batch { operations: vec![put(&row(1, 1), true)], is_retry: false }).unwrap();
    backend.create(&names()).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All).len(), 1);
    let renamed = TableNames::from_parameters(|parameter| match parameter {
        "table_name" => Some("calls_of_duolog".to_owned()),
        "vars_table_name" => Some("values_of_calls".to_owned()),
        "call_id_column" => Some("Identity".to_owned()),
        "h_id_column" => Some("number".to_owned()),
        "vars_key_column" => Some("name".to_owned()),
        _ => None,
    })
    .unwrap();
    assert_eq!(backend.check(&renamed).unwrap_err().kind, ErrorKind::Schema);
    backend.create(&renamed).unwrap();
    backend.check(&renamed).unwrap();
    backend.apply(&renamed, &Batch { operations: vec![put_with(&row(2, 2), true, &[("k", "v")])], is_retry: false }).unwrap();
    backend.apply(&renamed, &Batch { operations: vec![put(&row(2, 2), false)], is_retry: false }).unwrap();
    assert_eq!(ask(&mut *backend, "SELECT Identity FROM calls_of_duolog WHERE number = 2").unwrap().rows.len(), 1);
    assert_eq!(ask(&mut *backend, "SELECT hash_id FROM values_of_calls WHERE name = 'k'").unwrap().rows.len(), 1);
    assert_eq!(backend.highest(&renamed, 0, 1).unwrap(), [(2, 2)]);
    backend.apply(&names(), &Batch { operations: vec![put(&row(3, 3), true)], is_retry: false }).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All).len(), 2, "both pairs of tables can be used in turn");
}

pub fn what_is_missing_is_named_with_the_remedy(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    let told = |error: StorageError, words: &[&str]| {
        assert_eq!(error.kind, ErrorKind::Schema, "{error}");
        assert!(words.iter().all(|word| error.reason.contains(word)), "{error}");
        assert!(error.remedy.contains("duolog db create"), "{error}");
        assert!(!error.to_string().contains(database_servers::PASSWORD), "{error}");
    };
    ask(&mut *backend, "UPDATE version SET table_version = 6 WHERE table_name = 'dialog'").unwrap();
    told(backend.check(&names()).unwrap_err(), &["`dialog`", "version 6", "7"]);
    ask(&mut *backend, "UPDATE version SET table_version = 7 WHERE table_name = 'dialog'").unwrap();
    backend.check(&names()).unwrap();
    ask(&mut *backend, "DELETE FROM version WHERE table_name = 'dialog_vars'").unwrap();
    told(backend.check(&names()).unwrap_err(), &["`dialog_vars`", "no row in `version`"]);
    ask(&mut *backend, "DROP TABLE version").unwrap();
    told(backend.check(&names()).unwrap_err(), &["`dialog`", "no row in `version`"]);
    backend.create(&names()).unwrap();
    backend.check(&names()).unwrap();
    ask(&mut *backend, "ALTER TABLE dialog DROP COLUMN xdata").unwrap();
    told(backend.check(&names()).unwrap_err(), &["`dialog`", "no column `xdata`"]);
    let error = backend.apply(&names(), &Batch { operations: vec![put(&row(1, 1), true)], is_retry: false }).unwrap_err();
    told(error, &["xdata"]);
    ask(&mut *backend, "DROP TABLE dialog_vars").unwrap();
    ask(&mut *backend, "ALTER TABLE dialog ADD COLUMN xdata VARCHAR(512)").unwrap();
    told(backend.check(&names()).unwrap_err(), &["no table `dialog_vars`"]);
    let each = &mut |_: &storage::VariableRow| std::ops::ControlFlow::Continue(());
    told(backend.load_variables(&names(), &Selection::All, each).unwrap_err(), &["dialog_vars"]);
    backend.create(&names()).unwrap();
    backend.check(&names()).unwrap();
    backend.apply(&names(), &Batch { operations: vec![put(&row(1, 1), true)], is_retry: false }).unwrap();
}

pub fn tables_made_by_kamailios_scripts_are_taken(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let folder = match kind {
        Kind::Sqlite => "db_sqlite",
        Kind::Postgres => "postgres",
        Kind::Mariadb => "mysql",
    };
    let script = |name: &str| std::fs::read_to_string(format!("/usr/share/kamailio/{folder}/{name}-create.sql"));
    let (Ok(standard), Ok(dialog)) = (script("standard"), script("dialog")) else {
        println!("skipped: Kamailio's scripts for {kind:?} are not installed");
        return;
    };
    run_script(kind, &home.url, &(standard + &dialog));
    let mut backend = home.connect();
    backend.check(&names()).unwrap();
    backend.create(&names()).unwrap();
    backend.check(&names()).unwrap();
    // A row as Kamailio writes it: numbers as signed words where the column is signed.
    let number = if kind == Kind::Mariadb { "4294967294" } else { "-2" };
    ask(
        &mut *backend,
        &format!(
            "INSERT INTO dialog (hash_entry, hash_id, callid, from_uri, from_tag, to_uri, to_tag, caller_cseq, callee_cseq, caller_contact, \
             callee_contact, caller_sock, callee_sock, state, start_time, timeout, sflags, iflags, req_uri) VALUES (3705, {number}, 'db@x', \
             'sip:a@b', 'aa', 'sip:c@d', 'bb', '1', '0', 'sip:a@1.2.3.4', 'sip:c@1.2.3.5', 'udp:127.0.0.1:5060', 'udp:127.0.0.1:5060', 4, \
             1795380406, 1795381006, 0, 0, 'sip:c@d')"
        ),
    )
    .unwrap();
    let found = rows(&mut *backend, &Selection::All);
    assert_eq!(found.iter().filter_map(|row| row.id()).collect::<Vec<_>>(), [(3705, u32::MAX - 1)]);
    assert_eq!(backend.highest(&names(), 0, 1).unwrap(), [(3705, u32::MAX - 1)]);
    backend.apply(&names(), &Batch { operations: vec![put_with(&found[0], false, &[("k", "v")])], is_retry: false }).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All), found, "it is changed, not written a second time");
    assert_eq!(variables(&mut *backend, &Selection::Slot(3705)).len(), 1);
}

/// Runs a whole script, by the database's own client where that is needed.
fn run_script(kind: Kind, url: &str, script: &str) {
    if let Some(product) = kind.product() {
        let (_, database) = url.rsplit_once('/').unwrap();
        let server = crate::homes::shared(product).unwrap();
        let choose = match kind {
            Kind::Mariadb => format!("USE {database};\n"),
            _ => format!("\\connect {database}\nSET ROLE {};\n", database_servers::USER),
        };
        server.execute(&(choose + script)).unwrap();
        return;
    }
    let file = url.strip_prefix("sqlite://").unwrap();
    let mut child = Command::new("sqlite3").arg(file).stdin(std::process::Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), script.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

pub fn emptied_tables_are_empty(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    let operations = (1..=50).map(|id| put_with(&row(id % 3, id), true, &[("k", "v")])).collect();
    backend.apply(&names(), &Batch { operations, is_retry: false }).unwrap();
    backend.empty(&names()).unwrap();
    assert!(rows(&mut *backend, &Selection::All).is_empty() && variables(&mut *backend, &Selection::All).is_empty());
    backend.check(&names()).unwrap();
}

/// A column of the wrong type is the operator's to mend; no row may be given up for it.
pub fn a_column_of_another_type_is_no_fault_of_a_row(kind: Kind) {
    let Some(home) = Home::new(kind) else { return };
    let mut backend = home.with_tables();
    let changes = match kind {
        Kind::Mariadb => [
            ("callid", "ALTER TABLE dialog MODIFY callid INT NOT NULL", "ALTER TABLE dialog MODIFY callid VARCHAR(255) NOT NULL"),
            ("state", "ALTER TABLE dialog MODIFY state DATETIME NOT NULL", "ALTER TABLE dialog MODIFY state INT UNSIGNED NOT NULL"),
        ],
        _ => [
            ("callid", "ALTER TABLE dialog ALTER callid TYPE inet USING NULL::inet", "ALTER TABLE dialog ALTER callid TYPE VARCHAR(255)"),
            ("state", "ALTER TABLE dialog ALTER state TYPE text", "ALTER TABLE dialog ALTER state TYPE INTEGER USING 0"),
        ],
    };
    let batch = Batch { operations: vec![put(&row(1, 1), true)], is_retry: true };
    for (column, change, mend) in changes {
        ask(&mut *backend, change).unwrap();
        let error = backend.check(&names()).unwrap_err();
        assert!(error.kind == ErrorKind::Schema && error.reason.contains(column) && !error.remedy.is_empty(), "{error}");
        if kind == Kind::Postgres && column == "callid" {
            let error = home.connect().apply(&names(), &batch).unwrap_err();
            assert_eq!(error.kind, ErrorKind::Schema, "{error}");
        }
        ask(&mut *backend, mend).unwrap();
        backend.check(&names()).unwrap();
    }
    home.connect().apply(&names(), &batch).unwrap();
    assert_eq!(rows(&mut *backend, &Selection::All).len(), 1);
}

pub fn mysql_tables_need_transactions(kind: Kind) {
    let Some(home) = Home::new(kind).filter(|_| kind == Kind::Mariadb) else { return };
    let mut backend = home.connect();
    ask(&mut *backend, "SET default_storage_engine = MyISAM").unwrap();
    backend.create(&names()).unwrap();
    backend.check(&names()).unwrap();
    for table in ["dialog", "dialog_vars"] {
        ask(&mut *backend, &format!("ALTER TABLE {table} ENGINE=MyISAM")).unwrap();
        let error = backend.check(&names()).unwrap_err();
        assert!(error.kind == ErrorKind::Schema && error.reason.contains(&format!("`{table}` is kept by MyISAM")), "{error}");
        assert_eq!(error.remedy, format!("run `ALTER TABLE {table} ENGINE=InnoDB`"));
        ask(&mut *backend, &format!("ALTER TABLE {table} ENGINE=InnoDB")).unwrap();
    }
    backend.check(&names()).unwrap();
}
