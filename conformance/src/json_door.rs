//! Calls through the JSON datagram socket of `jsonrpcs`, as monitoring tools make them.

use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Longest answer.
const ANSWER_BYTES_MAX: usize = 128 * 1024;

static CALLS: AtomicU32 = AtomicU32::new(0);

/// The answer to a command; the subject must have loaded `jsonrpcs` with its default socket.
pub fn call(folder: &Path, words: &[&str]) -> Result<String, String> {
    let (method, arguments) = words.split_first().ok_or("json without a method")?;
    let own = folder.join(format!("json-{}", CALLS.fetch_add(1, Ordering::Relaxed)));
    let socket = UnixDatagram::bind(&own).map_err(|error| error.to_string())?;
    let answer = exchange(&socket, folder, &request(method, arguments));
    let _ = std::fs::remove_file(&own);
    answer
}

fn exchange(socket: &UnixDatagram, folder: &Path, request: &str) -> Result<String, String> {
    socket.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
    socket.send_to(request.as_bytes(), folder.join("kamailio_rpc.sock")).map_err(|error| format!("kamailio_rpc.sock: {error}"))?;
    let mut buffer = vec![0; ANSWER_BYTES_MAX];
    let length = socket.recv(&mut buffer).map_err(|error| format!("no JSON answer: {error}"))?;
    buffer.truncate(length);
    Ok(String::from_utf8_lossy(&buffer).into_owned())
}

/// Numbers travel as numbers; `s:` in front keeps a word text, as `kamcmd` has it.
pub fn request(method: &str, arguments: &[&str]) -> String {
    let parameters: Vec<String> = arguments
        .iter()
        .map(|word| match word.strip_prefix("s:") {
            Some(text) => quoted(text),
            None if word.parse::<f64>().is_ok() => (*word).to_owned(),
            None => quoted(word),
        })
        .collect();
    format!("{{\"jsonrpc\":\"2.0\",\"method\":{},\"params\":[{}],\"id\":7}}", quoted(method), parameters.join(","))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(test)]
mod tests {
    use super::request;

    #[test]
    fn words_become_parameters() {
        let expected = r#"{"jsonrpc":"2.0","method":"a.b","params":[5,"5","x\"y",2.5],"id":7}"#;
        assert_eq!(request("a.b", &["5", "s:5", "x\"y", "2.5"]), expected);
    }
}
