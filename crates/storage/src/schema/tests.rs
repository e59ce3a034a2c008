use super::*;

fn script(driver: Driver, names: &TableNames) -> String {
    create_statements(driver, names).iter().fold(String::new(), |text, statement| text + statement + ";\n")
}

#[test]
fn every_column_stands_in_the_text_of_each_database() {
    for driver in [Driver::Sqlite, Driver::Postgres, Driver::Mysql] {
        let text = script(driver, &TableNames::default());
        for declared in &DECLARATIONS {
            assert!(text.contains(&format!("\n    {} ", declared.name)), "{} in {driver:?}", declared.name);
        }
    }
}

#[test]
fn renamed_tables_and_columns_are_made_under_their_new_names() {
    let given = |name: &str| match name {
        "table_name" => Some("calls".to_owned()),
        "h_entry_column" => Some("slot".to_owned()),
        "vars_key_column" => Some("word".to_owned()),
        _ => None,
    };
    let names = TableNames::from_parameters(given).unwrap();
    let text = script(Driver::Postgres, &names);
    assert!(text.contains("CREATE INDEX IF NOT EXISTS calls_hash_idx ON calls (slot, hash_id);"), "{text}");
    assert!(text.contains("SELECT 'calls', 7 WHERE NOT EXISTS"), "{text}");
    assert!(text.contains("\n    word VARCHAR(128) NOT NULL"), "{text}");
}

#[test]
fn mysql_makes_the_index_with_the_table() {
    let text = script(Driver::Mysql, &TableNames::default());
    assert_eq!(text.matches("KEY hash_idx (hash_entry, hash_id)").count(), 2, "{text}");
    assert!(!text.contains("CREATE INDEX"), "{text}");
    assert!(text.contains("state INT(10) UNSIGNED NOT NULL,"), "{text}");
    assert!(text.contains("timeout INT(10) UNSIGNED DEFAULT 0 NOT NULL,"), "{text}");
}

#[test]
fn errors_name_table_found_wanted_and_remedy() {
    let url = Url::parse("sqlite:///calls.sqlite").unwrap();
    let text = wrong_version(&url, "dialog", Some(6), 7).to_string();
    assert!(text.contains("`dialog` is of version 6, wanted is 7") && text.contains("duolog db create sqlite:///calls.sqlite"), "{text}");
    let text = wrong_version(&url, "dialog_vars", None, 1).to_string();
    assert!(text.contains("`dialog_vars` has no row in `version`, wanted is version 1"), "{text}");
    assert!(missing_table(&url, "dialog").to_string().contains("no table `dialog`"));
    assert!(missing_column(&url, "dialog", "xdata").to_string().contains("no column `xdata`"));
}
