//! The resolver against a name server of this test, on loopback.

use std::io::{Read, Write};
use std::net::{TcpListener, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::*;

/// One record: owner, type, data as it stands on the wire.
type Line = (&'static str, u16, Vec<u8>);

const A: u16 = 1;
const CNAME: u16 = 5;
const TXT: u16 = 16;
const SRV: u16 = 33;
const NAPTR: u16 = 35;

fn encoded(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

fn server(priority: u16, target: &str) -> Vec<u8> {
    [&priority.to_be_bytes()[..], &10_u16.to_be_bytes(), &5060_u16.to_be_bytes(), &encoded(target)].concat()
}

fn pointer(service: &str, replacement: &str) -> Vec<u8> {
    let word = |word: &str| [&[u8::try_from(word.len()).unwrap()], word.as_bytes()].concat();
    [&10_u16.to_be_bytes()[..], &20_u16.to_be_bytes(), &word("s"), &word(service), &word(""), &encoded(replacement)].concat()
}

/// A port that is free for UDP may be taken for TCP: then the next one is tried.
fn one_port_for_both() -> (UdpSocket, TcpListener) {
    std::iter::repeat_with(|| UdpSocket::bind("127.0.0.1:0").unwrap())
        .take(100)
        .find_map(|udp| TcpListener::bind(udp.local_addr().unwrap()).ok().map(|tcp| (udp, tcp)))
        .expect("a port free for UDP and TCP")
}

struct NameServer {
    address: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl NameServer {
    /// Answers from the lines; is silent about names that begin with `silent`, and sends noise for `noise`.
    fn start(lines: Vec<Line>) -> NameServer {
        let (udp, tcp) = one_port_for_both();
        let address = udp.local_addr().unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let (count, over_tcp) = (Arc::clone(&asked), lines.clone());
        std::thread::spawn(move || {
            let mut buffer = [0; 2_048];
            while let Ok((length, from)) = udp.recv_from(&mut buffer) {
                count.fetch_add(1, Ordering::SeqCst);
                if let Some(answer) = answer(&buffer[..length], &lines, 512) {
                    let _ = udp.send_to(&answer, from);
                }
            }
        });
        std::thread::spawn(move || {
            while let Ok((mut stream, _)) = tcp.accept() {
                let mut length = [0; 2];
                if stream.read_exact(&mut length).is_err() {
                    continue;
                }
                let mut question = vec![0; usize::from(u16::from_be_bytes(length))];
                let _ = stream.read_exact(&mut question);
                if let Some(answer) = answer(&question, &over_tcp, 65_535) {
                    let _ = stream.write_all(&[&u16::try_from(answer.len()).unwrap().to_be_bytes()[..], &answer].concat());
                }
            }
        });
        NameServer { address, asked }
    }
}

fn answer(question: &[u8], lines: &[Line], bytes_max: usize) -> Option<Vec<u8>> {
    let mut at = 12;
    let mut labels = Vec::new();
    while question[at] != 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..=at + length]).to_ascii_lowercase());
        at += length + 1;
    }
    let name = labels.join(".");
    let kind = u16::from_be_bytes([question[at + 1], question[at + 2]]);
    let asked = &question[12..at + 5];
    if name.starts_with("silent") {
        return None;
    }
    if name.starts_with("noise") {
        return Some(question[..2].iter().copied().chain((0..200_u8).map(|byte| byte.wrapping_mul(37) | 0x80)).collect());
    }
    let mut found: Vec<&Line> = Vec::new();
    let mut owner = name.clone();
    for _ in 0..10 {
        let matching: Vec<&Line> = lines.iter().filter(|line| line.0 == owner && line.1 == kind).collect();
        if !matching.is_empty() {
            found.extend(matching);
            break;
        }
        let Some(alias) = lines.iter().find(|line| line.0 == owner && line.1 == CNAME) else { break };
        found.push(alias);
        let Some(target) = lines.iter().map(|line| line.0).find(|target| encoded(target) == alias.2) else { break };
        owner = target.to_owned();
    }
    let is_known = lines.iter().any(|line| line.0 == name);
    let code: u16 = if is_known { 0x8580 } else { 0x8583 };
    let mut body = Vec::new();
    for (owner, kind, data) in &found {
        body.extend(encoded(owner));
        body.extend([&kind.to_be_bytes()[..], &1_u16.to_be_bytes(), &300_u32.to_be_bytes()].concat());
        body.extend(u16::try_from(data.len()).unwrap().to_be_bytes());
        body.extend(data);
    }
    let is_cut = 12 + asked.len() + body.len() > bytes_max;
    let (code, count) = if is_cut { (code | 0x0200, 0) } else { (code, u16::try_from(found.len()).unwrap()) };
    let head = [&question[..2], &code.to_be_bytes(), &[0, 1], &count.to_be_bytes(), &[0; 4]].concat();
    Some([&head[..], asked, if is_cut { &[] } else { &body }].concat())
}

fn service(server: &NameServer, tries: u32) -> (Resolver, mpsc::Receiver<()>) {
    let (sender, receiver) = mpsc::channel();
    let sender = Mutex::new(sender);
    let options = ResolverOptions {
        servers: Some(vec![server.address]),
        retry_after: Some(Duration::from_millis(300)),
        tries: Some(tries),
        uses_search_list: false,
        ..ResolverOptions::default()
    };
    let resolver = Resolver::start(options, move || {
        let _ = sender.lock().unwrap().send(());
    });
    (resolver.unwrap(), receiver)
}

fn ask(resolver: &Resolver, bell: &mpsc::Receiver<()>, name: &str, kind: u16) -> Vec<Record> {
    resolver.ask(7, name, kind).unwrap();
    bell.recv_timeout(Duration::from_secs(20)).unwrap();
    let mut answers = resolver.answers();
    assert_eq!((answers.len(), answers[0].ticket), (1, 7));
    answers.remove(0).records
}

#[test]
fn every_kind_of_record_arrives_with_its_lifetime() {
    let name_server = NameServer::start(vec![
        ("a.test", A, vec![192, 0, 2, 1]),
        ("a.test", A, vec![192, 0, 2, 2]),
        ("_sip._udp.a.test", SRV, server(10, "a.test")),
        ("n.test", NAPTR, pointer("SIP+D2U", "_sip._udp.a.test")),
        ("t.test", TXT, b"\x05hello\x03you".to_vec()),
    ]);
    let (resolver, bell) = service(&name_server, 1);
    let addresses = ask(&resolver, &bell, "A.Test.", A);
    assert_eq!(addresses.len(), 2);
    assert!(addresses.iter().all(|record| record.owner == "a.test" && record.seconds == 300));
    let servers = ask(&resolver, &bell, "_sip._udp.a.test", SRV);
    assert_eq!(servers[0].data, Data::Server { priority: 10, weight: 10, port: 5060, target: "a.test".to_owned() });
    let pointers = ask(&resolver, &bell, "n.test", NAPTR);
    assert!(
        matches!(&pointers[0].data, Data::Pointer { service, replacement, .. } if service == "SIP+D2U" && replacement == "_sip._udp.a.test")
    );
    let texts = ask(&resolver, &bell, "t.test", TXT);
    assert_eq!(texts[0].data, Data::Text(vec![b"hello".to_vec(), b"you".to_vec()]));
    resolver.stop();
}

#[test]
fn aliases_come_with_their_target_and_circles_end() {
    let name_server = NameServer::start(vec![
        ("alias.test", CNAME, encoded("a.test")),
        ("a.test", A, vec![192, 0, 2, 1]),
        ("one.test", CNAME, encoded("two.test")),
        ("two.test", CNAME, encoded("one.test")),
    ]);
    let (resolver, bell) = service(&name_server, 1);
    let found = ask(&resolver, &bell, "alias.test", A);
    assert_eq!(found[0].data, Data::Alias("a.test".to_owned()));
    assert_eq!((found[1].owner.as_str(), &found[1].data), ("a.test", &Data::Address("192.0.2.1".parse().unwrap())));
    let circle = ask(&resolver, &bell, "one.test", A);
    assert!(circle.iter().all(|record| matches!(record.data, Data::Alias(_))), "{circle:?}");
    resolver.stop();
}

#[test]
fn a_thousand_servers_arrive_by_tcp_and_are_bounded() {
    let lines = (0..1_200).map(|number| ("_sip._udp.many.test", SRV, server(number, "a.test"))).collect();
    let name_server = NameServer::start(lines);
    let (resolver, bell) = service(&name_server, 3);
    assert_eq!(ask(&resolver, &bell, "_sip._udp.many.test", SRV).len(), crate::limits::RESOLVER_RECORDS_MAX);
    resolver.stop();
}

#[test]
fn a_silent_server_is_asked_again_and_then_given_up() {
    let name_server = NameServer::start(Vec::new());
    let (resolver, bell) = service(&name_server, 2);
    let begin = std::time::Instant::now();
    assert_eq!(ask(&resolver, &bell, "silent.test", A), Vec::new());
    assert!(begin.elapsed() >= Duration::from_millis(500), "{:?}", begin.elapsed());
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
    assert!(name_server.asked.load(Ordering::SeqCst) >= 2);
    resolver.stop();
}

#[test]
fn no_such_name_and_noise_are_answers_without_records() {
    let name_server = NameServer::start(vec![("a.test", A, vec![192, 0, 2, 1])]);
    let (resolver, bell) = service(&name_server, 1);
    assert_eq!(ask(&resolver, &bell, "nowhere.test", A), Vec::new());
    assert_eq!(ask(&resolver, &bell, "a.test", SRV), Vec::new());
    assert_eq!(ask(&resolver, &bell, "noise.test", A), Vec::new());
    assert_eq!(ask(&resolver, &bell, "a.test", A).len(), 1, "the service goes on");
    resolver.stop();
}

#[test]
fn questions_alike_share_one_answer_and_a_silent_name_holds_up_no_other() {
    let name_server = NameServer::start(vec![("a.test", A, vec![192, 0, 2, 1])]);
    let (resolver, bell) = service(&name_server, 5);
    for ticket in 0..5 {
        resolver.ask(ticket, "silent.test", A).unwrap();
    }
    resolver.ask(9, "a.test", A).unwrap();
    bell.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(resolver.answers().iter().map(|answer| answer.ticket).collect::<Vec<_>>(), [9]);
    bell.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(resolver.answers().iter().map(|answer| answer.ticket).collect::<Vec<_>>(), [0, 1, 2, 3, 4]);
    resolver.stop();
}

#[test]
fn questions_are_bounded_and_bad_names_refused_at_once() {
    let name_server = NameServer::start(Vec::new());
    let (resolver, _bell) = service(&name_server, 10);
    for number in 0..RESOLVER_QUESTIONS_MAX as u64 {
        resolver.ask(number, &format!("silent{number}.test"), A).unwrap();
    }
    assert_eq!(resolver.ask(1, "one-more.test", A), Err(ResolveError::Overloaded));
    for name in ["", ".", "a b", "[::1]", &"x".repeat(300)] {
        assert_eq!(resolver.ask(1, name, A), Err(ResolveError::BadName), "{name}");
    }
    resolver.stop();
    assert_eq!(resolver.ask(1, "late.test", A), Err(ResolveError::Stopped));
}
