//! Calls through JSON-RPC over HTTP, at the second address of a case.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::json_door;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Longest answer.
const ANSWER_BYTES_MAX: u64 = 1024 * 1024;
/// Lines of a header.
const LINES_MAX: usize = 64;

/// The body of the answer to a command.
pub fn call(address: &str, words: &[&str]) -> Result<String, String> {
    let (method, arguments) = words.split_first().ok_or("http without a method")?;
    exchange(address, &json_door::request(method, arguments)).map_err(|error| format!("HTTP at {address}: {error}"))
}

fn exchange(address: &str, body: &str) -> Result<String, std::io::Error> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    // Kamailio takes a request for HTTP only if it has a Via it can read.
    write!(
        stream,
        "POST /RPC HTTP/1.1\r\nHost: {address}\r\nVia: SIP/2.0/TCP {address}\r\nContent-Type: application/json\r\n\
         Connection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    read_answer(&mut BufReader::new(stream.take(ANSWER_BYTES_MAX)))
}

fn read_answer(from: &mut impl BufRead) -> Result<String, std::io::Error> {
    let (mut length, mut is_chunked) = (None, false);
    for _ in 0..LINES_MAX {
        let line = line(from)?;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok(),
            "transfer-encoding" => is_chunked = value.trim().eq_ignore_ascii_case("chunked"),
            _ => {}
        }
    }
    let mut body = Vec::new();
    if is_chunked {
        while let Some(size) = u64::from_str_radix(&line(from)?, 16).ok().filter(|size| *size > 0) {
            from.by_ref().take(size).read_to_end(&mut body)?;
            line(from)?;
        }
    } else {
        from.take(length.unwrap_or(ANSWER_BYTES_MAX)).read_to_end(&mut body)?;
    }
    Ok(String::from_utf8_lossy(&body).into_owned())
}

fn line(from: &mut impl BufRead) -> Result<String, std::io::Error> {
    let mut line = String::new();
    from.read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::read_answer;

    #[test]
    fn a_body_ends_by_length_by_chunks_or_with_the_connection() {
        let answer = |text: &str| read_answer(&mut text.as_bytes()).unwrap();
        assert_eq!(answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}\nmore"), "{}\n");
        assert_eq!(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nA\r\n0123456789\r\n0\r\n\r\n"), "{}0123456789");
        assert_eq!(answer("HTTP/1.0 200 OK\r\nServer: x\r\n\r\n[1]"), "[1]");
    }
}
