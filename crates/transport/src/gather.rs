//! Decides how long a UDP worker naps so that packets gather and share one wake-up.
//!
//! A wake-up costs several times more than everything done with one packet, so after a small batch the worker sleeps a
//! little and then takes everything at once. A nap in which no packet is expected costs more than it saves, so naps are
//! taken only when the measured arrival rate pays for them. Packets and timers are late by one nap at most, against T1 = 500 ms.

use std::time::Duration;

use crate::limits::{GATHER_EXPECTED_MIN, GATHER_MAX_LIMIT, GATHER_MIN, GATHER_PACKETS, GATHER_PACKETS_PATIENT, GATHER_RATE_WINDOW};

/// A moving average of the arrival rate and the decision made from it. Reads no clock.
#[derive(Clone, Debug)]
pub struct Gather {
    longest: Duration,
    packets_per_second: f64,
}

impl Gather {
    /// `longest` is the longest nap, capped at [`GATHER_MAX_LIMIT`]; zero switches gathering off.
    pub fn new(longest: Duration) -> Gather {
        Gather { longest: longest.min(GATHER_MAX_LIMIT), packets_per_second: 0.0 }
    }

    /// Takes into account that `received` packets came within `elapsed` since the last observation.
    pub fn observe(&mut self, received: usize, elapsed: Duration) {
        let seconds = elapsed.as_secs_f64().max(1e-6);
        let weight = 1.0 - (-seconds / GATHER_RATE_WINDOW.as_secs_f64()).exp();
        self.packets_per_second += weight * (received as f64 / seconds - self.packets_per_second);
    }

    /// The average now, packets per second.
    pub fn rate(&self) -> f64 {
        self.packets_per_second
    }

    /// How long to nap after a round that received `received` packets; None: wait for the sockets instead.
    /// `batch_was_full` says that more packets wait already. `patience`: what comes now has to wait so long anyway, so that a
    /// nap may be longer than the longest one, up to [`GATHER_MAX_LIMIT`].
    pub fn nap(&self, received: usize, batch_was_full: bool, patience: Duration) -> Option<Duration> {
        if received == 0 || batch_was_full || self.longest.is_zero() {
            return None;
        }
        let longest = self.longest.max(patience.min(GATHER_MAX_LIMIT));
        if self.packets_per_second * longest.as_secs_f64() < GATHER_EXPECTED_MIN {
            return None;
        }
        let packets = if patience > self.longest { GATHER_PACKETS_PATIENT } else { GATHER_PACKETS };
        let wanted = Duration::from_secs_f64((packets / self.packets_per_second).min(1.0));
        Some(wanted.max(GATHER_MIN).min(longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::GATHER_MAX_DEFAULT;

    fn at_rate(packets_per_second: usize, longest: Duration) -> Gather {
        let mut gather = Gather::new(longest);
        for _ in 0..1000 {
            gather.observe(packets_per_second / 1000, Duration::from_millis(1));
        }
        assert!((gather.rate() - packets_per_second as f64).abs() < packets_per_second as f64 * 0.01);
        gather
    }

    #[test]
    fn a_first_packet_after_silence_is_not_delayed() {
        let mut gather = at_rate(10_000, GATHER_MAX_DEFAULT);
        gather.observe(1, Duration::from_secs(1));
        assert_eq!(gather.nap(1, false, Duration::ZERO), None);
    }

    #[test]
    fn below_the_expected_minimum_per_longest_nap_there_is_no_nap() {
        let mut gather = Gather::new(GATHER_MAX_DEFAULT);
        for _ in 0..2000 {
            gather.observe(1, Duration::from_micros(800)); // 1250 packets/s
        }
        assert_eq!(gather.nap(1, false, Duration::ZERO), None);
        for _ in 0..2000 {
            gather.observe(1, Duration::from_micros(600)); // 1667 packets/s
        }
        assert_eq!(gather.nap(1, false, Duration::ZERO), Some(GATHER_MAX_DEFAULT));
    }

    #[test]
    fn at_two_thousand_packets_the_nap_is_the_longest_allowed() {
        assert_eq!(at_rate(2_000, GATHER_MAX_DEFAULT).nap(2, false, Duration::ZERO), Some(GATHER_MAX_DEFAULT));
    }

    #[test]
    fn at_high_rates_the_nap_shrinks_down_to_its_minimum() {
        let nap = at_rate(32_000, GATHER_MAX_DEFAULT).nap(8, false, Duration::ZERO).unwrap();
        assert!(nap > Duration::from_micros(450) && nap < Duration::from_micros(550), "{nap:?}");
        assert_eq!(at_rate(1_000_000, GATHER_MAX_DEFAULT).nap(8, false, Duration::ZERO), Some(GATHER_MIN));
    }

    #[test]
    fn a_full_batch_an_empty_round_and_zero_length_never_nap() {
        let gather = at_rate(10_000, GATHER_MAX_DEFAULT);
        assert_eq!(gather.nap(64, true, Duration::ZERO), None);
        assert_eq!(gather.nap(0, false, Duration::ZERO), None);
        assert_eq!(at_rate(10_000, Duration::ZERO).nap(3, false, Duration::ZERO), None);
    }

    #[test]
    fn what_has_to_wait_anyway_is_gathered_for_longer() {
        let patient = |rate, patience| at_rate(rate, GATHER_MAX_DEFAULT).nap(1, false, Duration::from_millis(patience));
        assert_eq!(patient(2_000, 4), Some(Duration::from_millis(4)));
        assert_eq!(patient(2_000, 60), Some(GATHER_MAX_LIMIT));
        assert!(patient(8_000, 5).unwrap() > Duration::from_micros(3_900), "twice as many as otherwise");
        assert!(patient(16_000, 4).unwrap() < Duration::from_micros(2_100), "that many are enough");
        assert_eq!(Gather::new(Duration::ZERO).nap(1, false, Duration::from_millis(4)), None);
    }

    #[test]
    fn the_longest_nap_is_bounded_whatever_is_configured() {
        assert_eq!(at_rate(1_000, Duration::from_secs(9)).nap(1, false, Duration::ZERO), Some(GATHER_MAX_LIMIT));
    }

    #[test]
    fn a_burst_within_one_clock_tick_does_not_make_the_rate_infinite() {
        let mut gather = Gather::new(GATHER_MAX_DEFAULT);
        gather.observe(64, Duration::ZERO);
        assert!(gather.rate().is_finite() && gather.rate() < 64.0 / 1e-6);
    }
}
