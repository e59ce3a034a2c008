//! Connections of a configuration, and texts of statements.

use script::value::Text;

use super::*;
use crate::settings::Settings;

fn settings(modules: &[&str], parameters: &[(&str, &str, &str)]) -> Settings {
    use script::syntax::ast::{Literal, ModuleParameter};
    let parameters: Vec<ModuleParameter> = parameters
        .iter()
        .map(|(module, name, value)| ModuleParameter {
            module: (*module).to_owned(),
            name: (*name).to_owned(),
            value: Literal::Text(Text::from(*value)),
            span: Default::default(),
        })
        .collect();
    Settings::new(modules.iter().map(|name| (*name).to_owned()).collect(), &parameters)
}

#[test]
fn a_url_needs_the_module_of_its_database() {
    let with = settings(&["db_sqlite"], &[]);
    assert_eq!(driver_of(&with, "sqlite:///a/b"), Ok(Driver::Sqlite));
    let error = driver_of(&with, "mysql://user:secret@host/x").unwrap_err();
    assert!(error.contains("loadmodule \"db_mysql.so\"") && !error.contains("secret"), "{error}");
    assert!(driver_of(&with, "oracle://user:secret@host/x").unwrap_err().contains("oracle:// is none"));
    assert!(driver_of(&with, "text").is_err());
}

#[test]
fn connections_to_one_database_are_one_and_a_name_stands_once() {
    let (one, two) = (("sqlops", "sqlcon", "a=>sqlite:///x"), ("sqlops", "sqlcon", " b => sqlite:///x"));
    let state = State::start(&settings(&["sqlops", "db_sqlite"], &[one, two])).expect("two names");
    assert_eq!((state.connections.len(), state.named.len()), (1, 2));
    assert_eq!(state.named.get(1).map(|(name, place)| (name.to_string(), *place)), Some(("b".to_owned(), 0)));
    assert!(State::start(&settings(&["sqlops", "db_sqlite"], &[one, one])).unwrap_err().contains("twice"));
    for bad in ["a", "=>sqlite:///x", "a=>", "a=>postgres://u:p@h/d"] {
        assert!(State::start(&settings(&["sqlops", "db_sqlite"], &[("sqlops", "sqlcon", bad)])).is_err(), "{bad}");
    }
    for (name, bad) in [("connections", "0"), ("connections", "33"), ("query_timeout", "0")] {
        assert!(State::start(&settings(&["sqlops", "db_sqlite"], &[one, ("sqlops", name, bad)])).is_err(), "{name}");
    }
}

#[test]
fn the_first_word_tells_whether_rows_are_wanted() {
    for text in ["select 1", " (SELECT 1)", "\nWith x as (select 1) select 1", "PRAGMA a", "show tables"] {
        assert!(reads(text.as_bytes()), "{text}");
    }
    for text in ["insert into a values(1)", "UPDATE a SET b=1", "selection", "", "--"] {
        assert!(!reads(text.as_bytes()), "{text}");
    }
}

#[test]
fn a_value_cannot_leave_its_quotes() {
    assert_eq!(quoted(Driver::Sqlite, b"it's \\"), b"'it''s \\'");
    assert_eq!(quoted(Driver::Mysql, b"it\\'s\0"), b"'it\\\\''s\0'");
    assert_eq!(quoted(Driver::Postgres, b"it\\'s"), b" E'it\\\\''s'", "whatever standard_conforming_strings is");
    assert_eq!(quoted(Driver::Postgres, b"it's"), b"'it''s'");
    for driver in [Driver::Sqlite, Driver::Postgres] {
        assert_eq!(quoted(driver, b"a\0b"), "'a\u{fffd}b'".as_bytes(), "one such item would keep the whole table from being stored");
    }
}
