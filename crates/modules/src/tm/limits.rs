//! Named bounds of what peers and scripts can make tm keep.

/// Most look-ups of next hops that run for transactions at one time; one more fails as an unresolvable name does.
pub const LOOKUPS_MAX: usize = 10_000;
/// Most contacts of one serial forking (`t_load_contacts`).
pub const CONTACTS_MAX: usize = 32;
/// What a client is told to wait when a table is full, seconds (RFC 3261 §20.33).
pub const RETRY_AFTER_SECONDS: u32 = 10;
