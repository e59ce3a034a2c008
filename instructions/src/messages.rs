//! Cases of messages: parsing, and writing what is forwarded.

use std::hint::black_box;
use std::net::SocketAddr;

use sip::{Edits, Limits, Message, Received, RequestHead};

use crate::meter::Meter;

/// What a telephone sends, of 1150 bytes.
pub(crate) const INVITE: &str = "INVITE sip:service@192.168.77.30:5070;transport=udp SIP/2.0\r\n\
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
Content-Length: 212\r\n\
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

/// What the telephone called answers, as it comes to a proxy.
pub(crate) const REPLY: &str = "SIP/2.0 200 OK\r\n\
Via: SIP/2.0/UDP 192.168.77.10;branch=z9hG4bK772a.49d394d242ef323ae6bf6c9ce3ef863b.0\r\n\
Via: SIP/2.0/UDP 192.168.77.20:5061;branch=z9hG4bK-24107-1-0;received=192.168.77.21;rport=5061\r\n\
Via: SIP/2.0/UDP 10.20.30.40:5060;branch=z9hG4bK9d0c7f5a3b;received=203.0.113.9\r\n\
Record-Route: <sip:192.168.77.10;lr;ftag=24107SIPpTag001;did=a1.b2>\r\n\
From: \"Alice Example\" <sip:alice@example.com;user=phone>;tag=24107SIPpTag001\r\n\
To: \"Bob\" <sip:service@192.168.77.30:5070>;tag=5f3a9c1e77\r\n\
Call-ID: 1-24107@192.168.77.20-9f8e7d6c5b4a\r\n\
CSeq: 1 INVITE\r\n\
Contact: <sip:service@192.168.77.31:5070;transport=udp>\r\n\
Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, UPDATE\r\n\
Supported: replaces, timer\r\n\
User-Agent: Example Gateway 9.1\r\n\
Content-Type: application/sdp\r\n\
Content-Length: 162\r\n\
\r\n\
v=0\r\n\
o=gateway 1 1 IN IP4 192.168.77.31\r\n\
s=-\r\n\
c=IN IP4 192.168.77.31\r\n\
t=0 0\r\n\
m=audio 7000 RTP/AVP 0 101\r\n\
a=rtpmap:0 PCMU/8000\r\n\
a=rtpmap:101 telephone-event/8000\r\n";

/// Reads what a proxy reads of every message; the sum keeps the reading from being left out.
fn read_proxy_fields(message: &Message) -> usize {
    let via = message.top_via().map_or(0, |via| via.branch.len() + via.sent_by.len() + via.rport.map_or(0, <[u8]>::len));
    let tags = message.from_tag().len() + message.to_tag().len() + message.call_id().len();
    let cseq = message.cseq().map_or(0, |cseq| cseq.number as usize);
    let uri =
        if message.is_request() { sip::Uri::parse(message.request_uri()).map_or(0, |uri| uri.user.len() + uri.host.len()) } else { 0 };
    via + tags + cseq + uri + message.max_forwards().unwrap_or(0) as usize
}

pub(crate) fn parse(text: &str, count: u32, meter: &mut impl Meter) -> Result<(), String> {
    let (mut message, limits) = (Message::new(), Limits::default());
    // The first one makes the message's memory.
    message.parse(text.as_bytes(), &limits).map_err(|error| error.to_string())?;
    for _ in 0..count {
        let read = meter.run(|| {
            message.parse(black_box(text.as_bytes()), &limits).and_then(|()| message.check_required()).map(|_| read_proxy_fields(&message))
        });
        black_box(read.map_err(|error| error.to_string())?);
    }
    Ok(())
}

pub(crate) fn serialise(count: u32, meter: &mut impl Meter) -> Result<(), String> {
    let message = Message::from_bytes(INVITE.as_bytes()).map_err(|error| error.to_string())?;
    let source = SocketAddr::from(([192, 168, 77, 21], 5061));
    let head = RequestHead {
        uri: b"sip:service@192.168.77.31:5070",
        before_headers: b"Record-Route: <sip:192.168.77.10;lr;ftag=24107SIPpTag001;did=a1.b2>\r\n",
        via: b"Via: SIP/2.0/UDP 192.168.77.10;branch=z9hG4bK772a.49d394d242ef323ae6bf6c9ce3ef863b.0\r\n",
        top_via_received: Some(Received { source, force_rport: false }),
        ..RequestHead::default()
    };
    let (mut edits, mut out) = (Edits::new(), Vec::with_capacity(2 * INVITE.len()));
    for _ in 0..count {
        meter.run(|| {
            edits.clear();
            if let Some(header) = message.header(sip::HeaderId::MaxForwards) {
                edits.replace(header.value, b"68");
            }
            out.clear();
            sip::write_request(&mut out, black_box(&message), &[&edits], &head, false);
        });
    }
    if out.len() > INVITE.len() { Ok(()) } else { Err("the INVITE was not written".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_messages_have_the_bodies_they_announce() -> Result<(), String> {
        for text in [INVITE, REPLY] {
            let message = Message::from_bytes(text.as_bytes()).map_err(|error| error.to_string())?;
            assert_eq!(message.check_required(), Ok(()));
            let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            assert!(text.contains(&format!("Content-Length: {}\r\n", body.len())), "{}", body.len());
            assert!(read_proxy_fields(&message) > 60);
        }
        Ok(())
    }
}
