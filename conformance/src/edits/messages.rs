//! The messages that are edited: compact and folded headers, lists, repeated headers, bodies of several kinds.

use super::random::Random;

const METHODS: [&str; 6] = ["OPTIONS", "MESSAGE", "INFO", "PUBLISH", "SUBSCRIBE", "NOTIFY"];

const URIS: [&str; 11] = [
    "sip:bob@example.com",
    "sip:bob@example.com;transport=udp",
    "sip:+4912345@example.com;foo=bar;lr",
    "sip:bob:pw@10.1.2.3:5099;ttl=3",
    "sip:example.com",
    "sip:bob@example.com:5080;lr;alias=10.9.8.7~5060~1",
    "sip:00431555@example.org;gr=urn:abc",
    "sips:bob@example.com",
    "tel:+49-123.45;ext=5",
    "sip:bob%40home@example.com;a;b=e;c=d",
    "sip:tel*user@10.0.0.7",
];

/// Lines put in at random places; a list of alternatives for each kind of header.
const HEADERS: [&[&str]; 18] = [
    &["X-A: one, two\r\n", "x-a: a1\r\nX-A: a2,a3 ,\"q,q\";p=1\r\n", "X-A:one\r\nX-B: between\r\nX-A:  two  \r\n"],
    &["X-B: b1;p=1;q=\"x y\", b2\r\n", "X-B : spaced\r\n", "X-B: fold\r\n one\r\n\ttwo\r\n", "X-B: b1\r\nX-B: b2\r\nX-B: b3\r\n"],
    &["X-Cat: cat cat CAT\r\n", "X-Cat: alice bob\r\nX-Dog: dog\r\n"],
    &["Subject: hello alice\r\n", "s: short\r\n", "Subject:\r\n folded subject\r\n"],
    &[
        "Contact: <sip:alice@10.0.0.1:5070;transport=udp>;expires=60\r\n",
        "m: \"A, B\" <sip:alice@10.0.0.1>, <sip:a2@10.0.0.2;x=y>;q=0.5\r\n",
        "Contact: sip:alice@10.0.0.1;alias=10.9.8.7~5060~1\r\n",
        "Contact: *\r\n",
        "Contact: <sip:enc*carol*10.0.0.9*5090*udp@10.0.0.7>\r\n",
    ],
    &["Route: <sip:10.4.4.4;lr>, <sip:10.5.5.5;lr>\r\n", "Route: <sip:10.4.4.4>\r\n"],
    &["Record-Route: <sip:10.6.6.6;lr>\r\n", "Record-Route: <sip:10.6.6.6;lr;ftag=tag-alice>,<sip:10.7.7.7;lr>\r\n"],
    &["Supported: 100rel, timer\r\n", "k: path,gruu\r\n", "Supported: 100rel\r\nk: outbound\r\n"],
    &["Allow: INVITE, ACK,BYE\r\n", "Allow: INVITE\r\nAllow: BYE, CANCEL\r\n"],
    &["Require: 100rel\r\n", "Proxy-Require: foo\r\n"],
    &["Date: Sat, 13 Nov 2010 23:29:00 GMT\r\n", "Date: junk\r\n"],
    &["User-Agent: Phone 1.0 (x)\r\n", "Server: S\r\n"],
    &["Privacy: id;header\r\n", "Privacy: none\r\n", "Privacy: user; session ;critical\r\n"],
    &["P-Asserted-Identity: \"A\" <sip:alice@example.com>, <tel:+4912345>\r\n"],
    &["Remote-Party-ID: \"A\" <sip:+4912345@example.com>;party=calling\r\n", "Remote-Party-ID: <sip:alice@example.com>\r\n"],
    &[
        "P-Charging-Vector: icid-value=\"abc\";icid-generated-at=10.0.0.1;orig-ioi=home1.net;term-ioi=home2.net\r\n",
        "P-Charging-Vector: icid-value=xyz\r\n",
    ],
    &["Accept: application/sdp, text/plain\r\n", "Accept: */*;q=0.1\r\n"],
    &[
        "Authorization: Digest username=\"alice@example.com\", realm=\"r\", nonce=\"n\", uri=\"sip:r\", response=\"0123456789abcdef0123456789abcdef\"\r\n",
    ],
];

const BODIES: [(&str, &str); 9] = [
    (
        "application/sdp",
        "v=0\r\no=alice 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=sendonly\r\n",
    ),
    (
        "application/sdp",
        "v=0\r\no=alice 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 0.0.0.0\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 31\r\na=inactive\r\n",
    ),
    ("text/plain", "hello alice, hello bob\r\nsecond line\r\n\r\nlast line without end"),
    ("text/plain", "one\ntwo\nthree\n"),
    ("TEXT/Plain", "x\r\n"),
    ("application/xml+x", "<a>alice</a>\r\n"),
    (
        "multipart/mixed;boundary=\"cut\"",
        "--cut\r\nContent-Type: application/sdp\r\n\r\nv=0\r\ns=alice\r\n\r\n--cut\r\nContent-Type: text/plain\r\nContent-ID: <2@x>\r\n\r\nhello alice\r\n--cut--\r\n",
    ),
    (
        "multipart/mixed;boundary=cut",
        "preamble\r\n--cut\r\nContent-Type: text/plain\r\n\r\nhello\r\n--cut\r\nContent-Type: application/isup;version=x\r\nContent-Disposition: signal\r\n\r\n\u{1}\u{2}bytes\r\n--cut--\r\n",
    ),
    ("application/octet-stream", "\u{0}\u{1}\u{2}\r\n"),
];

/// Header lines and body that a request and a reply may both have.
struct Rest {
    lines: Vec<String>,
    body: String,
}

fn rest(random: &mut Random) -> Rest {
    let mut lines = Vec::new();
    for alternatives in HEADERS {
        if random.one_in(3) {
            lines.push(random.choose(alternatives).to_owned());
        }
    }
    let mut body = String::new();
    if random.one_in(2) {
        let (kind, text) = BODIES[random.below(BODIES.len())];
        body = text.to_owned();
        lines.push(format!("{}: {kind}\r\n", random.choose(&["Content-Type", "c", "Content-type"])));
    }
    if !random.one_in(6) || !body.is_empty() {
        lines.push(format!("{}: {}\r\n", random.choose(&["Content-Length", "l", "Content-Length ", "CONTENT-LENGTH"]), body.len()));
    }
    Rest { lines, body }
}

/// Lines in an order of chance; the ones given first keep their order among themselves.
fn shuffled(random: &mut Random, mut fixed: Vec<String>, others: Vec<String>) -> String {
    for line in others {
        let at = if random.one_in(2) { fixed.len() } else { random.below(fixed.len()) + 1 };
        fixed.insert(at.min(fixed.len()), line);
    }
    fixed.concat()
}

/// A request from alice, with marks for addresses; `call` makes its identifiers unique.
pub fn request(random: &mut Random, case: usize, call: &str) -> String {
    let method = random.choose(&METHODS);
    let uri = random.choose(&URIS);
    let via = random.choose(&["Via: SIP/2.0/UDP @ALICE@", "v: SIP/2.0/UDP @ALICE@;rport", "Via : SIP/2.0/UDP @ALICE@;foo=bar;rport"]);
    let second = random.choose(&[
        "",
        "",
        "",
        ", SIP/2.0/TCP 10.3.3.3:5063;branch=z9hG4bKx;received=10.2.2.2",
        "\r\nVia: SIP/2.0/TCP 10.3.3.3;branch=z9hG4bKx",
    ]);
    let tag = if random.one_in(3) { ";tag=tag-bob" } else { "" };
    let fixed = vec![
        format!("{via};branch=z9hG4bK-{call}{second}\r\n"),
        random
            .choose(&[
                "From: <sip:alice@example.com>;tag=tag-alice\r\n",
                "f: \"Al \\\"Ice\" <sip:alice@example.com:5061;x=y>;tag=tag-alice;y=z\r\n",
                "From: sip:alice@example.com;tag=tag-alice\r\n",
            ])
            .to_owned(),
        format!("{}<sip:bob@example.com>{tag}\r\n", random.choose(&["To: ", "t:", "To:\r\n ", "to: Bob "])),
        format!("{}: {call}\r\n", random.choose(&["Call-ID", "i", "call-id"])),
        format!("CSeq: {} {method}\r\n", random.choose(&["1", "07", "2147483646"])),
    ];
    let mut rest = rest(random);
    rest.lines.push(format!("X-Case: {case}\r\n"));
    if !random.one_in(4) {
        rest.lines.push(format!("Max-Forwards: {}\r\n", random.choose(&["70", "1", "0", "255", "10"])));
    }
    let head = shuffled(random, fixed, rest.lines);
    format!("{method} {uri} SIP/2.0\r\n{head}\r\n{}", rest.body)
}

/// What bob adds to his reply: status line, header lines and body. The lines of the request that every reply has come between.
pub struct ReplyParts {
    pub status: &'static str,
    lines: Vec<String>,
    body: String,
    random: Random,
}

/// A reply of bob's, to be completed with what came from the request.
pub fn reply(mut random: Random, is_failure: bool, case: usize) -> ReplyParts {
    let status = if is_failure {
        random.choose(&["486 Busy Here", "404 Not Found", "503 "])
    } else {
        random.choose(&["200 OK", "202 Accepted", "299 Fine, ok"])
    };
    let Rest { mut lines, body } = rest(&mut random);
    lines.push(format!("X-Case: {case}\r\n"));
    ReplyParts { status, lines, body, random }
}

impl ReplyParts {
    /// The reply, with the Via, From, To, Call-ID and CSeq lines of the request.
    pub fn complete(mut self, copied: Vec<String>) -> String {
        let head = shuffled(&mut self.random, copied, self.lines);
        format!("SIP/2.0 {}\r\n{head}\r\n{}", self.status, self.body)
    }
}
