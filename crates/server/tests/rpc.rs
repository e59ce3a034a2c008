//! Kamailio's own tools, and nonsense, on every control door of a running proxy.

mod support;

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use support::{Folder, PATIENCE, RELAY, Server, configuration, duolog, finish, free_port, is_installed, path_text, text, until};

/// A server with all doors; BINRPC over TCP and UDP on the first port, JSON over HTTP on the second.
fn with_doors() -> (Server, u16, u16) {
    let (binrpc, http) = (free_port(), free_port());
    let more = format!(
        "modparam(\"ctl\", \"binrpc\", \"unixd:FOLDER/ctl_dgram\")\nmodparam(\"ctl\", \"binrpc\", \"tcp:127.0.0.1:{binrpc}\")\n\
         modparam(\"ctl\", \"binrpc\", \"udp:127.0.0.1:{binrpc}\")\nmodparam(\"jsonrpcs\", \"transport\", 7)\n\
         modparam(\"jsonrpcs\", \"http_address\", \"127.0.0.1:{http}\")\nmodparam(\"htable\", \"htable\", \"limits=>size=4;\")\n\
         modparam(\"dialog\", \"profiles_with_value\", \"account\")"
    );
    (Server::with(&more, RELAY), binrpc, http)
}

/// Method, arguments, and what the output must hold.
const COMMANDS: &[(&str, &[&str], &[&str])] = &[
    ("core.version", &[], &["duolog "]),
    ("core.uptime", &[], &["now: ", "up_since: ", "uptime: "]),
    ("system.listMethods", &[], &["core.uptime\n", "dlg.list\n", "stats.get_statistics\n", "htable.dump\n"]),
    ("core.psx", &[], &["IDX: ", "PID: ", "DSC: "]),
    ("core.echo", &["a", "5"], &["a\n5\n"]),
    ("core.printi", &["5", "6"], &["5\n6\n"]),
    ("core.shmmem", &[], &["total: ", "free: ", "used: "]),
    ("stats.get_statistics", &["all"], &["core:rcv_requests", "dialog:active_dialogs", "sl:sent_replies"]),
    ("stats.fetch", &["dialog:active_dialogs"], &["dialog.active_dialogs: 0"]),
    ("tm.stats", &[], &["current: ", "waiting: ", "total: ", "created: "]),
    ("sl.stats", &[], &["200: ", "xxx: "]),
    ("cfg.list", &[], &["core: debug"]),
    ("cfg.get", &["core", "debug"], &["1\n"]),
    ("htable.sets", &["limits", "alice", "x"], &["Ok. Key set"]),
    ("htable.get", &["limits", "alice"], &["name: alice", "value: x"]),
    ("htable.dump", &["limits"], &["entry: ", "name: alice"]),
    ("dlg.list", &[], &[""]),
    ("dlg.stats_active", &[], &["starting: 0", "all: 0"]),
    ("dlg.profile_get_size", &["account", "alice"], &["0\n"]),
];

#[test]
fn kamcmd_works_through_every_binrpc_door() {
    if !is_installed("kamcmd") {
        return;
    }
    let (server, port, _) = with_doors();
    let folder = path_text(&server.folder.0);
    for door in [
        format!("unixs:{folder}/ctl"),
        format!("unixd:{folder}/ctl_dgram"),
        format!("tcp:127.0.0.1:{port}"),
        format!("udp:127.0.0.1:{port}"),
    ] {
        for (method, arguments, expected) in COMMANDS {
            let words: Vec<&str> = std::iter::once(method).chain(arguments.iter()).copied().collect();
            let output = server.kamcmd(&door, &words);
            let said = text(&output.stdout);
            assert!(output.status.success(), "{door} {words:?}: {said}{}", text(&output.stderr));
            for part in *expected {
                assert!(said.contains(part), "{door} {words:?}: no `{part}` in\n{said}");
            }
            assert!(!said.contains(": -"), "{door} {words:?}: a negative number in\n{said}");
        }
    }
}

#[test]
fn kamcmd_shows_faults_and_its_own_aliases_work() {
    if !is_installed("kamcmd") {
        return;
    }
    let server = Server::relay("");
    let door = format!("unixs:{}", path_text(&server.control));
    let said = |words: &[&str]| {
        let output = server.kamcmd(&door, words);
        text(&output.stdout) + &text(&output.stderr)
    };
    assert!(said(&["no.such"]).contains("error: 500 - command no.such not found"), "{}", said(&["no.such"]));
    assert!(said(&["htable.dump", "nosuch"]).contains("error: 500 - No such htable"), "{}", said(&["htable.dump", "nosuch"]));
    assert!(said(&["dlg.profile_get_size", "nosuch"]).contains("error: "));
    let listed = said(&["listen"]);
    assert!(listed.contains(&path_text(&server.control)), "{listed}");
    for alias in [&["version"][..], &["ps"], &["psx"], &["ls"]] {
        let answer = said(alias);
        assert!(!answer.contains("error") && !answer.trim().is_empty(), "{alias:?}: {answer}");
    }
}

#[test]
fn kamctl_rpc_works_through_the_fifo() {
    if !is_installed("kamctl") {
        return;
    }
    let mut server = Server::relay("");
    let kamctl = |server: &Server, words: &[&str]| {
        let output = finish(Command::new("kamctl").env("RPCFIFOPATH", server.folder.path("rpc.fifo")).arg("rpc").args(words));
        text(&output.stdout)
    };
    let squeezed = |answer: &str| answer.split_whitespace().collect::<String>();
    let answer = kamctl(&server, &["core.echo", "a", "s:5"]);
    assert!(squeezed(&answer).contains(r#""result":["a","5"]"#), "{answer}");
    let answer = kamctl(&server, &["core.printi", "5", "6"]);
    assert!(squeezed(&answer).contains(r#""result":[5,6]"#), "{answer}");
    let answer = kamctl(&server, &["core.uptime"]);
    assert!(answer.contains("up_since"), "{answer}");
    let answer = kamctl(&server, &["no.such"]);
    assert!(answer.contains("\"error\"") && answer.contains("Method Not Found"), "{answer}");
    server.assert_serves("kamctl");
}

#[test]
fn our_own_rpc_command_asks_a_running_proxy() {
    let server = Server::relay("");
    std::os::unix::fs::symlink(server.folder.path("rpc.sock"), server.folder.path("kamailio_rpc.sock")).unwrap();
    let ask = |words: &[&str]| finish(duolog().arg("-Y").arg(&server.folder.0).arg("rpc").args(words));
    let output = ask(&["core.echo", "a", "5", "s:5"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let answer = text(&output.stdout).split_whitespace().collect::<String>();
    assert!(answer.contains(r#""result":["a","5","5"]"#), "{answer}");
    assert_eq!(ask(&["no.such"]).status.code(), Some(1));
    assert_eq!(finish(duolog().args(["-Y", "/nonexistent", "rpc", "core.uptime"])).status.code(), Some(255));
}

fn http(port: u16, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let _ = stream.write_all(request);
    let mut found = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        match stream.read(&mut chunk) {
            Ok(length) if length > 0 => found.extend_from_slice(&chunk[..length]),
            _ => return text(&found),
        }
        let so_far = text(&found);
        let length = support::sip::header(&so_far, "Content-Length").and_then(|value| value.parse::<usize>().ok());
        if let (Some((_, body)), Some(length)) = (so_far.split_once("\r\n\r\n"), length)
            && body.len() >= length
        {
            return so_far;
        }
    }
}

fn post(body: &str) -> Vec<u8> {
    format!("POST /RPC HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len())
        .into_bytes()
}

#[test]
fn json_works_over_datagrams_http_and_a_sip_port() {
    let (mut server, _, port) = with_doors();
    let answer = server.ask_json("core.printi", "[5,6]").unwrap();
    assert!(answer.split_whitespace().collect::<String>().contains(r#""result":[5,6],"id":1"#), "{answer}");
    let request = r#"{"jsonrpc":"2.0","method":"core.echo","params":["x",7],"id":"q"}"#;
    for port in [port, server.port] {
        let answer = http(port, &post(request));
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{port}: {answer}");
        assert!(answer.contains("application/json"), "{answer}");
        assert!(answer.split_whitespace().collect::<String>().contains(r#""result":["x","7"],"id":"q""#), "{answer}");
        let answer = http(port, &post(r#"{"jsonrpc":"2.0","method":"no.such","id":2}"#));
        assert!(answer.starts_with("HTTP/1.1 500 Method Not Found\r\n"), "{answer}");
        let answer = http(port, &post("{"));
        assert!(answer.contains("-32700"), "{answer}");
    }
    let answer = http(port, b"GET / HTTP/1.1\r\n\r\n");
    assert!(answer.starts_with("HTTP/1.1 4"), "{answer}");
    server.assert_serves("HTTP");
}

#[test]
fn a_sip_port_takes_no_commands_unless_that_was_asked_for() {
    // `transport` of the usual configuration has no bit 1.
    let mut server = Server::relay("");
    let answer = http(server.port, &post(r#"{"jsonrpc":"2.0","method":"core.kill","id":1}"#));
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
    server.assert_serves("a refused command");
}

#[test]
fn json_works_over_a_stream_socket_one_request_a_connection() {
    let port = free_port();
    let more = format!("modparam(\"jsonrpcs\", \"transport\", 14)\nmodparam(\"jsonrpcs\", \"tcp_socket\", \"tcp:127.0.0.1:{port}\")");
    let mut server = Server::with(&more, RELAY);
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(br#"{"jsonrpc":"2.0","method":"core.printi","params":[5,6],"id":"q"}"#).unwrap();
    let mut answer = String::new();
    // The end of the stream is the end of the answer.
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.split_whitespace().collect::<String>().contains(r#""result":[5,6],"id":"q""#), "{answer}");
    server.assert_serves("JSON over a stream");
}

#[test]
fn a_brace_left_open_in_the_fifo_costs_only_its_own_request() {
    if !is_installed("kamctl") {
        return;
    }
    let server = Server::relay("");
    let mut fifo = std::fs::OpenOptions::new().write(true).open(server.folder.path("rpc.fifo")).unwrap();
    fifo.write_all(b"{\"jsonrpc\": \"2.0\", \"params\": [{\n").unwrap();
    drop(fifo);
    let output = finish(Command::new("kamctl").env("RPCFIFOPATH", server.folder.path("rpc.fifo")).args(["rpc", "core.printi", "8"]));
    let answer = text(&output.stdout);
    assert!(answer.split_whitespace().collect::<String>().contains(r#""result":[8]"#), "{answer}");
    assert!(server.log().contains("FIFO request not answered: not finished"), "{}", server.log());
}

#[test]
fn an_answer_that_fits_into_no_datagram_is_an_error_at_once() {
    let (mut server, _, _) = with_doors();
    let value = "v".repeat(4_000);
    for number in 0..120 {
        server.ask_json("htable.sets", &format!("[\"limits\", \"key{number}\", \"{value}\"]")).unwrap();
    }
    let answer = server.ask_json("htable.dump", "[\"limits\"]").unwrap();
    assert!(answer.contains("too long for a datagram") && answer.contains("500"), "{answer}");
    server.assert_serves("a long answer");
}

#[test]
fn sockets_have_the_permissions_that_are_asked_for() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let more =
        "modparam(\"ctl\", \"mode\", 0640)\nmodparam(\"jsonrpcs\", \"fifo_mode\", 0606)\nmodparam(\"jsonrpcs\", \"fifo_group\", \"GROUP\")";
    // The group of the caller is the only one that may be given without being root.
    let own = std::fs::metadata("/proc/self").unwrap();
    let server = Server::relay(&more.replace("GROUP", &own.gid().to_string()));
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&server.control), 0o640);
    assert_eq!(mode(&server.folder.path("rpc.fifo")), 0o606);
    assert_eq!(std::fs::metadata(server.folder.path("rpc.fifo")).unwrap().gid(), own.gid());
}

#[test]
fn open_streams_and_control_connections_are_listed() {
    let mut server = Server::relay("");
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let peer = stream.local_addr().unwrap().port();
    let listed = |server: &mut Server, state: &str| {
        let answer = server.ask_json("core.tcp_list", "[]")?.split_whitespace().collect::<String>();
        (answer.contains(&format!(r#""src_port":{peer},"#)) && answer.contains(&format!(r#""state":"{state}""#))).then_some(())
    };
    until("the new connection in the list", || listed(&mut server, "CONN_ACCEPT"));
    stream.write_all(b"\r\n\r\n").unwrap();
    until("the connection that has spoken", || listed(&mut server, "CONN_OK"));
    let counted = server.ask_json("stats.get_statistics", "[\"tcp:\"]").unwrap();
    assert!(counted.contains("tcp:passive_open = 1") && counted.contains("tcp:current_opened_connections = 1"), "{counted}");
    drop(stream);
    until("the list without it", || (!server.ask_json("core.tcp_list", "[]")?.contains("CONN_OK")).then_some(()));
    let refused = server.ask_json("ctl.who", "[]").unwrap();
    assert!(refused.contains("606"), "{refused}");
    server.assert_serves("listing");
}

/// Bytes without meaning, the same in each run.
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 56) as u8
        })
        .collect()
}

/// Nonsense for a door: random, promising too much, cut in the middle, deep.
fn nonsense() -> Vec<Vec<u8>> {
    let mut found: Vec<Vec<u8>> = (1..40).map(|seed| noise(seed, usize::try_from(seed * 37).unwrap())).collect();
    for seed in 1..40 {
        let mut bytes = vec![0xa1, (noise(seed, 1)[0]) & 0x0f];
        bytes.extend(noise(seed + 100, 60));
        found.push(bytes);
    }
    let version = [&[0xa1, 0x01, 0x0f, 0x12, 0x34, 0x91, 0x0d][..], b"core.version\0"].concat();
    found.extend((1..version.len()).map(|length| version[..length].to_vec()));
    found.push(vec![0xa1, 0x0f, 0xff, 0xff, 0xff, 0xff, 1, 2, 3, 4, 0]);
    found.push(vec![0xa1, 0x01, 0x06, 0x12, 0x34, 0xc1, 0xff, 0xff, 0xff, 0xff, 0x41]);
    found.push([&[0xa1, 0x05, 0x10, 0x00, 0x12, 0x34][..], &[0x03; 4096]].concat());
    found.push([vec![b'['; 60_000]].concat());
    found.push(format!("{}1", "{\"a\":".repeat(10_000)).into_bytes());
    found.push(br#"{"jsonrpc":"2.0","method":5}"#.to_vec());
    found.push(br#"{"jsonrpc":"2.0","method":"core.echo","params":{"a":{"b":[1,{}]}},"id":{"x":1}}"#.to_vec());
    found.push(br#"{"jsonrpc":"2.0","method":"core.echo","reply_name":"../../etc/passwd"}"#.to_vec());
    found.push(b"{\"jsonrpc\":\"2.0\",\"method\":\"core.echo\",\"params\":[\"\xff\xfe\"]}".to_vec());
    found.push(b"\"".repeat(100));
    found.push(b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n".to_vec());
    found.push(b"POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\n{".to_vec());
    found.push([b"POST / HTTP/1.1\r\nX: ".to_vec(), vec![b'a'; 20_000]].concat());
    found
}

#[test]
fn nonsense_on_every_door_leaves_it_open_for_the_next_call() {
    let (mut server, port, http_port) = with_doors();
    let before = server.memory();
    let mut half = Vec::new();
    for bytes in nonsense() {
        let mut stream = UnixStream::connect(&server.control).unwrap();
        let _ = stream.write_all(&bytes);
        drop(stream);
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        let _ = stream.write_all(&bytes);
        // Some stay open in the middle of a request.
        if half.len() < 20 {
            half.push(stream);
        }
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let _ = socket.send_to(&bytes, ("127.0.0.1", port));
        let datagram = std::os::unix::net::UnixDatagram::unbound().unwrap();
        let _ = datagram.send_to(&bytes, server.folder.path("ctl_dgram"));
        let _ = datagram.send_to(&bytes, server.folder.path("rpc.sock"));
        for port in [http_port, server.port] {
            let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let _ = stream.write_all(&bytes);
        }
        let mut fifo = std::fs::OpenOptions::new().write(true).open(server.folder.path("rpc.fifo")).unwrap();
        let _ = fifo.write_all(&bytes);
        server.assert_serves("nonsense");
    }
    let request = post(r#"{"jsonrpc":"2.0","method":"core.uptime","id":1}"#);
    for port in [http_port, server.port] {
        assert!(http(port, &request).contains("up_since"));
    }
    // What a caller left half written in the FIFO ends with the next line.
    let fifo = server.folder.path("rpc.fifo");
    let reply = server.folder.path("none");
    until("the FIFO to read again", || std::fs::OpenOptions::new().write(true).open(&fifo).ok()?.write_all(b"\n").ok());
    assert!(!reply.exists());
    if is_installed("kamcmd") {
        let folder = path_text(&server.folder.0);
        for door in [
            format!("unixs:{folder}/ctl"),
            format!("unixd:{folder}/ctl_dgram"),
            format!("tcp:127.0.0.1:{port}"),
            format!("udp:127.0.0.1:{port}"),
        ] {
            let output = server.kamcmd(&door, &["core.uptime"]);
            assert!(text(&output.stdout).contains("up_since"), "{door}: {}{}", text(&output.stdout), text(&output.stderr));
        }
    }
    if is_installed("kamctl") {
        let output = finish(Command::new("kamctl").env("RPCFIFOPATH", &fifo).args(["rpc", "core.uptime"]));
        assert!(text(&output.stdout).contains("up_since"), "the FIFO after nonsense: {}", text(&output.stdout));
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 65_536, "{grown} kB");
}

#[test]
fn a_caller_who_reads_nothing_holds_up_nobody_else() {
    let mut server = Server::relay("");
    let request = [&[0xa1, 0x01, 0x15, 0x12, 0x34, 0x91, 0x13][..], b"system.listMethods\0"].concat();
    let mut lazy = UnixStream::connect(&server.control).unwrap();
    lazy.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    for _ in 0..2_000 {
        if lazy.write_all(&request).is_err() {
            break;
        }
    }
    server.assert_serves("a caller who reads nothing");
    let mut slow = UnixStream::connect(&server.control).unwrap();
    slow.set_read_timeout(Some(PATIENCE)).unwrap();
    for byte in request {
        slow.write_all(&[byte]).unwrap();
        std::thread::park_timeout(Duration::from_millis(2));
    }
    let mut head = [0; 2];
    slow.read_exact(&mut head).unwrap();
    assert_eq!(head[0], 0xa1);
}

#[test]
fn more_control_connections_than_allowed_are_closed_and_later_ones_served_again() {
    let mut server = Server::relay("");
    let many: Vec<UnixStream> = (0..100).map(|_| UnixStream::connect(&server.control).unwrap()).collect();
    server.assert_serves("a hundred control connections");
    drop(many);
    let request = [&[0xa1, 0x01, 0x0f, 0x12, 0x34, 0x91, 0x0d][..], b"core.version\0"].concat();
    until("a connection that is served", || {
        let mut stream = UnixStream::connect(&server.control).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(1))).ok()?;
        stream.write_all(&request).ok()?;
        let mut head = [0; 2];
        stream.read_exact(&mut head).ok()
    });
}

#[test]
fn a_control_socket_for_other_machines_needs_permission() {
    let folder = Folder::new();
    let (port, control) = (free_port(), free_port());
    let listen = format!("listen = udp:127.0.0.1:{port}\n");
    for scheme in ["tcp", "udp"] {
        let more = format!("modparam(\"ctl\", \"binrpc\", \"{scheme}:0.0.0.0:{control}\")");
        let file = folder.write("remote.cfg", &configuration(&folder, port, &listen, &more, RELAY));
        let output = finish(duolog().args(["-DD", "-E", "-f"]).arg(file));
        assert_eq!(output.status.code(), Some(255));
        assert!(text(&output.stderr).contains("allow_remote"), "{}", text(&output.stderr));
    }
    let more = format!("modparam(\"ctl\", \"binrpc\", \"tcp:0.0.0.0:{control}\")\nmodparam(\"ctl\", \"allow_remote\", 1)");
    let mut server = Server::start(port, &listen, &more, RELAY, |_| {});
    TcpStream::connect(("127.0.0.1", control)).unwrap();
    server.assert_serves("a permitted remote socket");
}

#[test]
fn idle_http_connections_beyond_the_bound_are_closed_and_later_ones_served_again() {
    let (mut server, _, port) = with_doors();
    let many: Vec<TcpStream> = (0..100).map(|_| TcpStream::connect(("127.0.0.1", port)).unwrap()).collect();
    until("the refusal in the log", || server.log().contains("too many HTTP control connections").then_some(()));
    drop(many);
    let request = post(r#"{"jsonrpc":"2.0","method":"core.uptime","id":1}"#);
    until("a connection that is served", || http(port, &request).contains("up_since").then_some(()));
    server.assert_serves("a hundred HTTP connections");
}
