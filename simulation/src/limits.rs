//! Named bounds of one simulated world.

/// Most events of one world; a world that needs more is reported as one that does not settle.
pub const EVENTS_MAX: usize = 400_000;
/// Violations kept of one world; the first ones tell the story.
pub const VIOLATIONS_MAX: usize = 20;
/// Most client or server transactions of one user agent in one call.
pub const TRANSACTIONS_OF_PARTY_MAX: usize = 64;
/// Datagrams remembered for a liar to damage and send again.
pub const OVERHEARD_MAX: usize = 32;
/// Largest datagram the network carries.
pub const DATAGRAM_BYTES_MAX: usize = 65_507;
/// Most stream connections open at one time in a world.
pub const STREAMS_MAX: usize = 256;
/// Most places at which one write to a stream is cut.
pub const PIECES_MAX: u64 = 4;
/// Seeds tried to find a world without limits of calls.
pub const TWIN_SEEDS_MAX: u64 = 64;
/// Most storage calls of a world that are made to fail one by one.
pub const FAILED_CALLS_MAX: u64 = 400;
/// Lines of the trace shown with a broken invariant.
pub const STORY_LINES_MAX: usize = 40;
/// Most worlds run to make a failing one smaller.
pub const SHRINK_RUNS_MAX: usize = 400;
