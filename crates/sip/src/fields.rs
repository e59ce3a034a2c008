//! Typed reading of the headers a proxy acts on. Top Via, From, To and CSeq were read by `parse`; others are parsed by each call.

use crate::header::{Header, HeaderId};
use crate::message::Message;
use crate::method::Method;
use crate::name_address::{NameAddress, RouteEntry};
use crate::scan::{Elements, before, decimal, from, is_decimal, is_space, trim};
use crate::via::Via;

/// A CSeq value (RFC 3261 §20.16).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// The number; `u32::MAX` when it is larger. `is_in_range` tells whether it is legal.
    pub number: u32,
    pub number_text: &'a [u8],
    pub method: Method,
    pub method_text: &'a [u8],
}

impl<'a> CSeq<'a> {
    /// Reads `digits LWS token`.
    pub fn parse(value: &'a [u8]) -> Option<CSeq<'a>> {
        let value = trim(value);
        let end = value.iter().position(|byte| is_space(*byte))?;
        let number_text = before(value, end);
        let method_text = trim(from(value, end));
        if !is_decimal(number_text) || method_text.iter().any(|byte| is_space(*byte)) {
            return None;
        }
        Some(CSeq { number: decimal(number_text).unwrap_or(u32::MAX), number_text, method: Method::from_bytes(method_text), method_text })
    }

    /// Below 2^31, as RFC 3261 §8.1.1.5 demands.
    pub fn is_in_range(&self) -> bool {
        self.number < 1 << 31
    }
}

/// What the Content-Length headers of a message say together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContentLength {
    Absent,
    Bytes(u32),
    /// Not a number, beyond `u32`, or two headers that differ.
    Invalid,
}

impl Message {
    /// The first Via element, if it can be parsed. Inlined, so that a caller pays only for the parts it looks at.
    #[inline(always)]
    pub fn top_via(&self) -> Option<Via<'_>> {
        self.core().top_via(self.bytes())
    }

    /// All Via elements that can be parsed, top first.
    pub fn vias(&self) -> impl Iterator<Item = Via<'_>> {
        self.elements_of(HeaderId::Via).filter_map(|(header, element)| Via::parse(element, header))
    }

    #[inline]
    pub fn from(&self) -> Option<NameAddress<'_>> {
        self.core().from(self.bytes())
    }

    #[inline]
    pub fn to(&self) -> Option<NameAddress<'_>> {
        self.core().to(self.bytes())
    }

    /// Tag of From; empty when there is none.
    pub fn from_tag(&self) -> &[u8] {
        self.core().tag_of_from(self.bytes())
    }

    /// Tag of To; empty when there is none, and an empty tag counts as none.
    pub fn to_tag(&self) -> &[u8] {
        self.core().tag_of_to(self.bytes())
    }

    /// The Call-ID; empty when there is none.
    pub fn call_id(&self) -> &[u8] {
        self.value(HeaderId::CallId).unwrap_or(b"")
    }

    pub fn cseq(&self) -> Option<CSeq<'_>> {
        self.core().cseq(self.bytes())
    }

    /// All Contact elements that can be parsed; a wildcard has the URI `*`.
    pub fn contacts(&self) -> impl Iterator<Item = NameAddress<'_>> {
        self.elements_of(HeaderId::Contact).filter_map(|(_, element)| NameAddress::parse(element))
    }

    /// All Route entries that can be parsed, top first.
    pub fn routes(&self) -> impl Iterator<Item = RouteEntry<'_>> {
        self.route_entries(HeaderId::Route)
    }

    /// All Record-Route entries that can be parsed, top first.
    pub fn record_routes(&self) -> impl Iterator<Item = RouteEntry<'_>> {
        self.route_entries(HeaderId::RecordRoute)
    }

    /// Entries of any header that lists routes (Route, Record-Route, Path, Service-Route).
    pub fn route_entries(&self, id: HeaderId) -> impl Iterator<Item = RouteEntry<'_>> {
        self.elements_of(id).filter_map(|(header, whole)| NameAddress::parse(whole).map(|address| RouteEntry { address, whole, header }))
    }

    /// The comma elements of all headers of one identity, each with the position of its header line.
    pub fn elements_of(&self, id: HeaderId) -> impl Iterator<Item = (usize, &[u8])> {
        let (start, headers) = self.headers_from(id);
        (start..)
            .zip(headers)
            .filter(move |(_, header)| header.id == id)
            .flat_map(|(index, header)| Elements::new(self.text(header.value)).map(move |element| (index, element)))
    }

    /// The Content-Length when it is one valid number; duplicates must agree.
    pub fn content_length(&self) -> Option<u32> {
        match self.content_length_state() {
            ContentLength::Bytes(length) => Some(length),
            ContentLength::Absent | ContentLength::Invalid => None,
        }
    }

    /// The Content-Length, told apart from an invalid one.
    pub fn content_length_state(&self) -> ContentLength {
        if !self.is_repeated(HeaderId::ContentLength) {
            let value = self.value(HeaderId::ContentLength);
            return value.map_or(ContentLength::Absent, |value| decimal(value).map_or(ContentLength::Invalid, ContentLength::Bytes));
        }
        let mut state = ContentLength::Absent;
        for header in self.headers_of(HeaderId::ContentLength) {
            state = match (state, decimal(self.text(header.value))) {
                (ContentLength::Absent, Some(length)) => ContentLength::Bytes(length),
                (ContentLength::Bytes(known), Some(length)) if known == length => state,
                _ => return ContentLength::Invalid,
            };
        }
        state
    }

    /// The Max-Forwards number; `None` when absent or not a number.
    pub fn max_forwards(&self) -> Option<u32> {
        decimal(self.value(HeaderId::MaxForwards)?)
    }

    /// The last header line, if any.
    pub fn last_header(&self) -> Option<&Header> {
        self.headers().last()
    }
}
