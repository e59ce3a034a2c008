//! The decision procedure over tables of records.

use super::super::entry::learn;
use super::super::record::{Record, Reply};
use super::*;
use crate::sockets::Socket;

/// Lines of `owner KIND data...`: `A address`, `AAAA address`, `CNAME name`, `SRV priority weight port target`,
/// `NAPTR order service replacement`.
fn zone(text: &str) -> Vec<Record> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(record).collect()
}

fn record(line: &str) -> Record {
    let words: Vec<&str> = line.split_whitespace().collect();
    let kind = Kind::from_word(words[1].as_bytes()).unwrap();
    let number = |index: usize| words[index].parse::<u16>().unwrap();
    let data = match kind {
        Kind::A | Kind::Aaaa => Data::Address(words[2].parse().unwrap()),
        Kind::Srv => Data::Server(Server { priority: number(2), weight: number(3), port: number(4), target: Arc::from(words[5]) }),
        Kind::Naptr => Data::Pointer(Pointer {
            order: number(2),
            preference: 0,
            flags: Box::from("s"),
            service: Box::from(words[3]),
            expression: Box::from(""),
            replacement: Arc::from(words[4]),
        }),
        _ => Data::Name(Arc::from(words[2])),
    };
    Record { owner: Arc::from(words[0]), kind, seconds: 60, data }
}

struct World {
    zone: Vec<Record>,
    cache: Cache,
    settings: Settings,
    sockets: Sockets,
    asked: Vec<String>,
}

impl World {
    fn new(text: &str) -> World {
        let socket = |protocol, address: &str| Socket::new(protocol, address.parse().unwrap(), None, None);
        let list = vec![socket(Protocol::Udp, "127.0.0.1:5060"), socket(Protocol::Tcp, "127.0.0.1:5060")];
        let sockets = Sockets { list, aliases: Vec::new() };
        World { zone: zone(text), cache: Cache::default(), settings: Settings::default(), sockets, asked: Vec::new() }
    }

    fn with_ipv6(mut self) -> World {
        self.sockets.list.push(Socket::new(Protocol::Udp, "[::1]:5060".parse().unwrap(), None, None));
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Settings)) -> World {
        change(&mut self.settings);
        self
    }

    /// Steps until an address or the end, answering questions from the zone.
    fn next(&mut self, search: &mut Search) -> Step {
        for _ in 0..100 {
            let view = View { cache: &self.cache, settings: &self.settings, sockets: &self.sockets, now: Time(0), is_stale: false };
            match search.step(&view) {
                Step::Ask(question) => {
                    self.asked.push(format!("{} {}", question.name, question.kind.word()));
                    let reply = Reply { records: self.zone.clone(), milliseconds: 0 };
                    let (entries, answer) = learn(&question, &reply, &self.settings, Time(0));
                    if self.settings.caches() {
                        for entry in entries {
                            self.cache.store(entry, &self.settings, Time(0));
                        }
                    }
                    search.learn(answer);
                }
                step => return step,
            }
        }
        panic!("the search does not end");
    }

    /// Every address of a destination, as `protocol address:port`.
    fn all(&mut self, host: &str, port: Option<u16>, protocol: Option<Protocol>) -> Vec<String> {
        let mut search = Search::new(Destination { host: Box::from(host), port, protocol }, 1);
        let mut found = Vec::new();
        while let Step::Go(hop) = self.next(&mut search) {
            found.push(format!("{} {}", hop.protocol.name(), hop.address));
        }
        found
    }
}

const SERVERS: &str = "
    _sip._udp.srv.test SRV 20 10 5071 a.test
    _sip._udp.srv.test SRV 10 10 5072 two.test
    _sip._udp.srv.test SRV 10 90 5073 a.test
    _sip._tcp.tcponly.test SRV 10 10 5072 a.test
    _sip._udp.missing.test SRV 10 10 5072 nowhere.test
    _sip._udp.half.test SRV 10 10 5072 nowhere.test
    _sip._udp.half.test SRV 20 10 5072 a.test
    a.test A 127.0.0.11
    two.test A 127.0.0.11
    two.test A 127.0.0.12
    missing.test A 127.0.0.19
    tcponly.test A 127.0.0.11
    both.test A 127.0.0.11
    both.test AAAA ::1
    n.test NAPTR 10 SIP+D2T _sip._tcp.tcponly.test
    n.test NAPTR 20 SIP+D2U _sip._udp.srv.test
    alias.test CNAME a.test
    loop1.test CNAME loop2.test
    loop2.test CNAME loop1.test
";

#[test]
fn servers_are_tried_by_priority_and_weight_and_every_address_of_each() {
    let found = World::new(SERVERS).all("srv.test", None, None);
    assert_eq!(found, ["UDP 127.0.0.11:5073", "UDP 127.0.0.11:5072", "UDP 127.0.0.12:5072", "UDP 127.0.0.11:5071"]);
}

#[test]
fn only_what_the_first_address_needs_is_asked() {
    let mut world = World::new(SERVERS);
    let mut search = Search::new(Destination { host: Box::from("srv.test"), port: None, protocol: None }, 1);
    world.next(&mut search);
    assert_eq!(world.asked, ["_sip._udp.srv.test SRV", "a.test A"]);
}

#[test]
fn a_port_means_addresses_only() {
    let mut world = World::new(SERVERS);
    assert_eq!(world.all("srv.test", Some(5080), None), Vec::<String>::new());
    assert_eq!(world.all("a.test", Some(5080), Some(Protocol::Tcp)), ["TCP 127.0.0.11:5080"]);
    assert_eq!(world.asked, ["srv.test A", "a.test A"]);
}

#[test]
fn without_naptr_and_failover_only_udp_servers_are_looked_for() {
    assert_eq!(World::new(SERVERS).all("tcponly.test", None, None), ["UDP 127.0.0.11:5060"]);
    let mut failing_over = World::new(SERVERS).with(|settings| settings.fails_over = true);
    assert_eq!(failing_over.all("tcponly.test", None, None), ["TCP 127.0.0.11:5072"]);
    let mut naptr = World::new(SERVERS).with(|settings| settings.try_naptr = true);
    assert_eq!(naptr.all("tcponly.test", None, None), ["TCP 127.0.0.11:5072"]);
}

#[test]
fn a_known_protocol_asks_for_its_servers_then_for_the_address() {
    let mut world = World::new(SERVERS);
    assert_eq!(world.all("a.test", None, Some(Protocol::Tcp)), ["TCP 127.0.0.11:5060"]);
    assert_eq!(world.asked, ["_sip._tcp.a.test SRV", "a.test A"]);
}

#[test]
fn naptr_chooses_the_protocol_by_local_preference() {
    let mut world = World::new(SERVERS).with(|settings| settings.try_naptr = true);
    let found = world.all("n.test", None, None);
    assert_eq!(found[0], "UDP 127.0.0.11:5073");
    assert_eq!(found[4], "TCP 127.0.0.11:5072");
    let mut by_rfc = World::new(SERVERS).with(|settings| {
        settings.try_naptr = true;
        settings.naptr_ignores_rfc = false;
    });
    assert_eq!(by_rfc.all("n.test", None, None)[0], "TCP 127.0.0.11:5072");
}

#[test]
fn servers_that_do_not_exist_are_passed_over() {
    assert_eq!(World::new(SERVERS).all("half.test", None, None), ["UDP 127.0.0.11:5072"]);
    assert_eq!(World::new(SERVERS).all("missing.test", None, None), ["UDP 127.0.0.19:5060"]);
}

#[test]
fn aliases_lead_on_and_circles_lead_nowhere() {
    assert_eq!(World::new(SERVERS).all("alias.test", None, None), ["UDP 127.0.0.11:5060"]);
    assert_eq!(World::new(SERVERS).all("loop1.test", None, None), Vec::<String>::new());
}

#[test]
fn families_follow_sockets_and_flags() {
    assert_eq!(World::new(SERVERS).all("both.test", None, None), ["UDP 127.0.0.11:5060"]);
    let flags = |flags| World::new(SERVERS).with_ipv6().with(|settings| settings.family_flags = flags).all("both.test", None, None);
    assert_eq!(flags(0), ["UDP 127.0.0.11:5060", "UDP [::1]:5060"]);
    assert_eq!(flags(1), ["UDP 127.0.0.11:5060"]);
    assert_eq!(flags(2), ["UDP [::1]:5060"]);
    assert_eq!(flags(4), ["UDP [::1]:5060", "UDP 127.0.0.11:5060"]);
    let mut without = World::new(SERVERS).with_ipv6().with(|settings| settings.try_ipv6 = false);
    assert_eq!(without.all("both.test", None, None), ["UDP 127.0.0.11:5060"]);
}

#[test]
fn an_address_that_no_socket_reaches_is_told_apart_from_none() {
    let mut world = World::new(SERVERS);
    let mut search = Search::new(Destination { host: Box::from("a.test"), port: Some(5061), protocol: Some(Protocol::Tls) }, 1);
    assert_eq!(world.next(&mut search), Step::Unreachable);
    let mut search = Search::new(Destination { host: Box::from("nx.test"), port: None, protocol: None }, 1);
    assert_eq!(world.next(&mut search), Step::Exhausted);
}

#[test]
fn without_a_cache_the_answers_of_one_search_still_hold() {
    let mut world = World::new(SERVERS).with(|settings| settings.uses_cache = false);
    assert_eq!(world.all("srv.test", None, None).len(), 4);
    assert_eq!(world.asked.len(), 3);
    assert_eq!(world.cache.entries(Time(0)).count(), 0);
}

#[test]
fn a_search_asks_and_hands_out_no_more_than_its_bounds() {
    let mut text = String::new();
    for number in 0..60 {
        text.push_str(&format!("_sip._udp.many.test SRV {number} 1 5060 h{number}.test\n"));
    }
    let mut world = World::new(&text);
    assert_eq!(world.all("many.test", None, None), Vec::<String>::new());
    assert_eq!(world.asked.len(), QUESTIONS_PER_SEARCH_MAX);
    for number in 0..60 {
        text.push_str(&format!("wide.test A 192.0.2.{number}\n"));
    }
    assert_eq!(World::new(&text).all("wide.test", None, None).len(), HOPS_PER_SEARCH_MAX);
}

#[test]
fn names_that_cannot_be_asked_end_the_search() {
    let mut world = World::new(SERVERS);
    assert_eq!(world.all("bad name", None, None), Vec::<String>::new());
    assert_eq!(world.all(&"x".repeat(250), None, None), Vec::<String>::new());
    assert_eq!(world.asked, [format!("{} A", "x".repeat(250))]);
}

#[test]
fn balanced_servers_keep_their_order_within_one_search() {
    let mut world = World::new(SERVERS).with(|settings| settings.balances_servers = true);
    for seed in 0..50 {
        let mut search = Search::new(Destination { host: Box::from("srv.test"), port: None, protocol: None }, seed);
        let mut ports = Vec::new();
        while let Step::Go(hop) = world.next(&mut search) {
            ports.push(hop.address.port());
        }
        assert_eq!((ports.len(), ports[3]), (4, 5071), "seed {seed}: {ports:?}");
    }
}

#[test]
fn a_zone_that_repeats_itself_costs_a_bounded_time() {
    let addresses = "a.test A 127.0.0.11\n".repeat(64);
    let servers = "_sip._udp.flood.test SRV 1 1 5070 a.test\n".repeat(63);
    let rest = "_sip._udp.flood.test SRV 2 1 5070 b.test\nb.test A 127.0.0.12\n";
    let mut world = World::new(&format!("{addresses}{servers}{rest}"));
    assert_eq!(world.all("flood.test", None, Some(Protocol::Udp)), ["UDP 127.0.0.11:5070"]);
    let few = "_sip._udp.few.test SRV 1 1 5070 a.test\n_sip._udp.few.test SRV 2 1 5070 b.test\nb.test A 127.0.0.12\n";
    let mut world = World::new(&format!("{addresses}{few}"));
    assert_eq!(world.all("few.test", None, Some(Protocol::Udp)), ["UDP 127.0.0.11:5070", "UDP 127.0.0.12:5070"]);
}
