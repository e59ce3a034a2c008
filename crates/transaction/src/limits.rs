//! Named bounds of everything a peer can make this room grow.

/// Most client branches one transaction may hold (the branch index also has to fit the Via branch parameter).
pub const BRANCHES_MAX: usize = 31;
/// Events that may wait for a transaction that is checked out; the next one is dropped and counted.
pub const EVENTS_QUEUED_MAX: usize = 64;
/// Live transactions with one (Call-ID, CSeq number); more are refused, so a lookup never walks a long chain.
pub const SAME_CALL_MAX: usize = 128;
/// To-tags of relayed 2xx replies remembered per INVITE, used to recognise end-to-end ACKs.
pub const TO_TAGS_MAX: usize = 16;
/// Longest To-tag remembered; a longer one is legal but its ACK is not reported as end-to-end.
pub const TO_TAG_BYTES_MAX: usize = 256;
/// Default of the largest number of live transactions in a table.
pub const TRANSACTIONS_MAX_DEFAULT: usize = 1 << 20;
/// Most shards of a table (the shard number lives in the low bits of a slot number).
pub const SHARDS_MAX: usize = 256;
/// Transactions handed out by one call of `Table::due` per shard; the rest follows with the next call.
pub const DUE_BATCH_MAX: usize = 1024;
/// Ended transactions a worker keeps for reuse: those that end together at some thousand calls a second.
pub const SPARE_TRANSACTIONS_MAX: usize = 512;
/// Buffers of sent requests a worker keeps for reuse.
pub const SPARE_BUFFERS_MAX: usize = 256;
/// Texts of branches a worker keeps for reuse.
pub const SPARE_STARTS_MAX: usize = 512;
/// How long what is kept for reuse must not have been needed before half of it is let go, milliseconds.
pub const SPARE_TIME: u64 = 30_000;
/// Largest buffer that is kept for reuse.
pub const KEPT_BYTES_MAX: usize = 4096;
/// Most memory of a request that is kept for reuse: bytes and index.
pub const KEPT_REQUEST_BYTES_MAX: usize = 4096;
/// Most branches a transaction that is kept for reuse has room for.
pub const KEPT_BRANCHES_MAX: usize = 4;
/// Hard bound on the life of a transaction after its final reply, milliseconds (spec proxy-core 7.12, `wt_timer`).
pub const WAIT_TOTAL_MAX: u64 = 90_000;
/// Times one transaction may be suspended; a script that suspends for ever runs into it.
pub const SUSPENSIONS_MAX: u32 = 1_000;
