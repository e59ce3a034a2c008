//! The flag words of a dialog with the bit values RPC, database and replication show (spec dialog 1.10).

/// In-memory flags (`dflags`), numbered as in 6.x.
pub mod dialog_flag {
    /// Must be inserted in the database.
    pub const NEW: u16 = 1;
    /// Must be updated in the database.
    pub const CHANGED: u16 = 2;
    /// Ended by a BYE, a timeout or the answer to a local BYE.
    pub const HAS_BYE: u16 = 4;
    /// Ended by a replication peer.
    pub const DELETED_BY_PEER: u16 = 8;
    /// `dlg_bye("caller")` was done.
    pub const CALLER_BYE: u16 = 16;
    /// `dlg_bye("callee")` was done.
    pub const CALLEE_BYE: u16 = 32;
    /// Variables must be written.
    pub const CHANGED_VARIABLES: u16 = 128;
    /// The INVITE's transaction is watched.
    pub const TRANSACTION: u16 = 512;
    /// The lifetime ran out.
    pub const EXPIRED: u16 = 1024;
    /// A profile was added.
    pub const CHANGED_PROFILES: u16 = 2048;
    /// Script flags must be written.
    pub const CHANGED_SCRIPT_FLAGS: u16 = 8192;
}

/// Persistent flags (`iflags`).
pub mod internal_flag {
    /// Send BYE when the lifetime runs out.
    pub const TIMEOUT_BYE: u8 = 1;
    /// Probe the caller.
    pub const KEEPALIVE_CALLER: u8 = 2;
    /// Probe the callee.
    pub const KEEPALIVE_CALLEE: u8 = 4;
    /// Requests within the dialog do not restart the lifetime.
    pub const TIMER_NO_RESET: u8 = 8;
    /// The CSeq was shifted.
    pub const CSEQ_SHIFTED: u8 = 16;
    /// A PRACK was seen while the call was set up.
    pub const PRACK: u8 = 32;
    /// Replicated to peers.
    pub const REPLICATED: u8 = 64;
}

/// Marks of the engine about one record; never shown.
pub(crate) mod mark {
    /// The table itself refers to the record.
    pub const LINKED: u16 = 1;
    /// The lifetime is running (states 3 and 4).
    pub const LIFETIME: u16 = 2;
    /// `dialog:start` was handed out in this life.
    pub const STARTED: u16 = 4;
    /// `dialog:end` or `dialog:failed` was handed out in this life.
    pub const FINISHED: u16 = 8;
    /// A local BYE to the caller waits for its final reply.
    pub const CALLER_BYE_PENDING: u16 = 16;
    /// The same towards the callee.
    pub const CALLEE_BYE_PENDING: u16 = 32;
    /// The missing ACK already shortened the lifetime.
    pub const NO_ACK_SHORTENED: u16 = 64;
    /// The lifetime ran out and was handed out; the decision is still due, or the answers to the BYEs.
    pub const EXPIRING: u16 = 128;
    /// The callee's CSeq is known.
    pub const CALLEE_CSEQ: u16 = 256;
    /// Counted in `failed`.
    pub const COUNTED_FAILED: u16 = 512;
    /// Counted in `ended`.
    pub const COUNTED_ENDED: u16 = 1024;
    /// The call was over before the answer came: it gets a few seconds, then BYEs.
    pub const RACE: u16 = 2048;
    /// This proxy was told to end the call before the answer came.
    pub const ENDED_EARLY: u16 = 4096;
    /// It was told so while its answer was being taken: observers hear of the answer first.
    pub const ENDED_IN_ANSWER: u16 = 8192;
    /// Storage has its row, or was handed it.
    pub const STORED: u16 = 16_384;
    /// A change was noted for storage and not taken yet.
    pub const QUEUED: u16 = 32_768;
}
