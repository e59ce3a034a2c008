//! Named bounds of everything in this room that grows with what peers or scripts send (invariant A6).

/// Most lock groups the slot table is cut into; fewer when `hash_size` is smaller.
pub const SHARDS_MAX: u32 = 256;
/// Largest `hash_size`: the slot counters alone take 4 bytes each.
pub const HASH_SIZE_MAX: u32 = 1 << 20;
/// Dialogs kept at once when the settings give no other bound; the answer at the bound is `Refusal::Full`.
pub const DIALOGS_MAX: u64 = 2_000_000;
/// Dialogs with one Call-ID at once; the answer at the bound is `Refusal::TooManyOfCallId`.
pub const DIALOGS_OF_CALL_ID_MAX: usize = 1024;
/// Bytes of all texts of one dialog together (identifiers, tags, contacts, route sets): offsets are 16 bit.
pub const FIELDS_BYTES_MAX: usize = u16::MAX as usize;
/// Variables of one dialog; at the bound a new one is refused (`VariableError::TooMany`) and the call goes on. Setting one
/// of so many walks over all of them.
pub const VARIABLES_MAX: usize = 4096;
/// Bytes of one variable's name.
pub const VARIABLE_KEY_BYTES_MAX: usize = 1024;
/// Bytes of all variables of one dialog.
pub const VARIABLES_BYTES_MAX: usize = 256 * 1024;
/// Profile memberships of one dialog.
pub const MEMBERSHIPS_MAX: usize = 256;
/// Profiles that can be defined.
pub const PROFILES_MAX: usize = 4096;
/// Bytes of one profile value.
pub const PROFILE_VALUE_BYTES_MAX: usize = 4096;
/// Remote members of one profile (spec dialog 6.6), in equal parts over its slots; the answer at the bound is
/// `ProfileError::Refused`.
pub const REMOTE_MEMBERS_MAX: usize = 1 << 20;
/// Values without members whose limit is remembered, in one slot of a profile; at the bound the one without members for the
/// longest time is forgotten.
pub const IDLE_LIMITS_OF_SLOT_MAX: usize = 4096;
/// Values of a profile looked at under one lock while listing or auditing.
pub const VALUES_PAGE: usize = 1024;
/// Values of one listing of the fullest.
pub const PROFILE_TOP_MAX: usize = 1000;
/// Limits of one listing; ask for a profile or a value to see others.
pub const LIMITS_LISTED_MAX: usize = 10_000;
/// Differences an audit describes; all are counted.
pub const AUDIT_DIFFERENCES_MAX: usize = 16;
/// Transactions that may hold one dialog at once.
pub const HOLDS_MAX: u16 = u16::MAX;
/// Moments of a call that are remembered beside its first one.
pub const HISTORY_MOMENTS: usize = 7;
/// Bytes of the Reason text kept with the end of a call.
pub const END_TEXT_BYTES_MAX: usize = 256;
/// Bytes of all ended calls kept for `dlg.explain`; the oldest go first.
pub const EXPLAIN_BYTES_MAX: usize = 64 << 20;
/// Calls that one answer of `dlg.explain` holds; of more the latest.
pub const EXPLANATIONS_MAX: usize = 64;
/// Ended calls of one lock group forgotten under one lock.
pub const FORGOTTEN_AT_ONCE_MAX: usize = 1024;
/// Ended calls of one lock group looked through for one that still gets an answer.
pub const RECENT_CALLS_MAX: usize = 4096;
/// Milliseconds between looks at ended calls whose time is over.
pub const FORGET_MILLISECONDS: u64 = 10_000;
/// Different local sockets remembered by name.
pub const SOCKETS_MAX: usize = 4096;
/// Expiries handed out by one call of `Engine::expire`; the rest come with the next call.
pub const EXPIRIES_PER_CALL_MAX: usize = 1024;
/// Keepalive probes handed out by one call of `Engine::keepalives_due`.
pub const KEEPALIVES_PER_CALL_MAX: usize = 1024;
/// Dialogs snapshotted under one lock while listing.
pub const LISTING_PAGE: usize = 8;
/// Chunks of records whose numbers are read under one lock while listing.
pub const LISTING_CHUNKS: usize = 32;
/// Record-Route entries of one message that are looked at (spec dialog 1.9).
pub const RECORD_ROUTES_MAX: usize = 63;
/// Bytes of a timeout route's name (spec dialog 5.3).
pub const TIMEOUT_ROUTE_BYTES_MAX: usize = 31;
/// Bytes of the cookie parameter's name (spec dialog 3.1).
pub const RR_PARAM_BYTES_MAX: usize = 32;
/// Observers of one engine.
pub const OBSERVERS_MAX: usize = 64;
/// Wishes of observers that wait for a worker; the answer at the bound is `WishRefused::TooMany`.
pub const WISHES_MAX: usize = 65_536;
/// Bytes of the header lines of one wish.
pub const WISH_HEADERS_BYTES_MAX: usize = 4096;
/// Context fields of one observer for one dialog of a listing; more are left out.
pub const LISTING_FIELDS_MAX: usize = 32;
/// How often one BYE of this proxy is sent to one party, each time with a higher CSeq.
pub const BYE_ATTEMPTS_MAX: u8 = 3;
/// Longest wait before a BYE is sent again, in seconds; a party that asks for more is given up.
pub const BYE_WAIT_SECONDS_MAX: u32 = 32;
/// What is added to the CSeq of a BYE that was answered as out of order.
pub const BYE_CSEQ_LEAP: u32 = 1000;
/// The largest CSeq number (RFC 3261 §8.1.1.5).
pub const CSEQ_MAX: u32 = (1 << 31) - 1;
/// Bytes of the To-tags of early BYEs remembered of one dialog; a tag beyond is not remembered.
pub const EARLY_BYES_BYTES_MAX: usize = 512;
/// Stored dialogs that end while others are loaded. Beyond, no more stored dialogs are taken until loading is over.
pub const ENDED_WHILE_LOADING_MAX: usize = 1_000_000;
