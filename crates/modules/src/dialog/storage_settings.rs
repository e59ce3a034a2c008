//! What the parameters say about storing dialogs (spec dialog 3.4).

use std::time::Duration;

use ::dialog::Storing;

use crate::settings::Settings;

/// Kamailio's core default.
const DEFAULT_URL: &str = "mysql://kamailio:kamailiorw@localhost/kamailio";

/// How dialogs are stored. Names of tables and columns are read where statements are made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StorageSettings {
    /// `db_mode`, never [`Storing::Never`].
    pub storing: Storing,
    /// `db_url`, with its password.
    pub url: String,
    /// `db_update_period`: between two writes in `db_mode` 2.
    pub update_period: Duration,
    /// `db_fetch_rows`; 0 = all at once.
    pub fetch_rows: usize,
    /// `db_skip_load`
    pub skips_load: bool,
    /// `db_commit_interval`: least time between two commits under load.
    pub commit_interval: Duration,
    /// `db_hold_time`: longest time a message waits for its commit.
    pub hold_time: Duration,
    /// `db_failure_mode` 1: answers that cannot be stored become 500.
    pub refuses_unstored: bool,
    /// `db_timeout`: longest time of one call of the database.
    pub call_timeout: Duration,
    /// `db_rehash`: dialogs stored with another `hash_size` are taken.
    pub rehashes: bool,
}

/// Bounds of the extensions, in milliseconds.
const COMMIT_INTERVAL_MAX: i64 = 1_000;
const HOLD_TIME_MAX: i64 = 10_000;
const CALL_TIMEOUT: std::ops::RangeInclusive<i64> = 100..=60_000;

impl StorageSettings {
    /// None: `db_mode` 0. The error names the parameter.
    pub fn read(settings: &Settings) -> Result<Option<StorageSettings>, String> {
        let integer = |name: &str| settings.integer("dialog", name);
        let within = |name: &str, range: std::ops::RangeInclusive<i64>| {
            let value = integer(name);
            let wrong = || format!("dialog: {name} {value} is not {} to {}", range.start(), range.end());
            if range.contains(&value) { Ok(Duration::from_millis(value.unsigned_abs())) } else { Err(wrong()) }
        };
        let storing = storing(settings)?;
        if storing == Storing::Never {
            return Ok(None);
        }
        let url = settings.text("dialog", "db_url").map(|url| url.to_string()).filter(|url| !url.is_empty());
        let url = url.unwrap_or_else(|| DEFAULT_URL.to_owned());
        Ok(Some(StorageSettings {
            storing,
            url,
            update_period: Duration::from_secs(u64::try_from(integer("db_update_period")).unwrap_or(0).max(1)),
            fetch_rows: usize::try_from(integer("db_fetch_rows")).unwrap_or(0),
            skips_load: integer("db_skip_load") != 0,
            commit_interval: within("db_commit_interval", 0..=COMMIT_INTERVAL_MAX)?,
            hold_time: within("db_hold_time", 1..=HOLD_TIME_MAX)?,
            refuses_unstored: integer("db_failure_mode") != 0,
            call_timeout: within("db_timeout", CALL_TIMEOUT)?,
            rehashes: integer("db_rehash") != 0,
        }))
    }
}

/// What `db_mode` says.
pub(super) fn storing(settings: &Settings) -> Result<Storing, String> {
    match settings.integer("dialog", "db_mode") {
        0 => Ok(Storing::Never),
        1 => Ok(Storing::Realtime),
        2 => Ok(Storing::Delayed),
        3 => Ok(Storing::AtStop),
        other => Err(format!("dialog: unsupported db_mode {other}")),
    }
}
