//! Spans of top Via, From, To and CSeq: read once by `Message::parse`, so that later looks scan nothing.

use crate::fields::CSeq;
use crate::header::HeaderId;
use crate::message::Message;
use crate::method::Method;
use crate::name_address::NameAddress;
use crate::scan::Elements;
use crate::span::Span;
use crate::via::Via;

/// The fields every message is routed by; `None` for a field that is absent or unreadable.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CoreFields {
    via: Option<ViaSpans>,
    from: Option<AddressSpans>,
    to: Option<AddressSpans>,
    cseq: Option<CSeqSpans>,
}

#[derive(Clone, Copy, Debug)]
struct ViaSpans {
    protocol: Span,
    version: Span,
    transport: Span,
    host: Span,
    port: Option<u16>,
    port_text: Span,
    branch: Span,
    received: Span,
    rport: Option<Span>,
    params: Span,
    whole: Span,
    sent_by: Span,
    header: u32,
}

#[derive(Clone, Copy, Debug)]
struct AddressSpans {
    display: Span,
    uri: Span,
    params: Span,
    whole: Span,
    tag: Span,
}

#[derive(Clone, Copy, Debug)]
struct CSeqSpans {
    number: u32,
    number_text: Span,
    method: Method,
    method_text: Span,
}

/// The headers whose parts are kept here.
pub(crate) const KEPT: [HeaderId; 4] = [HeaderId::Via, HeaderId::From, HeaderId::To, HeaderId::CSeq];

impl CoreFields {
    /// Reads the fields of a message whose header lines are known.
    pub(crate) fn read(message: &Message) -> CoreFields {
        // An empty part that is no part of the message (an absent branch) becomes the empty span.
        let span = |part: &[u8]| message.span_of(part).unwrap_or_default();
        let address = |id: HeaderId| {
            let address = NameAddress::parse(message.value(id)?)?;
            let NameAddress { display, uri, params, whole } = address;
            let tag = span(address.tag());
            Some(AddressSpans { display: span(display), uri: span(uri), params: span(params), whole: span(whole), tag })
        };
        CoreFields {
            via: read_top_via(message).map(|via| ViaSpans {
                protocol: span(via.protocol),
                version: span(via.version),
                transport: span(via.transport),
                host: span(via.host),
                port: via.port,
                port_text: span(via.port_text),
                branch: span(via.branch),
                received: span(via.received),
                rport: via.rport.map(span),
                params: span(via.params),
                whole: span(via.whole),
                sent_by: span(via.sent_by),
                header: u32::try_from(via.header).unwrap_or(u32::MAX),
            }),
            from: address(HeaderId::From),
            to: address(HeaderId::To),
            cseq: message.value(HeaderId::CSeq).and_then(CSeq::parse).map(|cseq| CSeqSpans {
                number: cseq.number,
                number_text: span(cseq.number_text),
                method: cseq.method,
                method_text: span(cseq.method_text),
            }),
        }
    }

    #[inline(always)]
    pub(crate) fn top_via<'a>(&self, bytes: &'a [u8]) -> Option<Via<'a>> {
        let via = self.via.as_ref()?;
        Some(Via {
            protocol: via.protocol.of(bytes),
            version: via.version.of(bytes),
            transport: via.transport.of(bytes),
            host: via.host.of(bytes),
            port: via.port,
            port_text: via.port_text.of(bytes),
            branch: via.branch.of(bytes),
            received: via.received.of(bytes),
            rport: via.rport.map(|rport| rport.of(bytes)),
            params: via.params.of(bytes),
            whole: via.whole.of(bytes),
            sent_by: via.sent_by.of(bytes),
            header: via.header as usize,
        })
    }

    #[inline]
    pub(crate) fn from<'a>(&self, bytes: &'a [u8]) -> Option<NameAddress<'a>> {
        self.from.as_ref().map(|address| address.of(bytes))
    }

    #[inline]
    pub(crate) fn to<'a>(&self, bytes: &'a [u8]) -> Option<NameAddress<'a>> {
        self.to.as_ref().map(|address| address.of(bytes))
    }

    pub(crate) fn tag_of_from<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        self.from.as_ref().map_or(b"", |address| address.tag.of(bytes))
    }

    pub(crate) fn tag_of_to<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        self.to.as_ref().map_or(b"", |address| address.tag.of(bytes))
    }

    pub(crate) fn cseq<'a>(&self, bytes: &'a [u8]) -> Option<CSeq<'a>> {
        let cseq = self.cseq.as_ref()?;
        let (number_text, method_text) = (cseq.number_text.of(bytes), cseq.method_text.of(bytes));
        Some(CSeq { number: cseq.number, number_text, method: cseq.method, method_text })
    }

    /// The CSeq's method, `Other` without a readable CSeq.
    pub(crate) fn cseq_method(&self) -> Method {
        self.cseq.as_ref().map_or(Method::Other, |cseq| cseq.method)
    }
}

impl AddressSpans {
    fn of<'a>(&self, bytes: &'a [u8]) -> NameAddress<'a> {
        let AddressSpans { display, uri, params, whole, .. } = self;
        NameAddress { display: display.of(bytes), uri: uri.of(bytes), params: params.of(bytes), whole: whole.of(bytes) }
    }
}

fn read_top_via(message: &Message) -> Option<Via<'_>> {
    let index = message.header_index(HeaderId::Via)?;
    let value = message.text(message.headers().get(index)?.value);
    Via::parse(Elements::new(value).next()?, index)
}

#[cfg(test)]
mod tests {
    use crate::Message;
    use crate::header::HeaderId;

    const REQUEST: &[u8] = b"BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h:5070;branch=z9hG4bKx;rport , SIP/2.0/TCP i\r\n\
        From: \"F\" <sip:f@h>;tag=1\r\nTo: sip:t@h\r\nCall-ID: c\r\nCSeq: 7 BYE\r\n\r\n";

    #[test]
    fn kept_parts_are_the_parts_a_fresh_reading_finds() {
        let message = Message::from_bytes(REQUEST).expect("a request");
        let via = message.top_via().expect("a via");
        assert_eq!(Some(via), message.vias().next());
        assert_eq!((via.rport, via.received, via.branch), (Some(&b""[..]), &b""[..], &b"z9hG4bKx"[..]));
        assert_eq!((message.from_tag(), message.to_tag()), (&b"1"[..], &b""[..]));
        assert_eq!(message.from().map(|from| (from.display, from.uri)), Some((&b"\"F\""[..], &b"sip:f@h"[..])));
        assert_eq!(message.cseq().map(|cseq| (cseq.number, cseq.method_text)), Some((7, &b"BYE"[..])));
        assert_eq!(message.clone().top_via(), message.top_via());
    }

    #[test]
    fn overwriting_a_kept_header_reads_it_again() {
        let mut message = Message::from_bytes(REQUEST).expect("a request");
        let cseq = message.header(HeaderId::CSeq).expect("a header").value;
        assert!(message.overwrite(cseq, b"8 BYE"));
        assert_eq!(message.cseq().map(|cseq| cseq.number), Some(8));
        let from = message.header(HeaderId::From).expect("a header").value;
        assert!(message.overwrite(from, b"<sip:somebody>;tag=23"[..from.len()].as_ref()));
        assert_eq!(message.from().map(|from| from.uri), Some(&b"sip:somebody"[..]));
    }

    #[test]
    fn a_failed_parse_keeps_nothing_of_the_message_before() {
        let mut message = Message::from_bytes(REQUEST).expect("a request");
        assert!(message.parse(b"nonsense\r\n\r\n", &crate::limits::Limits::default()).is_err());
        assert!(message.top_via().is_none() && message.from().is_none() && message.cseq().is_none());
        assert_eq!(message.from_tag(), b"");
    }
}
