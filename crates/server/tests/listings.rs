//! Listings of many calls through every control door, whole, in parts and into files.

mod support;

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::process::Command;

use support::sip::{Call, Dialog, Party, header, headers, reply};
use support::{PATIENCE, RELAY, Server, free_port, is_installed, path_text, text, until};

/// Calls that are up in these tests: more than a datagram carries, and more than `kamcmd` takes at once.
const CALLS: usize = 600;

/// A server whose calls ring at somebody who never answers, and the ports of JSON over TCP and HTTP.
fn with_calls(more: &str) -> (Server, u16, u16) {
    let (stream, http) = (free_port(), free_port());
    let doors = format!(
        "modparam(\"jsonrpcs\", \"transport\", 0)\nmodparam(\"jsonrpcs\", \"tcp_socket\", \"tcp:127.0.0.1:{stream}\")\n\
         modparam(\"jsonrpcs\", \"http_address\", \"127.0.0.1:{http}\")\nmodparam(\"jsonrpcs\", \"fifo_reply_dir\", \"FOLDER\")\n\
         modparam(\"jsonrpcs\", \"pretty_format\", 0)\n{more}"
    );
    let server = Server::with(&doors, RELAY);
    let callee = UdpSocket::bind("127.0.0.1:0").unwrap();
    let uri = format!("sip:bob@{}", callee.local_addr().unwrap());
    let mut caller = Party::udp("127.0.0.1:0", format!("127.0.0.1:{}", server.port).parse().unwrap());
    for number in 0..CALLS {
        let invite = Call::new(&format!("call{number}"), &uri).request(&caller, "INVITE", 1, &uri, "");
        caller.send(&invite);
        // One after the other: a burst would not fit into the socket's buffer.
        caller.expect("SIP/2.0 100");
    }
    until("all calls", || server.ask_json("dlg.stats_active", "[]")?.contains(&format!("\"all\":{CALLS}")).then_some(()));
    (server, stream, http)
}

/// The dialogs of an answer in JSON, in order.
fn dialogs(answer: &str) -> Vec<(u32, u32)> {
    let number = |text: &str| text.split([',', '}']).next().and_then(|digits| digits.parse::<u32>().ok());
    let parts = answer.split("{\"h_entry\":").skip(1);
    parts.map(|part| (number(part).unwrap(), part.split("\"h_id\":").nth(1).and_then(number).unwrap())).collect()
}

fn assert_whole(answer: &str, door: &str) {
    let listed = dialogs(answer);
    assert_eq!(listed.len(), CALLS, "{door}");
    assert!(listed.windows(2).all(|pair| pair[0] < pair[1]), "{door}: each once, in the order of numbers");
    let has_ends = answer.starts_with("{\"jsonrpc\":\"2.0\",\"result\":[{") && answer.ends_with("],\"id\":1}");
    assert!(has_ends, "{door}: no whole JSON answer");
}

const LIST: &str = r#"{"jsonrpc":"2.0","method":"dlg.list","id":1}"#;

fn over_http(port: u16, version: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    write!(stream, "POST /RPC HTTP/{version}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{LIST}", LIST.len()).unwrap();
    let mut answer = Vec::new();
    let mut chunk = [0_u8; 4096];
    // A SIP port keeps the connection and tells the length.
    let is_whole = |answer: &[u8]| {
        let text = String::from_utf8_lossy(answer);
        let length = text.split("Content-Length: ").nth(1).and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
        length.zip(text.find("\r\n\r\n")).is_some_and(|(length, head)| answer.len() >= head + 4 + length)
    };
    while !is_whole(&answer) {
        match stream.read(&mut chunk).unwrap() {
            0 => break,
            count => answer.extend_from_slice(&chunk[..count]),
        }
    }
    text(&answer)
}

/// The text of a chunked body, and the size of its largest chunk.
fn joined(mut body: &str) -> (String, usize) {
    let (mut out, mut largest) = (String::new(), 0);
    loop {
        let (size, rest) = body.split_once("\r\n").expect("a chunk's size");
        let size = usize::from_str_radix(size, 16).expect("hexadecimal digits");
        let (chunk, rest) = rest.split_at(size);
        out.push_str(chunk);
        largest = largest.max(size);
        body = rest.strip_prefix("\r\n").expect("a chunk's end");
        if size == 0 {
            assert!(body.is_empty());
            return (out, largest);
        }
    }
}

#[test]
fn every_stream_carries_all_calls() {
    let (server, stream, http) = with_calls("");
    let answer = over_http(http, "1.1");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Transfer-Encoding: chunked") && !head.contains("Content-Length"), "{head}");
    let (body, largest) = joined(body);
    assert_whole(&body, "HTTP/1.1");
    assert!(largest < body.len() / 4, "the answer comes in pieces");
    let answer = over_http(http, "1.0");
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(!head.contains("chunked"), "{head}");
    assert_whole(body, "HTTP/1.0");
    let answer = over_http(server.port, "1.1").replace(['\t', '\n'], "");
    assert_eq!(dialogs(&answer).len(), CALLS, "HTTP on the SIP port");

    let mut json = TcpStream::connect(("127.0.0.1", stream)).unwrap();
    json.set_read_timeout(Some(PATIENCE)).unwrap();
    json.write_all(LIST.as_bytes()).unwrap();
    let mut answer = String::new();
    json.read_to_string(&mut answer).unwrap();
    assert_whole(&answer, "JSON over TCP");

    let reply = server.folder.path("reply");
    assert!(Command::new("mkfifo").arg(&reply).status().unwrap().success());
    let reader = std::thread::spawn(move || fs::read_to_string(reply).unwrap());
    let mut fifo = OpenOptions::new().write(true).open(server.folder.path("rpc.fifo")).unwrap();
    fifo.write_all(LIST.replace("}", ",\"reply_name\":\"reply\"}").as_bytes()).unwrap();
    assert_whole(&reader.join().unwrap(), "FIFO");

    let mut binrpc = UnixStream::connect(&server.control).unwrap();
    binrpc.set_read_timeout(Some(PATIENCE)).unwrap();
    binrpc.write_all(&[&[0xa1, 0x00, 11, 1, 0x91, 9][..], b"dlg.list\0"].concat()).unwrap();
    let mut head = [0_u8; 6];
    binrpc.read_exact(&mut head).unwrap();
    assert_eq!(head[1], 0x18, "a reply with three bytes of length and one of cookie");
    let length = usize::from(head[2]) << 16 | usize::from(head[3]) << 8 | usize::from(head[4]);
    let mut body = vec![0; length];
    binrpc.read_exact(&mut body).unwrap();
    assert_eq!(body.windows(8).filter(|window| window == b"h_entry\0").count(), CALLS, "BINRPC");
    binrpc.write_all(&[&[0xa1, 0x00, 15, 1, 0x91, 13][..], b"core.version\0"].concat()).unwrap();
    let mut next = [0_u8; 2];
    binrpc.read_exact(&mut next).unwrap();
    assert_eq!(next, [0xa1, 0x10], "the connection goes on with the next answer");
}

#[test]
fn a_door_that_cannot_carry_all_calls_says_how_to_get_them() {
    let (server, ..) = with_calls("");
    let refused = server.ask_json("dlg.list", "[]").unwrap();
    assert!(refused.contains("\"error\"") && refused.contains("limit NUMBER after H_ENTRY:H_ID"), "{refused}");
    let mut met = Vec::new();
    let mut after = String::new();
    loop {
        let page = server.ask_json("dlg.list", &format!("{{\"limit\":50{after}}}")).unwrap();
        let page = dialogs(&page);
        assert!(page.len() <= 50);
        let Some((entry, id)) = page.last() else { break };
        after = format!(",\"after\":\"{entry}:{id}\"");
        met.extend(page);
        assert!(met.len() <= CALLS);
    }
    assert_eq!(met.len(), CALLS);
    assert_eq!(met.iter().collect::<BTreeSet<_>>().len(), CALLS, "each call once");
    if is_installed("kamcmd") {
        let door = format!("unixs:{}", path_text(&server.control));
        let said = text(&server.kamcmd(&door, &["dlg.list", "limit", "70", "after", &format!("{}:{}", met[9].0, met[9].1)]).stdout);
        let entries: Vec<u32> = said.lines().filter_map(|line| line.trim().strip_prefix("h_entry: ")?.parse().ok()).collect();
        assert_eq!(entries, met[10..80].iter().map(|(entry, _)| *entry).collect::<Vec<u32>>());
    }
}

#[test]
fn calls_are_dumped_into_files_of_one_folder_only() {
    let (mut server, ..) = with_calls("modparam(\"dialog\", \"dump_directory\", \"FOLDER/dumps\")\n");
    let folder = server.folder.path("dumps");
    let dump = |server: &Server, path: &str| server.ask_json("dlg.dump_file", &format!("[\"{path}\"]")).unwrap();
    let missing = dump(&server, "calls");
    assert!(missing.contains("\"code\":500") && missing.contains("dumps/calls was not written"), "{missing}");
    fs::create_dir(&folder).unwrap();
    for path in ["calls".to_owned(), path_text(&folder.join("calls"))] {
        assert_eq!(dump(&server, &path), r#"{"jsonrpc":"2.0","result":{},"id":1}"#);
    }
    let written = fs::read_to_string(folder.join("calls")).unwrap();
    assert_eq!(written.lines().count(), 2 * CALLS, "appended");
    // The line as Kamailio 5.6.3 writes it.
    let names = [
        "h_entry",
        "h_id",
        "ref",
        "call_id",
        "from_uri",
        "to_uri",
        "state",
        "start_ts",
        "init_ts",
        "end_ts",
        "timeout",
        "lifetime",
        "dflags",
        "sflags",
        "iflags",
        "caller",
        "tag",
        "contact",
        "cseq",
        "route_set",
        "socket",
        "callee",
        "tag",
        "contact",
        "cseq",
        "route_set",
        "socket",
        "profiles",
        "variables",
    ];
    let line = written.lines().next().unwrap();
    let found: Vec<&str> =
        line.split('"').zip(line.split('"').skip(1)).filter(|(_, next)| next.starts_with(':')).map(|(name, _)| name).collect();
    assert_eq!(found, names);
    assert!(
        line.contains(r#""callee":{"tag":"","contact":"","cseq":"","route_set":"","socket":""},"profiles":{},"variables":{}}"#),
        "{line}"
    );
    std::os::unix::fs::symlink(server.folder.path("outside"), folder.join("link")).unwrap();
    for path in ["../outside", "/etc/outside", "inner/outside", "..", ".", "", "link"] {
        let refused = dump(&server, path);
        assert!(refused.contains("\"error\""), "{path}: {refused}");
    }
    assert!(!server.folder.path("outside").exists());
    server.assert_serves("dumps");
}

#[test]
fn kamcmd_ends_a_call_by_its_numbers_with_a_header_in_both_byes() {
    if !is_installed("kamcmd") {
        return;
    }
    let server = Server::relay("");
    let proxy = format!("127.0.0.1:{}", server.port).parse().unwrap();
    let (mut caller, mut callee) = (Party::udp("127.0.0.1:0", proxy), Party::udp("127.0.0.1:0", proxy));
    let uri = format!("sip:bob@{}", callee.address());
    let call = Call::new("numbers", &uri);
    let invite = call.request(&caller, "INVITE", 1, &uri, "");
    caller.send(&invite);
    let arrived = callee.expect("INVITE ");
    callee.send(&reply(&arrived, &callee, "200 OK", "bob"));
    let answer = caller.expect("SIP/2.0 200");
    let routes = headers(&answer, "Record-Route");
    let ack = call.request_within(&caller, "ACK", 1, &Dialog { target: &uri, remote_tag: "bob", routes: &routes }, "");
    caller.send(&ack);
    callee.expect("ACK ");

    let door = format!("unixs:{}", path_text(&server.control));
    let said = |words: &[&str]| text(&server.kamcmd(&door, words).stdout);
    let listed = said(&["dlg.list"]);
    let number = |name: &str| listed.lines().find_map(|line| line.trim().strip_prefix(name)).unwrap().to_owned();
    let (entry, id) = (number("h_entry: "), number("h_id: "));
    assert_eq!(said(&["dlg.end_dlg", &entry, "4000000000", "X-Why: kamcmd"]), "error: 404 - Dialog not found\n");
    assert_eq!(said(&["dlg.end_dlg", &entry, &id, "X-Why: kamcmd"]), "");
    for party in [&mut caller, &mut callee] {
        let bye = party.expect("BYE ");
        assert_eq!(header(&bye, "X-Why").as_deref(), Some("kamcmd"), "{bye}");
        party.send(&reply(&bye, party, "200 OK", ""));
    }
    until("the end", || said(&["dlg.stats_active"]).contains("all: 0").then_some(()));
}

#[test]
fn no_file_is_written_unless_a_folder_is_configured() {
    let server = Server::relay("");
    let refused = server.ask_json("dlg.dump_file", "[\"/tmp/calls\"]").unwrap();
    assert!(refused.contains("dump_directory") && refused.contains("500"), "{refused}");
}
