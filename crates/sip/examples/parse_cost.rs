//! Does the message work of forwarding one 1150-byte INVITE many times, to be counted under callgrind.
//!
//! `parse_cost parse|fields|forward ROUNDS`: index only; index and proxy fields; that and edit and serialise.

use sip::{Edits, Limits, Message, Received, RequestHead};
use std::hint::black_box;

const INVITE: &str = "INVITE sip:service@192.168.77.30:5070;transport=udp SIP/2.0\r\n\
Via: SIP/2.0/UDP 192.168.77.20:5061;branch=z9hG4bK-24107-1-0;rport\r\n\
Via: SIP/2.0/UDP 10.20.30.40:5060;branch=z9hG4bK9d0c7f5a3b;received=203.0.113.9\r\n\
Max-Forwards: 69\r\n\
From: \"Alice Example\" <sip:alice@example.com;user=phone>;tag=24107SIPpTag001\r\n\
To: \"Bob\" <sip:service@192.168.77.30:5070>\r\n\
Call-ID: 1-24107@192.168.77.20-9f8e7d6c5b4a\r\n\
CSeq: 1 INVITE\r\n\
Contact: <sip:alice@192.168.77.20:5061;transport=udp>\r\n\
Route: <sip:192.168.77.10;lr>\r\n\
Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, SUBSCRIBE, NOTIFY, INFO, PUBLISH, MESSAGE, UPDATE\r\n\
Supported: replaces, timer, path, 100rel\r\n\
Session-Expires: 1800;refresher=uac\r\n\
Min-SE: 90\r\n\
User-Agent: Example Phone 4.2.1 (build 20261122)\r\n\
P-Asserted-Identity: <sip:alice@example.com>\r\n\
Subject: Performance Test\r\n\
Content-Type: application/sdp\r\n\
Content-Length: 209\r\n\
\r\n\
v=0\r\n\
o=user1 53655765 2353687637 IN IP4 192.168.77.20\r\n\
s=-\r\n\
c=IN IP4 192.168.77.20\r\n\
t=0 0\r\n\
m=audio 6000 RTP/AVP 0 8 101\r\n\
a=rtpmap:0 PCMU/8000\r\n\
a=rtpmap:8 PCMA/8000\r\n\
a=rtpmap:101 telephone-event/8000\r\n\
a=sendrecv\r\n";

fn read_proxy_fields(message: &Message) -> usize {
    let via = message.top_via().map_or(0, |via| via.branch.len() + via.sent_by.len() + via.rport.map_or(0, <[u8]>::len));
    let tags = message.from_tag().len() + message.to_tag().len() + message.call_id().len();
    let cseq = message.cseq().map_or(0, |cseq| cseq.number as usize);
    let uri = sip::Uri::parse(message.request_uri()).map_or(0, |uri| uri.user.len() + uri.host.len());
    via + tags + cseq + uri + message.max_forwards().unwrap_or(0) as usize
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let what = arguments.next().unwrap_or_else(|| "fields".to_string());
    let rounds: u32 = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1000);
    let (mut message, mut edits, mut out) = (Message::new(), Edits::new(), Vec::new());
    let source = std::net::SocketAddr::from(([192, 168, 77, 21], 5061));
    let mut seen = 0usize;
    for _ in 0..rounds {
        if let Err(error) = message.parse(black_box(INVITE.as_bytes()), &Limits::default()) {
            eprintln!("{error}");
            return;
        }
        if what != "parse" {
            seen += usize::from(message.check_required().is_ok()) + read_proxy_fields(&message);
        }
        if what == "forward" {
            edits.clear();
            if let Some(header) = message.header(sip::HeaderId::MaxForwards).copied() {
                edits.replace(header.value, b"68");
            }
            let head = RequestHead {
                uri: b"sip:service@192.168.77.31:5070",
                before_headers: b"Record-Route: <sip:192.168.77.10;lr;ftag=24107SIPpTag001;did=a1.b2>\r\n",
                via: b"Via: SIP/2.0/UDP 192.168.77.10;branch=z9hG4bK772a.49d394d242ef323ae6bf6c9ce3ef863b.0\r\n",
                top_via_received: Some(Received { source, force_rport: false }),
                ..RequestHead::default()
            };
            out.clear();
            sip::write_request(&mut out, &message, &[&edits], &head, false);
            seen += out.len();
        }
    }
    println!("{} bytes, {rounds} rounds of {what}, check {}", INVITE.len(), black_box(seen));
}
