//! The network between proxies and user agents: seeded loss, duplication, delay, reordering and partitions.

use std::net::SocketAddr;

use modules::worker::Random;

use crate::limits::DATAGRAM_BYTES_MAX;

/// What the network does to datagrams; chances are in thousandths, times in milliseconds.
#[derive(Clone, Debug)]
pub struct Weather {
    pub loss: u64,
    pub duplication: u64,
    /// Chance that a datagram takes `delay_long` instead, and so is overtaken.
    pub reordering: u64,
    pub delay_short: u64,
    pub delay_long: u64,
    /// Chance, each virtual second, that a partition begins.
    pub partition: u64,
    /// Chance that a piece of a stream meets a reset connection instead.
    pub reset: u64,
}

impl Weather {
    /// A network that loses nothing.
    pub fn calm() -> Weather {
        Weather { loss: 0, duplication: 0, reordering: 0, delay_short: 5, delay_long: 20, partition: 0, reset: 0 }
    }

    /// One of several kinds of bad networks.
    pub fn of_seed(random: &mut Random) -> Weather {
        match random.below(5) {
            0 => Weather::calm(),
            1 => Weather { loss: 50, reset: 5, ..Weather::calm() },
            2 => Weather { loss: 20, duplication: 100, reordering: 200, delay_short: 40, delay_long: 900, partition: 0, reset: 0 },
            3 => Weather { loss: 300, duplication: 20, reordering: 50, delay_short: 100, delay_long: 1_500, partition: 0, reset: 30 },
            _ => Weather { loss: 100, duplication: 50, reordering: 100, delay_short: 60, delay_long: 2_500, partition: 20, reset: 20 },
        }
    }
}

/// The state of the network.
#[derive(Debug)]
pub struct Network {
    pub weather: Weather,
    /// While it lasts nothing passes from the first to the second (one way only).
    partition: Option<(SocketAddr, SocketAddr, u64)>,
    pub carried: u64,
    pub lost: u64,
}

impl Network {
    /// A network without partitions yet.
    pub fn new(weather: Weather) -> Network {
        Network { weather, partition: None, carried: 0, lost: 0 }
    }

    /// No more faults from here on.
    pub fn heal(&mut self) {
        self.weather = Weather::calm();
        self.partition = None;
    }

    /// May begin a one-way partition between two addresses; asked once a virtual second.
    pub fn second(&mut self, now: u64, places: &[SocketAddr], random: &mut Random) {
        if self.partition.is_some_and(|(_, _, until)| until <= now) {
            self.partition = None;
        }
        let begins = self.weather.partition > 0 && self.partition.is_none() && random.below(1_000) < self.weather.partition;
        if begins && !places.is_empty() {
            let mut pick = || places.get(random.below(places.len() as u64) as usize).copied();
            if let (Some(from), Some(to)) = (pick(), pick()) {
                let until = now + 1_000 + random.below(30_000);
                self.partition = Some((from, to, until));
            }
        }
    }

    /// The delays after which copies of a datagram arrive: none, one or two.
    pub fn carry(&mut self, from: SocketAddr, to: SocketAddr, length: usize, random: &mut Random) -> Vec<u64> {
        let cut = self.partition.is_some_and(|(source, target, _)| source == from && target == to);
        if cut || length > DATAGRAM_BYTES_MAX || random.below(1_000) < self.weather.loss {
            self.lost += 1;
            return Vec::new();
        }
        self.carried += 1;
        let copies = if random.below(1_000) < self.weather.duplication { 2 } else { 1 };
        (0..copies).map(|_| self.delay(random)).collect()
    }

    /// The next piece of a stream: its delay, or None when the connection is reset.
    pub fn carry_piece(&mut self, random: &mut Random) -> Option<u64> {
        if random.below(1_000) < self.weather.reset {
            self.lost += 1;
            return None;
        }
        self.carried += 1;
        Some(self.delay(random))
    }

    fn delay(&self, random: &mut Random) -> u64 {
        let most = if random.below(1_000) < self.weather.reordering { self.weather.delay_long } else { self.weather.delay_short };
        1 + random.below(most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_calm_network_carries_everything_once() {
        let (mut network, mut random) = (Network::new(Weather::calm()), Random::new(1));
        for _ in 0..1_000 {
            assert_eq!(network.carry(place("10.0.0.1:1"), place("10.0.0.2:1"), 100, &mut random).len(), 1);
        }
    }

    #[test]
    fn loss_and_duplication_are_near_their_chances() {
        let weather = Weather { loss: 300, duplication: 100, ..Weather::calm() };
        let (mut network, mut random) = (Network::new(weather), Random::new(1));
        let arrived: usize = (0..10_000).map(|_| network.carry(place("10.0.0.1:1"), place("10.0.0.2:1"), 100, &mut random).len()).sum();
        assert!((2_700..3_300).contains(&network.lost), "{} lost", network.lost);
        assert!((7_300..8_100).contains(&arrived), "{arrived} arrived");
    }

    #[test]
    fn a_partition_cuts_one_way_and_ends() {
        let weather = Weather { partition: 1_000, ..Weather::calm() };
        let (mut network, mut random) = (Network::new(weather), Random::new(3));
        let places = [place("10.0.0.1:1"), place("10.0.0.2:1")];
        while network.partition.is_none_or(|(from, to, _)| from == to) {
            network.partition = None;
            network.second(0, &places, &mut random);
        }
        let (from, to, until) = network.partition.expect("a partition");
        assert!(network.carry(from, to, 1, &mut random).is_empty());
        assert_eq!(network.carry(to, from, 1, &mut random).len(), 1);
        network.weather.partition = 0;
        network.second(until, &places, &mut random);
        assert_eq!(network.carry(from, to, 1, &mut random).len(), 1);
    }
}
