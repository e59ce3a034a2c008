//! All calls of a run: a small record of each, and places for what the ends of those need that are not over.

use super::call::{Call, Ends};

/// A call without ends: it is over.
const NOWHERE: u32 = u32::MAX;

/// The calls by their numbers. The places of calls that are over are used again.
#[derive(Debug, Default)]
pub(super) struct Roster {
    calls: Vec<Call>,
    places: Vec<Option<Ends>>,
    free: Vec<u32>,
}

impl Roster {
    /// The ledger: the place of a call is its number.
    pub fn calls(&self) -> &[Call] {
        &self.calls
    }

    pub fn len(&self) -> usize {
        self.calls.len()
    }

    /// The number the next call gets; an error when there are no more numbers.
    pub fn next_number(&self) -> Result<u32, String> {
        u32::try_from(self.calls.len()).map_err(|_| "too many calls".to_owned())
    }

    /// Adds a call with the next number.
    pub fn add(&mut self, mut call: Call, ends: Ends) {
        match self.free.pop() {
            Some(place) => {
                call.ends = place;
                if let Some(slot) = self.places.get_mut(place as usize) {
                    *slot = Some(ends);
                }
            }
            None => {
                call.ends = self.places.len() as u32;
                self.places.push(Some(ends));
            }
        }
        self.calls.push(call);
    }

    pub fn call(&self, number: u32) -> Option<&Call> {
        self.calls.get(number as usize)
    }

    pub fn call_mut(&mut self, number: u32) -> Option<&mut Call> {
        self.calls.get_mut(number as usize)
    }

    /// None: the call is over, or there is none of this number.
    pub fn ends(&self, number: u32) -> Option<&Ends> {
        self.places.get(self.call(number)?.ends as usize)?.as_ref()
    }

    pub fn ends_mut(&mut self, number: u32) -> Option<&mut Ends> {
        self.both_mut(number).map(|(_, ends)| ends)
    }

    /// The record of a call that is not over, and its ends.
    pub fn both_mut(&mut self, number: u32) -> Option<(&mut Call, &mut Ends)> {
        let call = self.calls.get_mut(number as usize)?;
        let ends = self.places.get_mut(call.ends as usize)?.as_mut()?;
        Some((call, ends))
    }

    /// The ends have nothing left to do: only the record stays.
    pub fn release(&mut self, number: u32) {
        let Some(call) = self.calls.get_mut(number as usize) else { return };
        let place = std::mem::replace(&mut call.ends, NOWHERE);
        if let Some(slot) = self.places.get_mut(place as usize)
            && slot.take().is_some()
        {
            self.free.push(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::call::{Side, Stage};
    use super::*;

    fn call() -> Call {
        Call { stage: Stage::Calling, is_held: false, is_confirmed: false, offered: 1, accepted: 0, ends: 0 }
    }

    fn ends(hold: u32) -> Ends {
        Ends::new(1, 0, hold, 0, Side::Caller)
    }

    #[test]
    fn places_of_calls_that_are_over_are_used_again_and_records_stay() {
        let mut roster = Roster::default();
        for hold in 0..3 {
            roster.add(call(), ends(hold));
        }
        roster.release(1);
        roster.release(1);
        assert!(roster.ends(1).is_none() && roster.call(1).is_some());
        roster.add(call(), ends(3));
        roster.add(call(), ends(4));
        assert_eq!([0, 2, 3, 4].map(|number| roster.ends(number).map(|ends| ends.hold)), [Some(0), Some(2), Some(3), Some(4)]);
        assert_eq!((roster.len(), roster.places.len(), roster.next_number()), (5, 4, Ok(5)));
        assert!(roster.ends(1).is_none() && roster.ends(9).is_none());
    }
}
