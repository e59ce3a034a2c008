//! Bounds of the room.

/// Rows of one batch.
pub const BATCH_OPERATIONS_MAX: usize = 2_000;
/// What fails again and again is tried in halves, down to so many rows; each success lets batches grow by so many.
pub const RETRIED_OPERATIONS_MIN: usize = 100;
pub const BATCH_GROWTH: usize = 20;

/// Pause after a second failure in a row, and the longest one, milliseconds; each is twice the one before.
pub const RETRY_PAUSE_FIRST: u64 = 100;
pub const RETRY_PAUSE_MAX: u64 = 2_000;

/// How often `db_mode` 2 removes rows of dialogs that are over, milliseconds.
pub const REMOVALS_PERIOD: u64 = 1_000;

/// How often a database that stays away is told of, milliseconds.
pub const AWAY_REPORT_PERIOD: u64 = 30_000;

/// So many waiting changes are looked through for those that need not be written any more, then twice what was left.
pub const JOURNAL_TIDY_STEP: usize = 10_000;

/// How long a stop waits for the database to take the next batch, milliseconds, and how long it goes on in all.
pub const STOP_STALL_MAX: u64 = 5_000;
pub const STOP_TIME_MAX: u64 = 60_000;

/// Messages and bytes that wait for their commit; beyond, they leave before it.
pub const HELD_MESSAGES_MAX: usize = 100_000;
pub const HELD_BYTES_MAX: usize = 128 << 20;
/// Bytes of all keys and values while stored dialogs are loaded.
pub const VARIABLE_TABLE_BYTES_MAX: usize = 1 << 30;

/// Written rows whose memory is kept for the next ones.
pub const SPARE_ROWS_MAX: usize = 256;

/// Steps of SQLite's machine between two looks at the clock: about a tenth of a millisecond of work.
pub const SQLITE_STEPS_BETWEEN_LOOKS: i32 = 4_000;
/// Memory of one SQLite connection for pages, in KiB.
pub const SQLITE_CACHE_KIB: i64 = 16_384;
/// Committed operations after which SQLite's write-ahead log is brought into the file, beside further commits.
pub const SQLITE_CHECKPOINT_OPERATIONS: usize = 1_000;
/// How many times that the commits may be ahead before they wait.
pub const SQLITE_CHECKPOINTS_BEHIND: usize = 16;
/// Pages in that log with which it begins anew: 64 MB.
pub const SQLITE_CHECKPOINT_PAGES: i64 = 16_000;

/// Rows that one statement of PostgreSQL or MySQL writes: more go as several statements of the same transaction.
pub const POSTGRES_STATEMENT_ROWS_MAX: usize = 500;
pub const MYSQL_STATEMENT_ROWS_MAX: usize = 64;
