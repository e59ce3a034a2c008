//! Which of several final replies goes upstream (spec proxy-core 7.8 rule 3, after RFC 3261 §16.7 step 6).

use crate::branch::Branch;

/// Result of looking over all branches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pick {
    /// A branch has no final reply yet.
    Pending,
    /// The branch whose reply wins.
    Winner { branch: usize, code: u16 },
    /// Nothing may win: all replies were dropped.
    Nothing,
}

/// What changes the order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PickOrder {
    /// `faked_reply_prio`
    pub faked_reply_priority: i32,
}

/// Rank of a reply, the lowest wins.
pub fn priority(code: u16, faked: bool, order: PickOrder) -> i32 {
    let number = i32::from(code);
    let rest = number % 100;
    let rank = match code / 100 {
        0 => 32_000 + number,
        1 => 11_000 + rest,
        2 => rest,
        3 => 3_000 + rest,
        4 if matches!(code, 401 | 407 | 415 | 420 | 484) => 4_000 + rest,
        4 => 4_100 + rest,
        5 => 5_000 + rest,
        6 => 1_000 + rest,
        _ => 10_000 + number,
    };
    if faked { rank.saturating_add(order.faked_reply_priority) } else { rank }
}

/// Picks over all branches; of equal ranks the first wins. A blind branch counts only once it has timed out.
pub fn pick(branches: &[Branch], order: PickOrder) -> Pick {
    let mut best: Option<(i32, usize, u16)> = None;
    for (index, branch) in branches.iter().enumerate() {
        if branch.is_pending() {
            return Pick::Pending;
        }
        if branch.flags.dropped || !branch.is_final() {
            continue;
        }
        let rank = priority(branch.last_status, branch.flags.faked, order);
        if best.is_none_or(|(lowest, ..)| rank < lowest) {
            best = Some((rank, index, branch.last_status));
        }
    }
    best.map_or(Pick::Nothing, |(_, branch, code)| Pick::Winner { branch, code })
}

/// Branches whose reply challenges the caller: 401 and 407 that may still win.
pub fn challenges(branches: &[Branch]) -> impl Iterator<Item = (usize, &Branch)> {
    branches
        .iter()
        .enumerate()
        .filter(|(_, branch)| matches!(branch.last_status, 401 | 407) && !branch.flags.dropped && !branch.flags.faked)
}

#[cfg(test)]
mod tests;
