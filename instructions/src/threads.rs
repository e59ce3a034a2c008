//! What workers take from each other: the time of a call while others make calls through the same proxy.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::call::{BASIC_CALL, CALLS_UNTIL_STEADY, Scene};
use crate::meter::Timed;

/// What each number of workers came to.
pub struct Outcome {
    /// Calls of all workers in a second of `Proxy::handle` each.
    pub calls_a_second: f64,
    /// Microseconds of a call.
    pub each: f64,
}

/// Lets so many workers make calls at the same time.
pub fn calls(workers: u32, lasting: Duration) -> Result<Outcome, String> {
    let first = Scene::after(CALLS_UNTIL_STEADY, &BASIC_CALL)?;
    let (made, is_over) = (AtomicU64::new(u64::from(CALLS_UNTIL_STEADY)), AtomicBool::new(false));
    let run = |mut scene: Scene| -> Result<(u64, Duration), String> {
        let (mut timed, mut count) = (Timed::default(), 0);
        while !is_over.load(Ordering::Relaxed) {
            scene.set_clock(made.fetch_add(1, Ordering::Relaxed));
            scene.call(&BASIC_CALL, &BASIC_CALL, &mut timed)?;
            count += 1;
        }
        Ok((count, timed.spent))
    };
    let outcomes = std::thread::scope(|scope| {
        let threads: Vec<_> = (1..=workers).map(|number| first.beside(number)).map(|scene| scope.spawn(|| run(scene))).collect();
        std::thread::sleep(lasting);
        is_over.store(true, Ordering::Relaxed);
        threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| Err("a worker panicked".to_owned()))).collect::<Vec<_>>()
    });
    let (mut calls_a_second, mut spent, mut count) = (0.0, 0.0, 0);
    for outcome in outcomes {
        let (calls, time) = outcome?;
        calls_a_second += calls as f64 / time.as_secs_f64().max(1e-9);
        spent += time.as_secs_f64() * 1e6;
        count += calls;
    }
    Ok(Outcome { calls_a_second, each: spent / (count as f64).max(1.0) })
}
