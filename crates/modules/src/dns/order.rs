//! The order in which records are tried (RFC 2782, RFC 3403, spec proxy-core 6.3).

use std::cmp::Reverse;

use transaction::Protocol;

use super::entry::Kept;
use super::record::{Data, Pointer, Server};
use super::settings::Settings;

/// Puts servers by priority, then weight, heaviest first; pointers by order, then preference. Addresses stay as they are.
pub fn sort(records: &mut [Kept]) {
    records.sort_by_key(|record| match &record.data {
        Data::Server(server) => (server.priority, Reverse(server.weight), 0),
        Data::Pointer(pointer) => (pointer.order, Reverse(0), pointer.preference),
        _ => (0, Reverse(0), 0),
    });
}

/// Chooses the order of the servers of each priority at random by their weights (RFC 2782 "Weight"): a server is as likely
/// to come next as its share of the weights left. `random` gives a number below its argument.
pub fn balance<'a>(sorted: &[&'a Server], random: &mut dyn FnMut(u64) -> u64) -> Vec<&'a Server> {
    let mut left: Vec<&Server> = sorted.to_vec();
    let mut chosen = Vec::with_capacity(left.len());
    while let Some(priority) = left.first().map(|server| server.priority) {
        let same = left.iter().take_while(|server| server.priority == priority).count();
        let total: u64 = left.iter().take(same).map(|server| u64::from(server.weight)).sum();
        let mut point = random(total + 1);
        let place = left.iter().take(same).position(|server| {
            let weight = u64::from(server.weight);
            let is_hit = point <= weight && (weight > 0 || total == 0);
            point = point.saturating_sub(weight);
            is_hit
        });
        chosen.push(left.remove(place.unwrap_or(0)));
    }
    chosen
}

/// The protocol a NAPTR record offers SIP over (RFC 3263 §4.1); None: it is not about SIP, or says it in a way not followed.
pub fn protocol_of(pointer: &Pointer) -> Option<Protocol> {
    if !pointer.flags.eq_ignore_ascii_case("s") {
        return None;
    }
    [("SIP+D2U", Protocol::Udp), ("SIP+D2T", Protocol::Tcp), ("SIPS+D2T", Protocol::Tls), ("SIP+D2S", Protocol::Sctp)]
        .into_iter()
        .find(|(service, _)| pointer.service.eq_ignore_ascii_case(service))
        .map(|(_, protocol)| protocol)
}

/// The NAPTR records that lead to SIP over a protocol in use, most wanted first. `pointers` are in RFC order.
pub fn usable_pointers<'a>(
    pointers: impl Iterator<Item = &'a Pointer>,
    settings: &Settings,
    is_supported: &dyn Fn(Protocol) -> bool,
) -> Vec<(&'a Pointer, Protocol)> {
    let mut usable: Vec<(&Pointer, Protocol)> = pointers
        .filter_map(|pointer| protocol_of(pointer).map(|protocol| (pointer, protocol)))
        .filter(|(_, protocol)| settings.preference_of(*protocol) >= 0 && is_supported(*protocol))
        .collect();
    if settings.naptr_ignores_rfc {
        usable.sort_by_key(|(_, protocol)| Reverse(settings.preference_of(*protocol)));
    }
    usable
}

/// The protocols whose SRV records are asked for when neither URI nor NAPTR named one, most wanted first.
pub fn protocols(settings: &Settings, is_supported: &dyn Fn(Protocol) -> bool) -> Vec<Protocol> {
    let mut protocols: Vec<Protocol> = [Protocol::Udp, Protocol::Tcp, Protocol::Tls, Protocol::Sctp]
        .into_iter()
        .filter(|protocol| settings.preference_of(*protocol) >= 0 && is_supported(*protocol))
        .collect();
    protocols.sort_by_key(|protocol| Reverse(settings.preference_of(*protocol)));
    protocols
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn server(priority: u16, weight: u16, target: &str) -> Server {
        Server { priority, weight, port: 5060, target: Arc::from(target) }
    }

    fn pointer(order: u16, service: &str) -> Pointer {
        let (flags, expression) = (Box::from("s"), Box::from(""));
        Pointer { order, preference: 10, flags, service: Box::from(service), expression, replacement: Arc::from("x.test") }
    }

    #[test]
    fn heavier_servers_come_first_in_proportion() {
        let servers = [server(1, 90, "heavy"), server(1, 10, "light"), server(2, 0, "spare")];
        let sorted: Vec<&Server> = servers.iter().collect();
        let mut state = crate::worker::Random::new(1);
        let mut heavy = 0;
        for _ in 0..1_000 {
            let order = balance(&sorted, &mut |bound| state.below(bound));
            assert_eq!((order.len(), &*order[2].target), (3, "spare"));
            heavy += usize::from(&*order[0].target == "heavy");
        }
        assert!((850..950).contains(&heavy), "{heavy}");
    }

    #[test]
    fn servers_without_weight_are_still_all_tried() {
        let servers = [server(1, 0, "a"), server(1, 0, "b")];
        let sorted: Vec<&Server> = servers.iter().collect();
        assert_eq!(balance(&sorted, &mut |_| 0).len(), 2);
    }

    #[test]
    fn local_preference_beats_the_order_of_the_records_unless_the_rfc_is_followed() {
        let pointers = [pointer(10, "SIP+D2T"), pointer(20, "SIP+D2U"), pointer(1, "SIP+D2X"), pointer(1, "SIPS+D2T")];
        let is_supported = |protocol| protocol != Protocol::Tls;
        let words = |settings: &Settings| {
            usable_pointers(pointers.iter(), settings, &is_supported).iter().map(|(_, protocol)| *protocol).collect::<Vec<_>>()
        };
        let mut settings = Settings::default();
        assert_eq!(words(&settings), [Protocol::Udp, Protocol::Tcp]);
        settings.naptr_ignores_rfc = false;
        assert_eq!(words(&settings), [Protocol::Tcp, Protocol::Udp]);
        settings.tcp_preference = -1;
        assert_eq!(words(&settings), [Protocol::Udp]);
    }

    #[test]
    fn protocols_go_by_preference_and_unsupported_ones_are_left_out() {
        let settings = Settings { tls_preference: 99, ..Settings::default() };
        assert_eq!(protocols(&settings, &|_| true), [Protocol::Tls, Protocol::Udp, Protocol::Tcp, Protocol::Sctp]);
        assert_eq!(protocols(&settings, &|protocol| protocol == Protocol::Udp), [Protocol::Udp]);
    }
}
