//! What observers want done on the wire: ends of calls, queued within a bound and carried out by a worker after its step.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};

use crate::engine::DialogId;
use crate::leg::Leg;
use crate::limits::{WISH_HEADERS_BYTES_MAX, WISHES_MAX};

/// Something only a worker can do, because it sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// End the call, as `dlg_bye()` does: BYEs when it is answered, else a failure to the caller and CANCEL to the callees.
    /// Nothing happens when it is over or ending already.
    End {
        /// The call; one that is gone is passed over.
        dialog: DialogId,
        /// One side alone; `None`: both.
        leg: Option<Leg>,
        /// Whole header lines with CRLF for each BYE.
        headers: Vec<u8>,
    },
}

/// Why a wish was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WishRefused {
    /// [`WISHES_MAX`] wait already: ask again at a later occurrence.
    TooMany,
    /// More than [`WISH_HEADERS_BYTES_MAX`], or lines that do not end with CRLF.
    Headers,
}

impl std::fmt::Display for WishRefused {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            WishRefused::TooMany => write!(out, "{WISHES_MAX} wishes wait already; ask again at a later occurrence"),
            WishRefused::Headers => write!(out, "headers must be lines that end with CRLF, {WISH_HEADERS_BYTES_MAX} bytes at most"),
        }
    }
}

impl std::error::Error for WishRefused {}

#[derive(Default)]
pub(crate) struct Wishes {
    /// Length of the queue, so that looking costs one load.
    count: AtomicUsize,
    queue: Mutex<VecDeque<Wish>>,
}

impl Wishes {
    pub(crate) fn put(&self, wish: Wish) -> Result<(), WishRefused> {
        let Wish::End { headers, .. } = &wish;
        if headers.len() > WISH_HEADERS_BYTES_MAX || !(headers.is_empty() || headers.ends_with(b"\r\n")) {
            return Err(WishRefused::Headers);
        }
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() >= WISHES_MAX {
            return Err(WishRefused::TooMany);
        }
        queue.push_back(wish);
        self.count.store(queue.len(), Relaxed);
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count.load(Relaxed) == 0
    }

    pub(crate) fn take(&self) -> Option<Wish> {
        if self.is_empty() {
            return None;
        }
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let wish = queue.pop_front();
        self.count.store(queue.len(), Relaxed);
        wish
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(number: u32, headers: &[u8]) -> Wish {
        Wish::End { dialog: DialogId { entry: 0, id: number }, leg: None, headers: headers.to_vec() }
    }

    #[test]
    fn wishes_come_out_in_order_and_are_bounded() {
        let wishes = Wishes::default();
        assert_eq!(wishes.take(), None);
        for number in 0..WISHES_MAX {
            assert_eq!(wishes.put(end(number as u32, b"")), Ok(()));
        }
        assert_eq!(wishes.put(end(0, b"")), Err(WishRefused::TooMany));
        assert_eq!((wishes.take(), wishes.take()), (Some(end(0, b"")), Some(end(1, b""))));
        assert_eq!(wishes.put(end(7, b"X: 1\r\n")), Ok(()));
    }

    #[test]
    fn headers_are_whole_lines() {
        let wishes = Wishes::default();
        assert_eq!(wishes.put(end(1, b"X: 1")), Err(WishRefused::Headers));
        assert_eq!(wishes.put(end(1, &[b'x'; WISH_HEADERS_BYTES_MAX + 1])), Err(WishRefused::Headers));
        assert_eq!(wishes.take(), None);
    }
}
