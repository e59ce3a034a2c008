//! `duolog rpc METHOD [ARGUMENTS]`: asks a running proxy over its JSON datagram socket and prints the answer.

use std::os::unix::net::UnixDatagram;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use crate::command_line::CommandLine;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer.
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Sends the call and prints the answer; 1 when the proxy answered an error, 255 when it did not answer.
pub fn run(line: &CommandLine, method: &str, arguments: &[String]) -> ExitCode {
    let folder = line.runtime_directory.clone().unwrap_or_else(|| PathBuf::from("/run/kamailio"));
    match ask(&folder.join("kamailio_rpc.sock"), method, arguments) {
        Ok(answer) => {
            println!("{}", answer.trim_end());
            if answer.contains("\"error\"") { ExitCode::from(1) } else { ExitCode::SUCCESS }
        }
        Err(reason) => {
            eprintln!("duolog rpc: {reason}");
            ExitCode::from(255)
        }
    }
}

fn ask(socket: &std::path::Path, method: &str, arguments: &[String]) -> Result<String, String> {
    let own = std::env::temp_dir().join(format!("duolog_rpc_{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&own);
    let client = UnixDatagram::bind(&own).map_err(|error| format!("{}: {error}", own.display()))?;
    let answer = exchange(&client, socket, &request(method, arguments));
    let _ = std::fs::remove_file(&own);
    answer
}

fn exchange(client: &UnixDatagram, socket: &std::path::Path, request: &str) -> Result<String, String> {
    client.set_read_timeout(Some(PATIENCE)).map_err(|error| error.to_string())?;
    let missing = |error: std::io::Error| {
        format!("{}: {error}; is a proxy running with loadmodule \"jsonrpcs\"? (-Y DIR names its runtime directory)", socket.display())
    };
    client.send_to(request.as_bytes(), socket).map_err(missing)?;
    let mut buffer = vec![0_u8; ANSWER_BYTES_MAX];
    let length = client.recv(&mut buffer).map_err(|error| format!("no answer: {error}"))?;
    buffer.truncate(length);
    Ok(String::from_utf8_lossy(&buffer).into_owned())
}

/// Words that are numbers travel as numbers; `s:` in front keeps them text.
fn request(method: &str, arguments: &[String]) -> String {
    let parameters: Vec<String> = arguments
        .iter()
        .map(|word| match (word.strip_prefix("s:"), word.parse::<i64>()) {
            (Some(text), _) => quoted(text),
            (None, Ok(number)) => number.to_string(),
            (None, Err(_)) => quoted(word),
        })
        .collect();
    format!("{{\"jsonrpc\":\"2.0\",\"method\":{},\"params\":[{}],\"id\":1}}", quoted(method), parameters.join(","))
}

fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => out.extend(['\\', letter]),
            control if (control as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", control as u32)),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::request;

    #[test]
    fn numbers_and_texts_are_told_apart() {
        let words = ["5", "s:5", "a\"b"].map(str::to_owned);
        assert_eq!(request("x.y", &words), r#"{"jsonrpc":"2.0","method":"x.y","params":[5,"5","a\"b"],"id":1}"#);
    }
}
