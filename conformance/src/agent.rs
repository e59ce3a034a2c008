//! A scriptable user agent: one UDP socket, the last messages, and the dialog it is in.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use crate::message::{Message, parameter, same, uri_of};

/// How long an expected message may take.
pub const PATIENCE: Duration = Duration::from_secs(4);

/// One user agent.
pub struct Agent {
    pub name: String,
    socket: UdpSocket,
    pub address: String,
    proxy: String,
    /// Every message received, to tell retransmissions.
    seen: Vec<Vec<u8>>,
    pub last_request_sent: Option<Message>,
    pub last_invite_sent: Option<Message>,
    pub last_request_received: Option<Message>,
    pub invite_received: Option<Message>,
    pub last_reply_received: Option<Message>,
    /// The reply that set the dialog up, on the calling side.
    pub answer: Option<Message>,
    /// The route set of the dialog: fixed when it began, whatever later INVITEs record (RFC 3261 §12.2.1.2).
    routes: Vec<String>,
    tag: String,
    call_id: String,
    cseq: u32,
    branches: u32,
}

impl Agent {
    /// A user agent on a free port of loopback.
    pub fn new(name: &str, proxy: &str, call_id: &str) -> Result<Agent, String> {
        let socket = UdpSocket::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let address = socket.local_addr().map_err(|error| error.to_string())?.to_string();
        Ok(Agent {
            name: name.to_owned(),
            socket,
            address,
            proxy: proxy.to_owned(),
            seen: Vec::new(),
            last_request_sent: None,
            last_invite_sent: None,
            last_request_received: None,
            invite_received: None,
            last_reply_received: None,
            answer: None,
            routes: Vec::new(),
            tag: format!("tag-{name}"),
            call_id: call_id.to_owned(),
            cseq: 0,
            branches: 0,
        })
    }

    /// Sends bytes to the proxy.
    pub fn send_raw(&self, bytes: &[u8]) -> Result<(), String> {
        self.send_bytes(bytes, &self.proxy)
    }

    fn send_bytes(&self, bytes: &[u8], destination: &str) -> Result<(), String> {
        self.socket.send_to(bytes, destination).map(|_| ()).map_err(|error| error.to_string())
    }

    fn branch(&mut self) -> String {
        self.branches += 1;
        format!("z9hG4bK-{}-{}", self.name, self.branches)
    }

    /// A request outside any dialog.
    pub fn new_request(&mut self, method: &str, uri: &str) -> Message {
        self.cseq += 1;
        let branch = self.branch();
        let mut headers = vec![
            ("Via".to_owned(), format!("SIP/2.0/UDP {};branch={branch}", self.address)),
            ("From".to_owned(), format!("<sip:{}@example.com>;tag={}", self.name, self.tag)),
            ("To".to_owned(), format!("<{uri}>")),
            ("Call-ID".to_owned(), self.call_id.clone()),
            ("CSeq".to_owned(), format!("{} {method}", self.cseq)),
            ("Max-Forwards".to_owned(), "70".to_owned()),
        ];
        if matches!(method, "INVITE" | "SUBSCRIBE" | "REGISTER") {
            headers.push(("Contact".to_owned(), format!("<sip:{}@{}>", self.name, self.address)));
        }
        headers.push(("Content-Length".to_owned(), "0".to_owned()));
        Message { first: format!("{method} {uri} SIP/2.0"), headers, body: String::new() }
    }

    /// A request inside the dialog of the last INVITE, from either side.
    pub fn request_within(&mut self, method: &str) -> Result<Message, String> {
        let (from, to, target, invite_cseq) = if let Some(answer) = &self.answer {
            let cseq = answer.value("CSeq").and_then(|value| value.split(' ').next()?.parse::<u32>().ok()).unwrap_or(1);
            let target = answer.value("Contact").map(uri_of).unwrap_or_default().to_owned();
            (own(answer, "From"), own(answer, "To"), target, cseq)
        } else if let Some(invite) = &self.invite_received {
            let target = invite.value("Contact").map(uri_of).unwrap_or_default().to_owned();
            (format!("{};tag={}", own(invite, "To"), self.tag), own(invite, "From"), target, 1)
        } else {
            return Err(format!("{} is in no dialog", self.name));
        };
        let number = if method == "ACK" {
            invite_cseq
        } else {
            self.cseq += 1;
            self.cseq
        };
        let branch = self.branch();
        let mut headers = vec![("Via".to_owned(), format!("SIP/2.0/UDP {};branch={branch}", self.address))];
        headers.extend(self.routes.iter().map(|route| ("Route".to_owned(), route.clone())));
        headers.push(("From".to_owned(), from));
        headers.push(("To".to_owned(), to));
        headers.push(("Call-ID".to_owned(), self.call_id.clone()));
        headers.push(("CSeq".to_owned(), format!("{number} {method}")));
        headers.push(("Max-Forwards".to_owned(), "70".to_owned()));
        if method == "INVITE" {
            headers.push(("Contact".to_owned(), format!("<sip:{}@{}>", self.name, self.address)));
        }
        headers.push(("Content-Length".to_owned(), "0".to_owned()));
        Ok(Message { first: format!("{method} {target} SIP/2.0"), headers, body: String::new() })
    }

    /// CANCEL, or the ACK to a final reply that is not 2xx: same branch as the INVITE.
    pub fn hop_request(&mut self, method: &str) -> Result<Message, String> {
        let invite = self.last_invite_sent.clone().ok_or("no INVITE was sent")?;
        let number = invite.value("CSeq").and_then(|value| value.split(' ').next()).unwrap_or("1").to_owned();
        let to = match (method, &self.last_reply_received) {
            ("ACK", Some(reply)) => own(reply, "To"),
            _ => own(&invite, "To"),
        };
        let mut headers = vec![("Via".to_owned(), own(&invite, "Via"))];
        headers.extend(invite.values("Route").into_iter().map(|route| ("Route".to_owned(), route.to_owned())));
        headers.push(("From".to_owned(), own(&invite, "From")));
        headers.push(("To".to_owned(), to));
        headers.push(("Call-ID".to_owned(), own(&invite, "Call-ID")));
        headers.push(("CSeq".to_owned(), format!("{number} {method}")));
        headers.push(("Max-Forwards".to_owned(), "70".to_owned()));
        headers.push(("Content-Length".to_owned(), "0".to_owned()));
        Ok(Message { first: format!("{method} {} SIP/2.0", invite.request_uri()), headers, body: String::new() })
    }

    /// A reply to the last request received (or the last one with this method).
    pub fn reply(&self, code: u16, reason: &str, to_method: Option<&str>) -> Result<Message, String> {
        let request = match to_method {
            Some("INVITE") => self.invite_received.as_ref(),
            Some(method) => self.last_request_received.as_ref().filter(|request| request.method() == method),
            None => self.last_request_received.as_ref(),
        }
        .ok_or_else(|| format!("{} has received no such request", self.name))?;
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, value) in &request.headers {
            let keep = ["via", "from", "call-id", "cseq"].iter().any(|wanted| same(name, wanted));
            if keep || (name.eq_ignore_ascii_case("Record-Route") && code < 300) {
                headers.push((name.clone(), value.clone()));
            } else if same(name, "To") {
                let tagged =
                    if parameter(value, "tag").is_none() && code > 100 { format!("{value};tag={}", self.tag) } else { value.clone() };
                headers.push((name.clone(), tagged));
            }
        }
        if request.method() == "INVITE" && (101..300).contains(&code) {
            headers.push(("Contact".to_owned(), format!("<sip:{}@{}>", self.name, self.address)));
        }
        headers.push(("Content-Length".to_owned(), "0".to_owned()));
        Ok(Message { first: format!("SIP/2.0 {code} {reason}"), headers, body: String::new() })
    }

    /// Sends to the proxy and remembers.
    pub fn send(&mut self, message: &Message) -> Result<(), String> {
        self.send_to(message, None)
    }

    /// Sends to an address, the proxy's unless given, and remembers.
    pub fn send_to(&mut self, message: &Message, destination: Option<&str>) -> Result<(), String> {
        self.send_bytes(&message.to_bytes(), destination.unwrap_or(&self.proxy))?;
        if message.status().is_none() {
            if message.method() == "INVITE" {
                self.last_invite_sent = Some(message.clone());
            }
            self.last_request_sent = Some(message.clone());
        }
        Ok(())
    }

    /// The next new message that is not a 100 (unless 100 is wanted): retransmissions are skipped.
    pub fn receive(&mut self, wanted: &str, patience: Duration) -> Result<Option<Message>, String> {
        let end = Instant::now() + patience;
        while let Some(bytes) = self.datagram(end)? {
            if self.seen.contains(&bytes) {
                continue;
            }
            let message = Message::parse(&bytes);
            self.seen.push(bytes);
            if message.status() == Some(100) && wanted != "100" {
                continue;
            }
            self.remember(&message);
            return Ok(Some(message));
        }
        Ok(None)
    }

    /// The next copy of a message seen before.
    pub fn receive_again(&mut self, patience: Duration) -> Result<Option<Message>, String> {
        let end = Instant::now() + patience;
        while let Some(bytes) = self.datagram(end)? {
            if self.seen.contains(&bytes) {
                return Ok(Some(Message::parse(&bytes)));
            }
        }
        Ok(None)
    }

    /// The next datagram; None when none has come by then.
    fn datagram(&self, end: Instant) -> Result<Option<Vec<u8>>, String> {
        let mut buffer = [0_u8; 65_535];
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.socket.set_read_timeout(Some(left)).map_err(|error| error.to_string())?;
            if let Ok(length) = self.socket.recv(&mut buffer) {
                return Ok(Some(buffer.get(..length).unwrap_or_default().to_vec()));
            }
        }
    }

    fn remember(&mut self, message: &Message) {
        match message.status() {
            None => {
                if message.method() == "INVITE" {
                    if parameter(&own(message, "To"), "tag").is_none() {
                        self.routes = recorded_routes(message);
                    }
                    self.invite_received = Some(message.clone());
                }
                if message.method() != "ACK" {
                    self.last_request_received = Some(message.clone());
                }
            }
            Some(code) => {
                self.last_reply_received = Some(message.clone());
                if message.method() == "INVITE" && (101..300).contains(&code) && parameter(&own(message, "To"), "tag").is_some() {
                    let is_first = self.last_invite_sent.as_ref().is_none_or(|invite| parameter(&own(invite, "To"), "tag").is_none());
                    if is_first {
                        self.routes = recorded_routes(message);
                        self.routes.reverse();
                    }
                    self.answer = Some(message.clone());
                }
            }
        }
    }
}

fn own(message: &Message, name: &str) -> String {
    message.value(name).unwrap_or_default().to_owned()
}

fn recorded_routes(message: &Message) -> Vec<String> {
    message.values("Record-Route").iter().flat_map(|value| split_entries(value)).collect()
}

fn split_entries(value: &str) -> Vec<String> {
    value
        .split(">,")
        .map(|part| if part.ends_with('>') || !part.contains('<') { part.trim().to_owned() } else { format!("{}>", part.trim()) })
        .collect()
}
