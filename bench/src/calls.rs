//! Two user agents of our own for calls by the hundred thousand: real SIP over UDP, no state beside what a call needs.

use std::collections::HashMap;
use std::io;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::subject::Subject;

/// When a request without an answer is sent again, how often at most.
const RETRY_AFTER: Duration = Duration::from_millis(500);
const RETRIES_MAX: u32 = 8;
/// Requests without an answer at one time while calls are set up as fast as possible.
const OPEN_MAX: usize = 100;
/// Accounts the calls are spread over.
const ACCOUNTS: u32 = 1_000;

/// Answers every INVITE with 180 and 200, and what ends a call with 200, until it is dropped.
pub struct Callee {
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Callee {
    /// Listens where the subject sends calls.
    pub fn start(subject: &Subject) -> Result<Callee, String> {
        let socket = UdpSocket::bind(&subject.gateway).map_err(|error| format!("{}: {error}", subject.gateway))?;
        socket.set_read_timeout(Some(Duration::from_millis(100))).map_err(|error| error.to_string())?;
        let is_over = Arc::new(AtomicBool::new(false));
        let (stop, contact) = (Arc::clone(&is_over), subject.gateway.clone());
        let thread = std::thread::spawn(move || answer(&socket, &contact, &stop));
        Ok(Callee { is_over, thread: Some(thread) })
    }
}

impl Drop for Callee {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn answer(socket: &UdpSocket, contact: &str, stop: &AtomicBool) {
    let mut buffer = [0_u8; 4_096];
    while !stop.load(Ordering::Acquire) {
        let Ok((length, source)) = socket.recv_from(&mut buffer) else { continue };
        let request = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
        let codes: &[&str] = match request.split(' ').next() {
            Some("INVITE") => &["180 Ringing", "200 OK"],
            Some("ACK") | None => &[],
            Some(_) => &["200 OK"],
        };
        for code in codes {
            let _ = socket.send_to(reply(&request, code, contact).as_bytes(), source);
        }
    }
}

fn reply(request: &str, code: &str, contact: &str) -> String {
    let mut reply = format!("SIP/2.0 {code}\r\n");
    for line in request.split("\r\n").skip(1).take_while(|line| !line.is_empty()) {
        match line.split(':').next() {
            Some("Via" | "Record-Route" | "From" | "Call-ID" | "CSeq") => reply.extend([line, "\r\n"]),
            Some("To") => reply.extend([line, if line.contains(";tag=") { "" } else { ";tag=callee" }, "\r\n"]),
            _ => {}
        }
    }
    reply + &format!("Contact: <sip:{contact}>\r\nContent-Length: 0\r\n\r\n")
}

/// Header lines of this name.
fn headers<'a>(message: &'a str, name: &str) -> Vec<&'a str> {
    let lines = message.split("\r\n").skip(1).take_while(|line| !line.is_empty());
    lines.filter_map(|line| line.split_once(": ").filter(|(own, _)| *own == name).map(|(_, value)| value)).collect()
}

/// What became of some calls.
#[derive(Debug, Clone, Default)]
pub struct Calls {
    pub answered: u32,
    pub failed: u32,
    /// Requests that had to be sent again.
    pub repeated: u32,
    /// INVITE to 200, milliseconds, sorted.
    pub times: Vec<f64>,
}

impl Calls {
    /// The time that this part of the calls did not exceed.
    pub fn time(&self, part: f64) -> f64 {
        self.times.get((self.times.len() as f64 * part) as usize).or(self.times.last()).copied().unwrap_or(0.0)
    }
}

/// A request that waits for its final reply.
struct Waiting {
    text: String,
    sent: Instant,
    first_sent: Instant,
    tries: u32,
    is_invite: bool,
}

/// A caller with a socket of its own; its calls have numbers that go on.
pub struct Caller {
    socket: UdpSocket,
    proxy: String,
    contact: String,
    next: u32,
    waiting: HashMap<u32, Waiting>,
}

impl Caller {
    /// Calls through the subject.
    pub fn new(subject: &Subject) -> Result<Caller, String> {
        let socket = UdpSocket::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let contact = socket.local_addr().map_err(|error| error.to_string())?.to_string();
        Ok(Caller { socket, proxy: subject.address.clone(), contact, next: 0, waiting: HashMap::new() })
    }

    /// Sets up so many calls as fast as they are answered, and leaves them up.
    pub fn hold(&mut self, count: u32, longest: Duration) -> Result<Calls, String> {
        self.run(count, longest, true, |caller, _| caller.waiting.len() < OPEN_MAX)
    }

    /// Makes `rate` calls a second for so long; each ends as soon as it is answered.
    pub fn call(&mut self, rate: u32, lasting: Duration) -> Result<Calls, String> {
        let first = self.next;
        let count = (f64::from(rate) * lasting.as_secs_f64()) as u32;
        let longest = lasting + RETRY_AFTER * RETRIES_MAX;
        self.run(count, longest, false, move |caller, since| since.as_secs_f64() * f64::from(rate) >= f64::from(caller.next - first))
    }

    fn run(&mut self, count: u32, longest: Duration, is_held: bool, is_time: impl Fn(&Caller, Duration) -> bool) -> Result<Calls, String> {
        let mut calls = Calls::default();
        let (start, last) = (Instant::now(), self.next + count);
        let mut next_look = start + RETRY_AFTER;
        self.socket.set_read_timeout(Some(Duration::from_micros(500))).map_err(|error| error.to_string())?;
        while self.next < last || !self.waiting.is_empty() {
            while self.next < last && is_time(self, start.elapsed()) {
                let number = self.next;
                self.next += 1;
                self.send(number, self.invite(number), true)?;
            }
            self.receive(is_held, &mut calls)?;
            if Instant::now() > next_look {
                next_look += RETRY_AFTER;
                self.repeat(&mut calls)?;
            }
            if start.elapsed() > longest {
                return Err(format!("calls did not come to an end: {} of {count} answered, {} failed", calls.answered, calls.failed));
            }
        }
        calls.times.sort_by(f64::total_cmp);
        Ok(calls)
    }

    fn send(&mut self, number: u32, text: String, is_invite: bool) -> Result<(), String> {
        self.socket.send_to(text.as_bytes(), &self.proxy).map_err(|error| error.to_string())?;
        let now = Instant::now();
        self.waiting.insert(number, Waiting { text, sent: now, first_sent: now, tries: 1, is_invite });
        Ok(())
    }

    /// Everything that has come.
    fn receive(&mut self, is_held: bool, calls: &mut Calls) -> Result<(), String> {
        let mut buffer = [0_u8; 4_096];
        match self.socket.recv_from(&mut buffer) {
            Ok((length, _)) => {
                let text = String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()).into_owned();
                self.take(&text, is_held, calls)
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted) => {
                Ok(())
            }
            Err(error) => Err(error.to_string()),
        }
    }

    fn take(&mut self, reply: &str, is_held: bool, calls: &mut Calls) -> Result<(), String> {
        let code: u32 = reply.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0);
        let number = headers(reply, "Call-ID").first().and_then(|id| id.split('-').next()?.parse::<u32>().ok());
        let Some(number) = number.filter(|_| code >= 200) else { return Ok(()) };
        let is_invite = headers(reply, "CSeq").first().is_some_and(|sequence| sequence.ends_with("INVITE"));
        let Some(waiting) = self.waiting.remove(&number) else { return Ok(()) };
        if waiting.is_invite != is_invite {
            // A late copy of the reply to the INVITE.
            self.waiting.insert(number, waiting);
            return Ok(());
        }
        if code >= 300 {
            calls.failed += 1;
            return Ok(());
        }
        if !is_invite {
            return Ok(());
        }
        calls.answered += 1;
        calls.times.push(waiting.first_sent.elapsed().as_secs_f64() * 1_000.0);
        let acknowledgement = self.within(number, "ACK", 1, reply);
        self.socket.send_to(acknowledgement.as_bytes(), &self.proxy).map_err(|error| error.to_string())?;
        if is_held { Ok(()) } else { self.send(number, self.within(number, "BYE", 2, reply), false) }
    }

    fn repeat(&mut self, calls: &mut Calls) -> Result<(), String> {
        let now = Instant::now();
        self.waiting.retain(|_, waiting| {
            let is_given_up = waiting.tries > RETRIES_MAX;
            calls.failed += u32::from(is_given_up);
            !is_given_up
        });
        for waiting in self.waiting.values_mut().filter(|waiting| now - waiting.sent >= RETRY_AFTER) {
            waiting.sent = now;
            waiting.tries += 1;
            calls.repeated += 1;
            self.socket.send_to(waiting.text.as_bytes(), &self.proxy).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// What all requests of a call have in common behind their first line and routes.
    fn common(&self, number: u32, method: &str, sequence: u32, to: &str) -> String {
        let (contact, account) = (&self.contact, number % ACCOUNTS);
        format!(
            "Via: SIP/2.0/UDP {contact};branch=z9hG4bK-{number}-{method}\r\nFrom: <sip:account{account}@example.com>;tag=caller{number}\r\n\
             To: {to}\r\nCall-ID: {number}-held@{contact}\r\nCSeq: {sequence} {method}\r\nContact: <sip:account{account}@{contact}>\r\n\
             Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
    }

    fn invite(&self, number: u32) -> String {
        format!("INVITE sip:bob@{} SIP/2.0\r\n{}", self.proxy, self.common(number, "INVITE", 1, "<sip:bob@example.com>"))
    }

    /// A request inside the call that this 2xx set up.
    fn within(&self, number: u32, method: &str, sequence: u32, reply: &str) -> String {
        let first = |name| headers(reply, name).first().copied().unwrap_or_default();
        let target = first("Contact").trim_start_matches('<').split('>').next().unwrap_or_default();
        let mut request = format!("{method} {target} SIP/2.0\r\n");
        for route in headers(reply, "Record-Route").iter().rev() {
            request.extend(["Route: ", route, "\r\n"]);
        }
        request + &self.common(number, method, sequence, first("To"))
    }
}
