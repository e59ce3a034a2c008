//! The requests that event routes see when no message caused them.

use script::exports::Routes;
use script::syntax::ast::RouteKind;
use sip::limits::Limits;

use crate::run::Run;
use crate::worker::Worker;

/// What the routes of the core and of htable see.
pub const INTERNAL: &[u8] = b"OPTIONS sip:you@invalid SIP/2.0\r\n\
Via: SIP/2.0/UDP 127.0.0.1:0;branch=z9hG4bKinternal\r\n\
From: <sip:you@invalid>;tag=internal\r\n\
To: <sip:you@invalid>\r\n\
Call-ID: internal\r\n\
CSeq: 1 OPTIONS\r\n\
Content-Length: 0\r\n\r\n";

/// What the routes of a dialog see.
pub const OF_DIALOG: &[u8] = b"OPTIONS sip:kamailio.org SIP/2.0\r\n\
Via: SIP/2.0/UDP 127.0.0.1\r\n\
From: <sip:server@kamailio.org>;tag=xyz\r\n\
To: <sip:kamailio.org>\r\n\
Call-ID: aaa-bbb-ccc-ddd\r\n\
CSeq: 1 OPTIONS\r\n\
Content-Length: 0\r\n\r\n";

/// A run of an event route on one of these requests.
pub fn run(worker: &mut Worker, request: &'static [u8]) -> Box<Run> {
    let mut run = worker.fresh_run();
    let parsed = run.message.parse(request, &Limits::default());
    debug_assert!(parsed.is_ok());
    run.is_faked = true;
    run.route = RouteKind::Event;
    run.route_set = Routes::EVENT_ROUTE;
    run
}

#[cfg(test)]
mod tests {
    use sip::message::Message;

    use super::*;

    #[test]
    fn the_requests_can_be_read() {
        for (request, call_id, from_tag) in [(INTERNAL, "internal", "internal"), (OF_DIALOG, "aaa-bbb-ccc-ddd", "xyz")] {
            let message = Message::from_bytes(request).unwrap();
            assert!(message.is_request());
            assert_eq!((message.call_id(), message.from_tag()), (call_id.as_bytes(), from_tag.as_bytes()));
        }
    }
}
