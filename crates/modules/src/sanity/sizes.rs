//! Size limits of messages and their parts (`size_checks` and the `size_*` parameters).

use sip::header::HeaderId;
use sip::message::Message;

use super::checks::Refusal;
use crate::settings::Settings;

/// Names of the limits; the position is the bit number in `size_checks`.
const NAMES: [&str; 12] = [
    "size_message",
    "size_method",
    "size_ruri",
    "size_from_uri",
    "size_to_uri",
    "size_contact_uri",
    "size_route_uri",
    "size_path_uri",
    "size_pai_uri",
    "size_header",
    "size_headers",
    "size_body",
];

/// Limits in bytes, and which are checked.
#[derive(Debug, Default)]
pub struct Sizes {
    mask: i64,
    limits: [usize; 12],
}

impl Sizes {
    /// From the module's parameters.
    pub(super) fn new(settings: &Settings) -> Sizes {
        let mut limits = [0; 12];
        for (limit, name) in limits.iter_mut().zip(NAMES) {
            *limit = usize::try_from(settings.integer("sanity", name)).unwrap_or(0);
        }
        Sizes { mask: settings.integer("sanity", "size_checks"), limits }
    }

    /// Does every checked part fit?
    pub(super) fn check(&self, message: &Message) -> Result<(), Refusal> {
        let sizes = [
            message.bytes().len(),
            message.method_text().len(),
            message.request_uri().len(),
            message.from().map_or(0, |address| address.uri.len()),
            message.to().map_or(0, |address| address.uri.len()),
            message.contacts().map(|address| address.uri.len()).max().unwrap_or(0),
            message.routes().map(|route| route.address.uri.len()).max().unwrap_or(0),
            longest(message, HeaderId::Path),
            longest(message, HeaderId::PAssertedIdentity),
            message.headers().iter().map(|header| header.line.len()).max().unwrap_or(0),
            (message.headers_end().saturating_sub(message.first_line().end)) as usize,
            message.body().len(),
        ];
        let reasons: [(u16, &'static str); 12] = [
            (513, "Message Too Large"),
            (400, "Method Too Long"),
            (414, "Request-URI Too Long"),
            (400, "From URI Too Long"),
            (400, "To URI Too Long"),
            (400, "Contact URI Too Long"),
            (400, "Route URI Too Long"),
            (400, "Path URI Too Long"),
            (400, "P-Asserted-Identity URI Too Long"),
            (400, "Header Too Long"),
            (400, "Headers Too Long"),
            (413, "Body Too Large"),
        ];
        for (bit, ((size, limit), (code, reason))) in sizes.into_iter().zip(self.limits).zip(reasons).enumerate() {
            if self.mask & (1 << bit) != 0 && limit > 0 && size > limit {
                return Err(Refusal::new(code, reason));
            }
        }
        Ok(())
    }
}

fn longest(message: &Message, id: HeaderId) -> usize {
    message.headers_of(id).map(|header| header.value.len()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::NAMES;
    use crate::fixture::{receive, request, worker};

    /// The answer of a check whose only limit is this one.
    fn refusal(name: &str, bit: usize, limit: usize) -> Option<String> {
        let worker = worker(&format!(
            "loadmodule \"sl\"\nloadmodule \"sanity\"\nmodparam(\"sanity\", \"size_checks\", {})\nmodparam(\"sanity\", \"{name}\", {limit})\nrequest_route {{\n\texit;\n}}\n",
            1 << bit
        ));
        let mut worker = worker;
        let headers = "Route: <sip:10.0.0.1;lr>\nPath: <sip:10.0.0.2;lr>\nContact: <sip:alice@10.0.0.3>\nP-Asserted-Identity: <sip:alice@example.com>\n";
        let text = request("OPTIONS", "sip:bob@example.com", "", headers).replace("Content-Length: 0\n\n", "Content-Length: 4\n\nbody");
        receive(&mut worker, &text);
        let refusal = worker.node.states.sanity.sizes.check(&worker.run.message).err()?;
        Some(format!("{} {}", refusal.code, refusal.reason))
    }

    #[test]
    fn each_limit_refuses_what_is_beyond_it_and_nothing_else() {
        for (bit, name) in NAMES.into_iter().enumerate() {
            assert_eq!(refusal(name, bit, 60_000), None, "{name}");
            assert!(refusal(name, bit, 1).is_some_and(|reason| reason.contains("Too L")), "{name}");
        }
    }
}
