//! Bounds of statements and connections; beyond, the function that asks fails with -1 and a log line.

/// Most rows of one result.
pub const RESULT_ROWS_MAX: usize = 10_000;
/// Most bytes of one result.
pub const RESULT_BYTES_MAX: usize = 8 << 20;
/// Most databases of a configuration.
pub const CONNECTIONS_MAX: usize = 64;
/// Most sessions with one database at a time.
pub const SESSIONS_MAX: i64 = 32;
