//! What becomes of a call: done at once, or waited for without holding up the door it came through.

use modules::rpc::{Fault, Reply};

/// Something asked for: there already, or to be waited for.
pub enum Outcome<T> {
    Done(T),
    /// Waits, at most as long as the [`crate::Caller`] says, and answers.
    Waiting(Box<dyn FnOnce() -> T + Send>),
}

impl<T: 'static> Outcome<T> {
    /// The same outcome in another shape.
    pub fn map<U>(self, shape: impl FnOnce(T) -> U + Send + 'static) -> Outcome<U> {
        match self {
            Outcome::Done(value) => Outcome::Done(shape(value)),
            Outcome::Waiting(wait) => Outcome::Waiting(Box::new(move || shape(wait()))),
        }
    }

    /// Waits here: for a thread that serves one caller only.
    pub fn wait(self) -> T {
        match self {
            Outcome::Done(value) => value,
            Outcome::Waiting(wait) => wait(),
        }
    }

    /// Gives the value to `take`: at once, or from a thread of its own. The caller bounds how many wait.
    pub fn hand_over(self, take: impl FnOnce(T) + Send + 'static) {
        match self {
            Outcome::Done(value) => take(value),
            Outcome::Waiting(wait) => {
                // Without a thread the call stays unanswered, as a lost datagram does.
                let _ = crate::listener::spawn("ctl-wait", move || take(wait()));
            }
        }
    }
}

impl Outcome<Result<Reply, Fault>> {
    /// A long answer, which is made while it is written, becomes one that is waited for: no door is held by it.
    pub fn with_listings_apart(self) -> Outcome<Result<Reply, Fault>> {
        match self {
            Outcome::Done(Ok(reply)) if reply.listing.is_some() => Outcome::Waiting(Box::new(move || Ok(reply))),
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::Outcome;

    #[test]
    fn a_shape_is_applied_now_or_after_the_wait() {
        assert_eq!(Outcome::Done(2).map(|number| number + 1).wait(), 3);
        assert_eq!(Outcome::Waiting(Box::new(|| 5)).map(|number| number * 2).wait(), 10);
    }

    #[test]
    fn a_waiting_outcome_does_not_hold_its_giver() {
        let (open, gate) = channel::<()>();
        let (tell, told) = channel();
        let outcome = Outcome::Waiting(Box::new(move || {
            let _ = gate.recv();
            7
        }));
        outcome.hand_over(move |number| {
            let _ = tell.send(number);
        });
        assert!(told.try_recv().is_err());
        drop(open);
        assert_eq!(told.recv(), Ok(7));
    }
}
