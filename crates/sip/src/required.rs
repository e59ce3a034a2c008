//! What every message must carry before a script may see it (RFC 3261 §8.1.1; spec proxy-core 1.1 step 4).

use crate::error::ParseError;
use crate::fields::ContentLength;
use crate::header::HeaderId;
use crate::message::Message;
use crate::params;
use crate::via;

impl Message {
    /// Checks the top Via, From, To, Call-ID and CSeq: there, readable, and (but for Via) only once.
    /// A message that fails is dropped without a reply.
    pub fn check_required(&self) -> Result<(), ParseError> {
        match self.value(HeaderId::Via) {
            None => return Err(ParseError::Missing(HeaderId::Via)),
            Some(value) => {
                let is_well_formed = match self.top_via() {
                    // The usual Via stands alone in its header and is read already.
                    Some(via) if via.whole.len() == value.len() => params::is_well_formed(via.params),
                    _ => via::is_well_formed(value),
                };
                if !is_well_formed {
                    return Err(ParseError::Malformed(HeaderId::Via));
                }
            }
        }
        for id in [HeaderId::From, HeaderId::To, HeaderId::CallId, HeaderId::CSeq] {
            if self.header(id).is_none() {
                return Err(ParseError::Missing(id));
            }
            if self.is_repeated(id) {
                return Err(ParseError::Duplicate(id));
            }
        }
        // A second bracket inside the brackets is no URI of any scheme.
        self.from().filter(|from| !from.uri.contains(&b'<')).ok_or(ParseError::Malformed(HeaderId::From))?;
        self.to().filter(|to| !to.uri.contains(&b'<')).ok_or(ParseError::Malformed(HeaderId::To))?;
        self.cseq().ok_or(ParseError::Malformed(HeaderId::CSeq))?;
        if self.call_id().is_empty() {
            return Err(ParseError::Malformed(HeaderId::CallId));
        }
        Ok(())
    }

    /// Checks what relaying and answering need beyond `check_required`: an end of the headers and one readable
    /// Content-Length, if any. A script sees a message that fails, but it is neither relayed nor answered
    /// (RFC 4475 `baddn`, `ncl`, `mcl01`; internal error -400 of spec proxy-core 1.5).
    pub fn check_relayable(&self) -> Result<(), ParseError> {
        if !self.is_head_terminated() {
            return Err(ParseError::HeadUnterminated);
        }
        if self.is_repeated(HeaderId::ContentLength) {
            return Err(ParseError::Duplicate(HeaderId::ContentLength));
        }
        match self.content_length_state() {
            ContentLength::Invalid => Err(ParseError::Malformed(HeaderId::ContentLength)),
            ContentLength::Absent | ContentLength::Bytes(_) => Ok(()),
        }
    }
}
