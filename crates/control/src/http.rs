//! JSON-RPC over HTTP: the smallest server that kamcli and curl need, one request after the other on a connection.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

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
            Taken::Request(body, is_kept) => {
                let answer = answer(&body, is_pretty, caller.as_ref()).wait();
                if stream.write_all(&answer).is_err() || !is_kept {
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
    /// Body, and whether the connection is kept.
    Request(Vec<u8>, bool),
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
    let mut is_kept = first.ends_with("HTTP/1.1");
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
    Taken::Request(body, is_kept)
}

/// The whole HTTP answer to a JSON-RPC body.
pub fn answer(body: &[u8], is_pretty: bool, caller: &dyn Caller) -> Outcome<Vec<u8>> {
    json::answer(caller, body, is_pretty).map(|answer| write(&answer))
}

fn write(answer: &json::Answer) -> Vec<u8> {
    format!(
        "HTTP/1.1 {} {}\r\nContent-Type: application/json\r\nServer: duolog\r\nContent-Length: {}\r\n\r\n{}",
        answer.http_status,
        answer.http_reason,
        answer.text.len(),
        answer.text
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_taken_when_it_is_whole() {
        let mut buffer = b"POST /RPC HTTP/1.1\r\nContent-Length: 2\r\n\r\n{".to_vec();
        assert_eq!(take(&mut buffer), Taken::Incomplete);
        buffer.extend_from_slice(b"}POST");
        assert_eq!(take(&mut buffer), Taken::Request(b"{}".to_vec(), true));
        assert_eq!(buffer, b"POST");
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
