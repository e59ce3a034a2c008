//! Bounds of names, records, answers and searches: what a name server sends decides none of them.

/// Longest name (RFC 1035 §2.3.4).
pub const NAME_BYTES_MAX: usize = 255;

/// CNAME records followed from one name to the next.
pub const ALIAS_DEPTH_MAX: usize = 8;

/// Records kept under one name and kind; of SRV and NAPTR the most preferred ones.
pub const RECORDS_PER_ENTRY_MAX: usize = 64;

/// Shortest time an answer counts, seconds: a name server with zero lifetimes cannot make us ask for every request.
pub const LIFETIME_FLOOR: u32 = 1;

/// Longest time an answer counts, seconds.
pub const LIFETIME_CEILING: u32 = 86_400;

/// Entries in the cache, whatever `dns_cache_mem` says.
pub const ENTRIES_MAX: usize = 65_536;

/// Questions one search may ask.
pub const QUESTIONS_PER_SEARCH_MAX: usize = 32;

/// Addresses one search hands out, that is, how often a request may fail over.
pub const HOPS_PER_SEARCH_MAX: usize = 32;

/// Records one step of a search looks at: servers and addresses that name servers repeat without end cost no more time.
pub const LOOKS_PER_STEP_MAX: usize = 2_048;

/// Messages without a transaction, and commands, that wait for an address.
pub const WAITING_MAX: usize = 4_096;

/// Bytes in those messages.
pub const WAITING_BYTES_MAX: usize = 16 << 20;
