//! The verdict on every message of RFC 4475, RFC 5118 and the hostile set, and what damage to each of them does.

use sip::{Edits, Frame, FrameError, Framer, HeaderId, Limits, Message, ParseError, ReplyHead, ReplyParts, RequestHead};
use std::path::{Path, PathBuf};

/// What happens to an input before any script sees it.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Verdict {
    /// Parsed, and everything a message must carry is there.
    In,
    /// As `In`, but the headers have no empty line behind them: a script sees it, relaying must refuse it.
    InUnterminated,
    /// Refused by `Message::parse`.
    NotParsed,
    /// Refused by `Message::check_required`.
    Missing(HeaderId),
    Duplicate(HeaderId),
    Malformed(HeaderId),
}

fn verdict(bytes: &[u8]) -> Verdict {
    let Ok(message) = Message::from_bytes(bytes) else {
        return Verdict::NotParsed;
    };
    match message.check_required() {
        Ok(()) if message.is_head_terminated() => Verdict::In,
        Ok(()) => Verdict::InUnterminated,
        Err(ParseError::Missing(id)) => Verdict::Missing(id),
        Err(ParseError::Duplicate(id)) => Verdict::Duplicate(id),
        Err(ParseError::Malformed(id)) => Verdict::Malformed(id),
        Err(other) => panic!("check_required gave {other:?}"),
    }
}

/// Those that are not `In`.
const RFC4475: &[(&str, Verdict)] = &[
    ("badinv01", Verdict::Malformed(HeaderId::Via)),
    ("badvers", Verdict::NotParsed),
    ("bigcode", Verdict::NotParsed),
    ("lwsruri", Verdict::NotParsed),
    ("lwsstart", Verdict::NotParsed),
    ("test", Verdict::NotParsed),
    ("quotbal", Verdict::Malformed(HeaderId::To)),
    ("insuf", Verdict::Missing(HeaderId::From)),
    ("multi01", Verdict::Duplicate(HeaderId::From)),
    ("baddn", Verdict::InUnterminated),
];

/// Those that are not `In`. Two examples of the standard's archive lack their empty line.
const RFC5118: &[(&str, Verdict)] =
    &[("ipv6-bug-abnf-3-colons", Verdict::InUnterminated), ("ipv6-correct-abnf-2-colons", Verdict::InUnterminated)];

/// Datagrams of the hostile set that are not `In`.
const HOSTILE: &[(&str, Verdict)] = &[
    ("callid-60k", Verdict::NotParsed),
    ("callid-missing", Verdict::Missing(HeaderId::CallId)),
    ("commas-x20000", Verdict::NotParsed),
    ("dup-headers-long-tag", Verdict::Duplicate(HeaderId::From)),
    ("four-nul", Verdict::NotParsed),
    ("hname-60k", Verdict::NotParsed),
    ("hval-50k", Verdict::NotParsed),
    ("no-eoh", Verdict::InUnterminated),
    ("nul-before-eoh", Verdict::NotParsed),
    ("one-byte", Verdict::NotParsed),
    ("only-crlf", Verdict::NotParsed),
    ("params-x5000", Verdict::NotParsed),
    ("quotes-x10000", Verdict::NotParsed),
    ("route-x500", Verdict::NotParsed),
    ("rpc-cut", Verdict::NotParsed),
    ("rr-x500", Verdict::NotParsed),
    ("to-quote-open", Verdict::Malformed(HeaderId::To)),
    ("to-twice-empty-tag", Verdict::Duplicate(HeaderId::To)),
    ("via-bracket", Verdict::Malformed(HeaderId::Via)),
    ("via-ctl", Verdict::Malformed(HeaderId::Via)),
    ("via-empty", Verdict::Malformed(HeaderId::Via)),
    ("via-x500", Verdict::NotParsed),
];

/// Streams of the hostile set: what the framer says; `None` is a whole HTTP message.
const HOSTILE_STREAMS: &[(&str, Option<FrameError>)] = &[
    ("cl-u32-wrap-zero-tcp", Some(FrameError::BadContentLength)),
    ("cl-u32-wrap-small-tcp", Some(FrameError::BadContentLength)),
    ("cl-minus-ten-tcp", Some(FrameError::BodyTooLarge { bytes: 4_294_967_286 })),
    ("cl-int-max-tcp", Some(FrameError::BodyTooLarge { bytes: 2_147_483_647 })),
    ("cl-twice-tcp", Some(FrameError::ContentLengthsDiffer)),
    ("cl-none-tcp", Some(FrameError::NoContentLength)),
    ("http-get-tcp", None),
    ("ws-bad-origin-tcp", None),
    ("msrp-first-line-tcp", Some(FrameError::UnknownProtocol)),
];

fn hostile() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile")
}

/// The shared sets are not part of the repository; tests pass without them.
fn shared(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpora").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    println!("corpus {name} is not here, skipped");
    None
}

/// Name without extension and bytes of every input in a folder, sorted.
fn inputs(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut inputs: Vec<_> = std::fs::read_dir(folder)
        .expect("the corpus folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_none_or(|extension| extension == "dat"))
        .filter(|path| path.file_name().is_some_and(|name| name != "SHA256SUMS"))
        .map(|path| {
            let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("an input"))
        })
        .collect();
    inputs.sort();
    inputs
}

fn all_inputs() -> Vec<(String, Vec<u8>)> {
    let mut all = inputs(&hostile());
    for name in ["rfc4475", "rfc5118", "rfc5118-wire"] {
        all.extend(shared(name).map(|folder| inputs(&folder)).unwrap_or_default());
    }
    all
}

fn check_verdicts(inputs: &[(String, Vec<u8>)], exceptions: &[(&str, Verdict)]) {
    for (name, _) in exceptions {
        assert!(inputs.iter().any(|(input, _)| input == name), "no input {name}");
    }
    for (name, bytes) in inputs {
        let expected = exceptions.iter().find(|(known, _)| known == name).map_or(Verdict::In, |(_, verdict)| *verdict);
        assert_eq!(verdict(bytes), expected, "{name}");
    }
}

#[test]
fn rfc_4475_messages_have_their_verdicts() {
    let Some(folder) = shared("rfc4475") else {
        return;
    };
    let inputs = inputs(&folder);
    assert_eq!(inputs.len(), 50);
    check_verdicts(&inputs, RFC4475);
}

#[test]
fn only_messages_with_an_end_and_one_readable_length_are_relayable() {
    let Some(folder) = shared("rfc4475") else { return };
    for (name, bytes) in inputs(&folder) {
        let Ok(message) = Message::from_bytes(&bytes) else { continue };
        let expected = match name.as_str() {
            "baddn" => Err(ParseError::HeadUnterminated),
            "ncl" => Err(ParseError::Malformed(HeaderId::ContentLength)),
            "mcl01" => Err(ParseError::Duplicate(HeaderId::ContentLength)),
            _ => Ok(()),
        };
        assert_eq!(message.check_relayable(), expected, "{name}");
    }
}

#[test]
fn rfc_5118_messages_have_their_verdicts_with_either_line_end() {
    for name in ["rfc5118", "rfc5118-wire"] {
        let Some(folder) = shared(name) else { return };
        let inputs = inputs(&folder);
        assert_eq!(inputs.len(), 12);
        check_verdicts(&inputs, RFC5118);
    }
}

#[test]
fn hostile_datagrams_have_their_verdicts() {
    let inputs: Vec<_> = inputs(&hostile()).into_iter().filter(|(name, _)| !name.ends_with("-tcp")).collect();
    assert_eq!(inputs.len(), 60);
    check_verdicts(&inputs, HOSTILE);
}

#[test]
fn hostile_streams_have_their_verdicts_and_nothing_is_smuggled() {
    let inputs: Vec<_> = inputs(&hostile()).into_iter().filter(|(name, _)| name.ends_with("-tcp")).collect();
    assert_eq!(inputs.len(), HOSTILE_STREAMS.len());
    for (name, bytes) in inputs {
        let (_, expected) = HOSTILE_STREAMS.iter().find(|(known, _)| *known == name).expect(&name);
        let mut framer = Framer::new();
        framer.push(&bytes);
        match (framer.next(), expected) {
            (Ok(Some(Frame::Http(whole))), None) => assert_eq!(whole, bytes, "{name}"),
            (Err(error), Some(wanted)) => assert_eq!(error, *wanted, "{name}"),
            (other, _) => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn the_manifest_names_every_hostile_input_with_its_size() {
    let manifest = std::fs::read_to_string(hostile().join("MANIFEST.tsv")).expect("the manifest");
    let inputs = inputs(&hostile());
    assert_eq!(manifest.lines().count(), inputs.len());
    for line in manifest.lines() {
        let mut columns = line.split('\t');
        let (name, _transport, size) = (columns.next(), columns.next(), columns.next());
        let input = inputs.iter().find(|(known, _)| Some(known.as_str()) == name).expect(line);
        assert_eq!(Some(input.1.len().to_string().as_str()), size, "{line}");
    }
}

#[test]
fn the_tortuous_invite_is_read_in_full() {
    let Some(folder) = shared("rfc4475") else {
        return;
    };
    let bytes = std::fs::read(folder.join("wsinv.dat")).expect("wsinv");
    let message = Message::from_bytes(&bytes).expect("a message");
    assert_eq!(message.from_tag(), b"98asjd8");
    assert_eq!(message.to_tag(), b"1918181833n");
    assert_eq!(message.call_id(), b"wsinv.ndaksdj@192.0.2.1");
    assert_eq!(message.max_forwards(), Some(68));
    let cseq = message.cseq().expect("a cseq");
    assert_eq!((cseq.number, cseq.method), (9, sip::Method::Invite));
    let vias: Vec<_> = message.vias().map(|via| (via.transport.to_vec(), via.host.to_vec(), via.branch.to_vec())).collect();
    assert_eq!(vias.len(), 3);
    assert_eq!(vias[0], (b"UDP".to_vec(), b"192.0.2.2".to_vec(), b"390skdjuw".to_vec()));
    assert_eq!(vias[1], (b"TCP".to_vec(), b"spindle.example.com".to_vec(), b"z9hG4bK9ikj8".to_vec()));
    assert_eq!(vias[2], (b"UDP".to_vec(), b"192.168.255.111".to_vec(), b"z9hG4bK30239".to_vec()));
    assert_eq!(message.content_length(), Some(150));
    assert_eq!(message.routes().next().expect("a route").address.uri, b"sip:services.example.com;lr;unknownwith=value;unknown-no-value");
}

/// Calls everything that reads a message, so that a panic anywhere is found.
fn read_everything(message: &Message) -> usize {
    let mut seen = message.vias().count() + message.routes().count() + message.record_routes().count();
    seen += message.contacts().map(|contact| contact.tag().len() + contact.params.len()).sum::<usize>();
    seen += message.from_tag().len() + message.to_tag().len() + message.call_id().len() + message.method_text().len();
    seen += message.cseq().map_or(0, |cseq| cseq.number_text.len());
    seen += message.top_via().map_or(0, |via| via.branch.len() + usize::from(via.port_or_default()));
    seen += message.content_length().map_or(0, |length| length as usize);
    seen += message.max_forwards().map_or(0, |hops| hops as usize);
    seen += sip::Uri::parse(message.request_uri()).map_or(0, |uri| uri.host.len() + usize::from(uri.is_lr()));
    seen += usize::from(sip::uri::same(message.request_uri(), message.from().map_or(b"", |from| from.uri)));
    for header in message.headers() {
        let value = message.text(header.value);
        seen += sip::authorization::DigestCredentials::parse(value).map_or(0, |digest| digest.nonce.len());
        seen += sip::Params::new(value).map(|param| param.unquoted().len()).sum::<usize>();
        seen += message.headers_named(message.text(header.name)).count();
    }
    seen
}

/// Everything that writes a message; each output must parse again to a message that writes itself unchanged.
fn write_everything(message: &Message) {
    let source = "192.0.2.7:5060".parse().expect("an address");
    let limits = Limits { header_value_bytes_max: 20_000, headers_max: 300, vias_max: 80, ..Limits::stream() };
    let mut edits = Edits::new();
    edits.insert_before(message.first_line().end, b"X-First: 1\r\n");
    edits.insert_after(message.headers_end(), b"X-Last: 1\r\n");
    for is_stream in [false, true] {
        let mut out = Vec::new();
        if message.is_request() {
            let received = Some(sip::Received { source, force_rport: is_stream });
            let head = RequestHead { via: b"Via: SIP/2.0/UDP h\r\n", top_via_received: received, ..RequestHead::default() };
            sip::write_request(&mut out, message, &[&edits], &head, is_stream);
        } else {
            sip::write_reply_relay(&mut out, message, &[&edits], is_stream);
        }
        let mut first = Message::new();
        first.parse(&out, &limits).expect("what was written parses");
        assert_eq!(first.body(), message.body());
        assert!(first.is_head_terminated());
        if is_stream {
            assert_eq!(first.content_length(), Some(message.body().len() as u32));
        }
        let mut again = Vec::new();
        if first.is_request() {
            sip::write_request(&mut again, &first, &[], &RequestHead::default(), is_stream);
        } else {
            sip::write_reply_relay_with(&mut again, &first, &[], &ReplyHead { keep_top_via: true, ..ReplyHead::default() }, is_stream);
        }
        assert_eq!(again, out);
    }
    if message.is_request() {
        let mut reply = Vec::new();
        sip::write_reply(&mut reply, message, &ReplyParts { to_tag: b"t", ..ReplyParts::new(404, b"Not Found", source) });
        let mut parsed = Message::new();
        parsed.parse(&reply, &limits).expect("a local reply parses");
        assert_eq!((parsed.status(), parsed.vias().count()), (404, message.vias().count()));
        let mut hop = Vec::new();
        sip::write_cancel(&mut hop, message, b"");
        sip::write_ack(&mut hop, message, &parsed, b"");
    }
}

fn swallow(message: &mut Message, bytes: &[u8]) {
    if message.parse(bytes, &Limits::default()).is_ok() {
        assert!(message.check_required().is_ok() || read_everything(message) < usize::MAX);
        let mut copy = Vec::new();
        if message.is_request() {
            sip::write_request(&mut copy, message, &[], &RequestHead::default(), false);
        } else {
            sip::write_reply_relay_with(&mut copy, message, &[], &ReplyHead { keep_top_via: true, ..ReplyHead::default() }, false);
        }
        let kept = &bytes[message.first_line().start as usize..];
        let is_length_right = match message.content_length_state() {
            sip::fields::ContentLength::Absent => true,
            sip::fields::ContentLength::Bytes(length) => length as usize == message.body().len(),
            sip::fields::ContentLength::Invalid => false,
        };
        if is_length_right {
            assert!(copy == kept || (!message.is_head_terminated() && copy == [kept, b"\r\n"].concat()));
        } else {
            let copy = Message::from_bytes(&copy).expect("a copy parses");
            assert_eq!(copy.content_length(), Some(copy.body().len() as u32));
        }
    }
    let mut framer = Framer::new();
    framer.push(bytes);
    while let Ok(Some(_)) = framer.next() {}
}

/// A small fixed generator, so that a failure comes back on every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 20) as usize) % bound.max(1)
    }
}

#[test]
fn every_input_that_parses_is_read_and_written_without_loss() {
    let mut written = 0;
    for (_, bytes) in all_inputs() {
        if let Ok(message) = Message::from_bytes(&bytes) {
            read_everything(&message);
            write_everything(&message);
            written += 1;
        }
    }
    assert!(written >= 45, "{written}");
}

#[test]
fn inputs_cut_at_every_byte_never_panic() {
    let mut message = Message::new();
    for (_, bytes) in all_inputs() {
        let step = if bytes.len() > 4000 { 97 } else { 1 };
        for cut in (0..bytes.len()).step_by(step) {
            swallow(&mut message, &bytes[..cut]);
        }
    }
}

#[test]
fn inputs_with_changed_bytes_never_panic() {
    const TELLING: &[u8] = b"\r\n\t \0:;,<>\"\\/@=?%[]*-9aV\x7f\xff";
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut message = Message::new();
    for (_, bytes) in all_inputs() {
        let rounds = if bytes.len() > 4000 { 20 } else { 250 };
        for _ in 0..rounds {
            let mut damaged = bytes.clone();
            for _ in 0..1 + random.below(6) {
                let at = random.below(damaged.len());
                match random.below(4) {
                    0 => damaged[at] ^= 1 << random.below(8),
                    1 => damaged[at] = TELLING[random.below(TELLING.len())],
                    2 => damaged.insert(at, TELLING[random.below(TELLING.len())]),
                    _ => drop(damaged.remove(at)),
                }
                if damaged.is_empty() {
                    break;
                }
            }
            swallow(&mut message, &damaged);
            if message.is_request() || message.is_reply() {
                write_everything(&message);
            }
        }
    }
}
