//! Every hostile message of the collections against a running proxy: it lives, answers the next call, and stays small.

mod support;

use std::fs;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;

use support::sip::{Party, options, whole_call};
use support::{Server, until};

fn folders() -> Vec<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut found = vec![root.join("../sip/tests/hostile")];
    for name in ["rfc4475", "rfc5118-wire"] {
        let folder = root.join("../../../shared/corpora").join(name);
        if folder.is_dir() {
            found.push(folder);
        } else {
            println!("skipped: {name} is not here");
        }
    }
    found
}

fn messages() -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in folders() {
        let mut paths: Vec<PathBuf> = fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "dat")) {
            found.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), fs::read(&path).unwrap()));
        }
    }
    assert!(found.len() >= 60, "only {} messages", found.len());
    found
}

fn proxy(server: &Server) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], server.port))
}

fn assert_answers(server: &mut Server, id: &str) {
    let mut caller = Party::udp("127.0.0.1:0", proxy(server));
    let request = options(&caller, id, proxy(server));
    // A full receive buffer may drop the first ones, as any flood does.
    until(&format!("an answer after {id}"), || {
        caller.send(&request);
        assert!(server.is_alive(), "dead after {id}\n{}", server.log());
        caller.next_within(std::time::Duration::from_secs(1)).filter(|reply| reply.starts_with("SIP/2.0 200"))
    });
}

fn assert_a_call_works(server: &Server, id: &str) {
    let callee = Party::udp("127.0.0.1:0", proxy(server));
    let uri = format!("sip:bob@{}", callee.address());
    whole_call(&mut Party::udp("127.0.0.1:0", proxy(server)), id, &uri, || callee, &[]);
}

#[test]
fn hostile_datagrams_change_nothing_for_the_next_caller() {
    // No name server is asked: the test shall not depend on one.
    let mut server = Server::relay("");
    assert_a_call_works(&server, "before");
    let attacker = UdpSocket::bind("127.0.0.1:0").unwrap();
    for (name, bytes) in messages() {
        attacker.send_to(bytes.get(..65_507).unwrap_or(&bytes), proxy(&server)).unwrap();
        assert_answers(&mut server, &format!("after-{name}"));
    }
    assert_a_call_works(&server, "after");
    server.assert_serves("all hostile datagrams");
}

#[test]
fn a_flood_of_hostile_datagrams_stays_in_bounds_and_does_not_fill_the_log() {
    let mut server = Server::relay("");
    let attacker = UdpSocket::bind("127.0.0.1:0").unwrap();
    let messages = messages();
    let flood = |rounds: usize| {
        for _ in 0..rounds {
            for (_, bytes) in &messages {
                let _ = attacker.send_to(bytes.get(..65_507).unwrap_or(bytes), proxy(&server));
            }
            // A pause of one round trip keeps the receive buffer from dropping most of it.
            let mut caller = Party::udp("127.0.0.1:0", proxy(&server));
            caller.send(&options(&caller, "pace", proxy(&server)));
            let _ = caller.next_within(std::time::Duration::from_millis(100));
        }
    };
    flood(20);
    let before = server.memory();
    let lines_before = server.log().lines().count();
    flood(20);
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 65_536, "memory grew by {grown} kB");
    let lines = server.log().lines().count() - lines_before;
    assert!(lines < 2_000, "{lines} log lines for {} datagrams", 20 * messages.len());
    until("an answer after the flood", || {
        let mut caller = Party::udp("127.0.0.1:0", proxy(&server));
        caller.send(&options(&caller, "afterflood", proxy(&server)));
        caller.next_within(std::time::Duration::from_millis(500)).filter(|reply| reply.starts_with("SIP/2.0 200"))
    });
    assert_a_call_works(&server, "after");
    server.assert_serves("a flood");
}

#[test]
fn random_bytes_and_cut_requests_change_nothing() {
    let mut server = Server::relay("");
    let attacker = UdpSocket::bind("127.0.0.1:0").unwrap();
    let whole = options(&Party::udp("127.0.0.1:0", proxy(&server)), "cut", proxy(&server));
    let mut state = 7_u64;
    for number in 0..whole.len() {
        attacker.send_to(&whole.as_bytes()[..number], proxy(&server)).unwrap();
        let noise: Vec<u8> = (0..number % 300)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
            .collect();
        attacker.send_to(&noise, proxy(&server)).unwrap();
        let mut damaged = whole.clone().into_bytes();
        damaged[number] = (state >> 40) as u8;
        attacker.send_to(&damaged, proxy(&server)).unwrap();
    }
    assert_answers(&mut server, "afternoise");
    server.assert_serves("noise");
}

#[test]
fn hostile_streams_change_nothing_for_the_next_caller() {
    use std::io::Write;
    let mut server = Server::relay("");
    let mut kept = Vec::new();
    for (name, bytes) in messages() {
        let mut stream = std::net::TcpStream::connect(proxy(&server)).unwrap();
        stream.set_write_timeout(Some(support::PATIENCE)).unwrap();
        let _ = stream.write_all(&bytes);
        kept.push(stream);
        assert_answers(&mut server, &format!("tcp-{name}"));
    }
    drop(kept);
    assert_a_call_works(&server, "after");
    server.assert_serves("hostile streams");
}
