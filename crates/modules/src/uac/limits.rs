//! Bounds of what peers can make this module do.

/// Most challenges of one reply that are looked at.
pub const CHALLENGES_MAX: usize = 16;
/// Longest value of a challenge that is sent back, bytes.
pub const CHALLENGE_VALUE_BYTES_MAX: usize = 2048;
/// Most credentials of a configuration.
pub const CREDENTIALS_MAX: usize = 10_000;
