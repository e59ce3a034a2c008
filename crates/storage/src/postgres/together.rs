//! Several requests on their way at once: sent one behind the other, answered in that order.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Sends all, in order, before it waits for any; the outcomes in the same order.
pub(super) async fn in_order<T>(mut requests: Vec<Pin<Box<dyn Future<Output = T> + '_>>>) -> Vec<T> {
    let mut outcomes: Vec<Option<T>> = requests.iter().map(|_| None).collect();
    poll_fn(|context| {
        let mut is_waiting = false;
        for (request, outcome) in requests.iter_mut().zip(&mut outcomes).filter(|(_, outcome)| outcome.is_none()) {
            match request.as_mut().poll(context) {
                Poll::Ready(value) => *outcome = Some(value),
                Poll::Pending => is_waiting = true,
            }
        }
        if is_waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    outcomes.into_iter().flatten().collect()
}

/// Both at once, the first one first.
pub(super) async fn both<A, B>(first: impl Future<Output = A>, second: impl Future<Output = B>) -> (A, B) {
    let (mut first, mut second) = (Box::pin(first), Box::pin(second));
    let (mut of_first, mut of_second) = (None, None);
    poll_fn(|context| {
        if of_first.is_none()
            && let Poll::Ready(value) = first.as_mut().poll(context)
        {
            of_first = Some(value);
        }
        if of_second.is_none()
            && let Poll::Ready(value) = second.as_mut().poll(context)
        {
            of_second = Some(value);
        }
        match (of_first.take(), of_second.take()) {
            (Some(a), Some(b)) => Poll::Ready((a, b)),
            (a, b) => {
                (of_first, of_second) = (a, b);
                Poll::Pending
            }
        }
    })
    .await
}
