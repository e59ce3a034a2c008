//! JSON-RPC over HTTP: the smallest server that kamcli and curl need, one request after the other on a connection.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use crate::json::Body;
use crate::limits::{CONNECTION_IDLE_SECONDS, CONNECTIONS_MAX, HTTP_HEAD_BYTES_MAX, JSON_REQUEST_BYTES_MAX};
use crate::listener::{Listeners, accepted, spawn};
use crate::{Caller, Outcome, json};

impl Listeners {
    /// Serves JSON-RPC over HTTP on a TCP address.
    pub fn open_http(&mut self, address: SocketAddr, is_pretty: bool, caller: &Arc<dyn Caller>) -> io::Result<SocketAddr> {
        let listener = TcpListener::bind(address)?;
        let bound = listener.local_addr()?;
        let caller = Arc::clone(caller);
        let seats = Arc::new(());
        spawn("ctl-http", move || {
            for stream in listener.incoming().filter_map(accepted) {
                let _ = stream.set_read_timeout(Some(Duration::from_secs(CONNECTION_IDLE_SECONDS)));
                let _ = stream.set_write_timeout(Some(Duration::from_secs(CONNECTION_IDLE_SECONDS)));
                // Pieces of an answer do not wait for each other's acknowledgement.
                let _ = stream.set_nodelay(true);
                // The clone in the thread is the connection's seat; it is given back when the thread ends or never starts.
                if Arc::strong_count(&seats) > CONNECTIONS_MAX {
                    caller.log(0, "too many HTTP control connections; one was closed");
                    continue;
                }
                let (caller, seat) = (Arc::clone(&caller), Arc::clone(&seats));
                let _ = spawn("ctl-http-conn", move || {
                    serve(stream, is_pretty, &caller);
                    drop(seat);
                });
            }
        })?;
        Ok(bound)
    }
}

fn serve(mut stream: TcpStream, is_pretty: bool, caller: &Arc<dyn Caller>) {
    let mut buffer = Vec::new();
    let mut chunk = [0_u8; 4096];
    loop {
        match take(&mut buffer) {
            Taken::Request { body, is_kept, takes_chunks } => {
                let answer = json::answer(caller.as_ref(), &body, is_pretty).wait();
                let written = match answer.body {
                    Body::InPieces(_) if !takes_chunks => pour_until_closed(&mut stream, answer),
                    Body::InPieces(_) => pour_in_chunks(&mut stream, answer),
                    Body::Whole(_) => stream.write_all(&whole(answer, usize::MAX, is_pretty)).map(|()| true),
                };
                if !written.is_ok_and(|goes_on| goes_on && is_kept) {
                    return;
                }
                continue;
            }
            Taken::Refused(status) => {
                let _ = stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes());
                return;
            }
            Taken::Incomplete => {}
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return,
            Ok(length) => buffer.extend_from_slice(chunk.get(..length).unwrap_or_default()),
        }
    }
}

/// What a buffer of HTTP bytes holds.
#[derive(Debug, PartialEq, Eq)]
enum Taken {
    /// `is_kept`: more requests may follow. `takes_chunks`: HTTP/1.1, so an answer may come without its length.
    Request {
        body: Vec<u8>,
        is_kept: bool,
        takes_chunks: bool,
    },
    Refused(&'static str),
    Incomplete,
}

fn take(buffer: &mut Vec<u8>) -> Taken {
    let Some(head_end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if buffer.len() > HTTP_HEAD_BYTES_MAX { Taken::Refused("431 Request Header Fields Too Large") } else { Taken::Incomplete };
    };
    let head = String::from_utf8_lossy(buffer.get(..head_end).unwrap_or_default()).into_owned();
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    if !first.starts_with("POST ") {
        return Taken::Refused("405 Method Not Allowed");
    }
    let mut length = None;
    let takes_chunks = first.ends_with("HTTP/1.1");
    let mut is_kept = takes_chunks;
    for line in lines {
        let Some((name, value)) = line.split_once(':') else { return Taken::Refused("400 Bad Request") };
        if name.eq_ignore_ascii_case("Content-Length") {
            match value.trim().parse::<usize>() {
                Ok(number) if length.is_none_or(|earlier| earlier == number) => length = Some(number),
                _ => return Taken::Refused("400 Bad Request"),
            }
        } else if name.eq_ignore_ascii_case("Connection") {
            is_kept = value.trim().eq_ignore_ascii_case("keep-alive") || (is_kept && !value.trim().eq_ignore_ascii_case("close"));
        } else if name.eq_ignore_ascii_case("Transfer-Encoding") {
            return Taken::Refused("501 Not Implemented");
        }
    }
    let Some(length) = length else { return Taken::Refused("411 Length Required") };
    if length > JSON_REQUEST_BYTES_MAX {
        return Taken::Refused("413 Content Too Large");
    }
    let body_start = head_end + 4;
    let Some(body) = buffer.get(body_start..body_start + length).map(<[u8]>::to_vec) else { return Taken::Incomplete };
    buffer.drain(..body_start + length);
    Taken::Request { body, is_kept, takes_chunks }
}

/// The whole HTTP answer to a JSON-RPC body; a long one becomes a fault at `bytes_max`.
pub fn answer(body: &[u8], is_pretty: bool, bytes_max: usize, caller: &dyn Caller) -> Outcome<Vec<u8>> {
    json::answer(caller, body, is_pretty).map(move |answer| whole(answer, bytes_max, is_pretty))
}

fn head(answer: &json::Answer, framing: &str) -> String {
    // A fault may repeat what it was asked for, which must not begin another line.
    let (status, reason) = (answer.http_status, answer.http_reason.replace(char::is_control, " "));
    format!("HTTP/1.1 {status} {reason}\r\nContent-Type: application/json\r\nServer: duolog\r\n{framing}\r\n\r\n")
}

fn whole(mut answer: json::Answer, bytes_max: usize, is_pretty: bool) -> Vec<u8> {
    let text = std::mem::replace(&mut answer.body, Body::Whole(String::new())).whole(bytes_max, is_pretty);
    (head(&answer, &format!("Content-Length: {}", text.len())) + &text).into_bytes()
}

/// Writes a long answer piece by piece (RFC 9112 §7.1).
fn pour_in_chunks(stream: &mut TcpStream, answer: json::Answer) -> io::Result<bool> {
    stream.write_all(head(&answer, "Transfer-Encoding: chunked").as_bytes())?;
    answer.body.pour(|piece| {
        let size = format!("{:x}\r\n", piece.len());
        stream.write_all(&[size.as_bytes(), piece, b"\r\n"].concat())
    })?;
    stream.write_all(b"0\r\n\r\n").map(|()| true)
}

/// The same for HTTP/1.0: the end of the answer is the end of the connection.
fn pour_until_closed(stream: &mut TcpStream, answer: json::Answer) -> io::Result<bool> {
    stream.write_all(head(&answer, "Connection: close").as_bytes())?;
    answer.body.pour(|piece| stream.write_all(piece)).map(|()| false)
}

#[cfg(test)]
mod tests {
    use modules::rpc::{Fault, Parameters, Reply};

    use super::*;

    #[test]
    fn a_request_is_taken_when_it_is_whole() {
        let mut buffer = b"POST /RPC HTTP/1.1\r\nContent-Length: 2\r\n\r\n{".to_vec();
        assert_eq!(take(&mut buffer), Taken::Incomplete);
        buffer.extend_from_slice(b"}POST");
        assert_eq!(take(&mut buffer), Taken::Request { body: b"{}".to_vec(), is_kept: true, takes_chunks: true });
        assert_eq!(buffer, b"POST");
    }

    /// Says what it was asked for, as many commands do.
    struct Refusing;

    impl Caller for Refusing {
        fn call(&self, _: &str, parameters: &mut Parameters) -> Outcome<Result<Reply, Fault>> {
            let name = parameters.text().unwrap_or_default();
            Outcome::Done(Err(Fault::new(404, format!("not found: {}", String::from_utf8_lossy(&name)))))
        }

        fn is_array(&self, _: &str) -> Option<bool> {
            Some(false)
        }

        fn log(&self, _: i32, _: &str) {}
    }

    #[test]
    fn what_a_fault_says_stays_on_the_status_line() {
        let request = br#"{"jsonrpc":"2.0","method":"m","params":["x\r\nContent-Length: 0\r\n\r\ny"],"id":1}"#;
        let answer = String::from_utf8(answer(request, false, usize::MAX, &Refusing).wait()).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 404 not found: x  Content-Length: 0    y\r\n"), "{head}");
        assert!(body.starts_with('{') && head.ends_with(&format!("Content-Length: {}", body.len())), "{answer}");
    }

    #[test]
    fn smuggling_shapes_are_refused() {
        for text in [
            "POST / HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n",
            "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            "GET / HTTP/1.1\r\n\r\n",
        ] {
            assert!(matches!(take(&mut text.as_bytes().to_vec()), Taken::Refused(_)), "{text}");
        }
    }
}
