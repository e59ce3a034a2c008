//! `duolog db create [URL]`: makes the tables of the dialogs.

use std::time::Duration;

use modules::settings::Settings;
use storage::backend::ConnectOptions;
use storage::{TableNames, Url};

use crate::command_line::CommandLine;
use crate::extension::Extension;
use crate::serve::load;

/// Longest time for a call of the database: tables are made by hand, with time.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes the tables, with the names the configuration gives them when it is asked: without URL, or with `-f`. What is there
/// is kept.
pub fn run(line: &CommandLine, url: Option<&str>, extension: &Extension) -> Result<(), String> {
    let asks = url.is_none() || line.configuration.is_some();
    let settings = if asks { Some(load(line, extension)?.settings) } else { None };
    let text = match (url, &settings) {
        (Some(url), _) => url.to_owned(),
        (None, Some(settings)) => configured(settings, line)?,
        (None, None) => String::new(),
    };
    let url = Url::parse(&text).map_err(|error| format!("duolog db create: {error}"))?;
    let failed = |error: storage::StorageError| format!("duolog db create: {error}");
    let names = match &settings {
        Some(settings) => TableNames::from_parameters(|name| settings.text("dialog", name).map(|text| text.to_string())).map_err(failed)?,
        None => TableNames::default(),
    };
    let options = ConnectOptions { connect_timeout: PATIENCE, call_timeout: PATIENCE, may_create: true, fetch_rows: 0 };
    let mut backend = storage::connect(&url, options).map_err(failed)?;
    backend.create(&names).map_err(failed)?;
    backend.check(&names).map_err(failed)?;
    println!("{url} has the tables {} (version 7) and {} (version 1)", names.dialogs, names.variables);
    Ok(())
}

fn configured(settings: &Settings, line: &CommandLine) -> Result<String, String> {
    let url = settings.text("dialog", "db_url").map(|url| url.to_string()).filter(|url| !url.is_empty());
    url.ok_or_else(|| {
        let path = line.configuration_path();
        format!("duolog db create: {} sets no db_url of dialog: name one, duolog db create sqlite:///path/to/file", path.display())
    })
}
