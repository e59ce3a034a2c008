//! Long answers: items made page by page while the door writes them, so that no worker and no lock is held for all of them.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::rpc::{Fault, Item, Reply};

/// Most items of a long answer that a script gets at once (`jsonrpc_exec`): it runs on a worker that calls wait for.
pub const ITEMS_OF_SCRIPT_MAX: usize = 1_000;
/// Most pages that are made for a script, found or not.
pub const PAGES_OF_SCRIPT_MAX: usize = 1_000;

/// Makes the items of a long answer.
pub trait Pages: Send {
    /// The next items, in order. None: there are no more. An empty page is no end.
    fn next_page(&mut self) -> Option<Vec<Item>>;
}

/// A long answer that begins when its first page is asked for. Clones are the same answer.
#[derive(Clone)]
pub struct Listing {
    pages: Arc<Mutex<dyn Pages>>,
    /// What the caller gets instead of no item at all.
    none_found: Option<Fault>,
}

impl fmt::Debug for Listing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Listing").field("none_found", &self.none_found).finish_non_exhaustive()
    }
}

impl PartialEq for Listing {
    fn eq(&self, other: &Listing) -> bool {
        Arc::ptr_eq(&self.pages, &other.pages)
    }
}

impl Listing {
    /// The answer whose items these pages hold.
    pub fn new(pages: impl Pages + 'static) -> Listing {
        Listing { pages: Arc::new(Mutex::new(pages)), none_found: None }
    }

    /// The same; without any item this is the answer.
    pub fn or_fault(self, fault: Fault) -> Listing {
        Listing { none_found: Some(fault), ..self }
    }

    /// The same with its pages seen through `view`, which may count or delay them.
    pub fn through<P: Pages + 'static>(self, view: impl FnOnce(Listing) -> P) -> Listing {
        let none_found = self.none_found.clone();
        Listing { pages: Arc::new(Mutex::new(view(self))), none_found }
    }

    /// The first page with items; the fault when there is none and that is one. Empty: the answer has no items.
    pub fn begin(&self) -> Result<Vec<Item>, Fault> {
        match (self.next_filled_page(), &self.none_found) {
            (Some(page), _) => Ok(page),
            (None, Some(fault)) => Err(fault.clone()),
            (None, None) => Ok(Vec::new()),
        }
    }

    /// The next page that has items; None: there are no more.
    pub fn next_filled_page(&self) -> Option<Vec<Item>> {
        std::iter::from_fn(|| self.next_page()).find(|page| !page.is_empty())
    }

    /// The next items; None: there are no more.
    pub fn next_page(&self) -> Option<Vec<Item>> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).next_page()
    }

    /// All items at once; a fault when they are more than `items_max` or need more than `pages_max` pages to be found.
    pub fn gathered(&self, items_max: usize, pages_max: usize) -> Result<Reply, Fault> {
        let mut items = Vec::new();
        for _ in 0..=pages_max {
            match self.next_page() {
                Some(page) => items.extend(page),
                None if items.is_empty() => return self.none_found.clone().map_or(Ok(Reply::empty()), Err),
                None => return Ok(Reply::many(items)),
            }
            if items.len() > items_max {
                return Err(too_long(&format!("{items_max} items")));
            }
        }
        Err(too_long(&format!("the {pages_max} pages a script may look through")))
    }
}

/// The fault for an answer that a door cannot carry whole; `bound` says what it can.
pub fn too_long(bound: &str) -> Fault {
    Fault::new(500, format!("the answer is longer than {bound}; ask for a part of it: limit NUMBER after H_ENTRY:H_ID"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers from high to low, each on a page of its own, with an empty page before.
    struct Down(i64, bool);

    impl Pages for Down {
        fn next_page(&mut self) -> Option<Vec<Item>> {
            self.1 = !self.1;
            if self.1 {
                return Some(Vec::new());
            }
            self.0 -= 1;
            (self.0 >= 0).then(|| vec![Item::Integer(self.0)])
        }
    }

    #[test]
    fn a_long_answer_is_gathered_up_to_a_bound() {
        let items = vec![Item::Integer(2), Item::Integer(1), Item::Integer(0)];
        assert_eq!(Listing::new(Down(3, false)).gathered(3, 9), Ok(Reply::many(items)));
        let fault = Listing::new(Down(3, false)).gathered(2, 9).map_err(|fault| fault.text);
        assert!(fault.is_err_and(|text| text.contains("limit") && text.contains("after")));
        assert!(Listing::new(Down(3, false)).gathered(3, 6).is_err_and(|fault| fault.text.contains("6 pages")));
    }

    #[test]
    fn nothing_found_is_a_fault_only_where_one_was_given() {
        assert_eq!(Listing::new(Down(0, false)).begin(), Ok(Vec::new()));
        let fault = Fault::new(404, "Not found");
        assert_eq!(Listing::new(Down(0, false)).or_fault(fault.clone()).begin(), Err(fault.clone()));
        let seen_through = Listing::new(Down(0, false)).or_fault(fault.clone()).through(Counted);
        assert_eq!(seen_through.begin(), Err(fault));
    }

    struct Counted(Listing);

    impl Pages for Counted {
        fn next_page(&mut self) -> Option<Vec<Item>> {
            self.0.next_page()
        }
    }
}
