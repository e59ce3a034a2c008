//! Long answers of remote calls, made with pauses, and how many may be made at one time.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use modules::listing::{Listing, Pages};
use modules::rpc::{Fault, Item};

/// Most long answers at one time, those into files included.
pub const LISTINGS_MAX: usize = 8;
/// Pages of an answer before which there is no pause: who asks for a small part gets it at once.
const UNPACED_PAGES: u32 = 16;
/// A pause is so many times as long as the work before it.
const PAUSE_FACTOR: u32 = 2;
/// Longest pause between two pages: time spent on writing to a slow reader asks for no rest.
const PAUSE_MAX: Duration = Duration::from_millis(5);

/// The nice value of a thread that writes a long answer.
const LOWEST_PRIORITY: i32 = 19;

/// The seats of long answers; clones share them.
#[derive(Debug, Clone, Default)]
pub struct Seats(Arc<()>);

impl Seats {
    /// The answer on a seat, with a pause twice as long as the work after each page, written by a thread that gives way: it
    /// takes at most a third of a core from calls. Pages are small, so that no call waits long behind one.
    pub fn paced(&self, listing: Listing) -> Result<Listing, Fault> {
        // One count is that of the room itself.
        if Arc::strong_count(&self.0) > LISTINGS_MAX {
            return Err(Fault::new(503, format!("{LISTINGS_MAX} long answers are being written already; try again")));
        }
        let seat = Arc::clone(&self.0);
        Ok(listing.through(|listing| Paced { listing, pages: 0, resumed: Instant::now(), _seat: seat }))
    }
}

struct Paced {
    listing: Listing,
    pages: u32,
    resumed: Instant,
    _seat: Arc<()>,
}

impl Pages for Paced {
    fn next_page(&mut self) -> Option<Vec<Item>> {
        if self.pages == UNPACED_PAGES {
            give_way();
        }
        if self.pages >= UNPACED_PAGES {
            thread::sleep((self.resumed.elapsed() * PAUSE_FACTOR).min(PAUSE_MAX));
        }
        self.pages = self.pages.saturating_add(1);
        self.resumed = Instant::now();
        self.listing.next_page()
    }
}

/// From now on this thread, which serves one connection, runs when nobody else wants to: calls come first. Where the system
/// refuses, the pauses alone have to do.
fn give_way() {
    let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), LOWEST_PRIORITY);
}

#[cfg(test)]
mod tests {
    use super::*;

    struct One(bool);

    impl Pages for One {
        fn next_page(&mut self) -> Option<Vec<Item>> {
            std::mem::replace(&mut self.0, false).then(|| vec![Item::Integer(1)])
        }
    }

    #[test]
    fn long_answers_take_seats_and_give_them_back() {
        let seats = Seats::default();
        let listing = || Listing::new(One(true));
        let seated: Vec<Listing> = (0..LISTINGS_MAX).map(|_| seats.paced(listing()).expect("a seat")).collect();
        assert_eq!(seats.paced(listing()).map_err(|fault| fault.code), Err(503));
        assert!(seated.iter().all(|listing| listing.begin() == Ok(vec![Item::Integer(1)])));
        drop(seated);
        assert!(seats.paced(listing()).is_ok());
    }
}
