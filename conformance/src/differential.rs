//! Generated configurations run on both subjects; what their scripts log must be the same, line by line.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::Options;
use crate::agent::{Agent, PATIENCE};
use crate::generate::{self, Generated};
use crate::message::Message;
use crate::seeds::Kind;
use crate::subject::Subject;

/// Random configurations.
pub const LANGUAGE: Kind = Kind { name: "generated configurations", compare, show };

/// The number of lines both subjects logged alike, none when the configuration ended Kamailio; the error says where they part.
fn compare(seed: u64, options: &Options) -> Result<Option<usize>, String> {
    let generated = generate::configuration(seed);
    let kamailio = Options { subject: "kamailio".to_owned(), program: None, ..options.clone() };
    let reference = log_of(seed, &generated, &kamailio)?;
    let found = log_of(seed, &generated, options)?.ok_or_else(|| format!("{} died", options.subject))?;
    let Some(reference) = reference else { return Ok(None) };
    if reference == found {
        return Ok(Some(reference.len()));
    }
    let same = reference.iter().zip(&found).take_while(|(left, right)| left == right).count();
    let line = |lines: &[String]| lines.get(same).cloned().unwrap_or_else(|| "(nothing)".to_owned());
    let statement = line(&reference).split(' ').next().unwrap_or_default().to_owned();
    let place = generated.configuration.lines().position(|text| text.contains(&format!("\"{statement} "))).unwrap_or(0);
    let shown: Vec<&str> = generated.configuration.lines().skip(place.saturating_sub(6)).take(7).collect();
    Err(format!("kamailio: {}\nfound:    {}\nafter:\n{}", line(&reference), line(&found), shown.join("\n")))
}

/// What the script logs for one INVITE; none when the subject died of it.
fn log_of(seed: u64, generated: &Generated, options: &Options) -> Result<Option<Vec<String>>, String> {
    let proxy = format!("127.0.0.1:{}", loopback_ports::free_port()?);
    let mut agent = Agent::new("alice", &proxy, "generated-call")?;
    let name = format!("generated-{seed}-{}", options.subject);
    let configuration = generated.configuration.replace("@PROXY@", &proxy);
    let mut subject = match Subject::start_with_files(options, &name, &configuration, &proxy, &generated.files) {
        Ok(subject) => subject,
        Err(reason) => return Err(format!("{} refuses it\n{reason}", options.subject)),
    };
    let request = invite(&mut agent);
    agent.send(&request)?;
    let mut last = agent.new_request("INFO", "sip:bob@example.com");
    let end = Instant::now() + PATIENCE;
    loop {
        agent.send(&last)?;
        std::thread::sleep(Duration::from_millis(15));
        let log = subject.log();
        if log.contains(generate::END) {
            return Ok(Some(lines(&log, &proxy)));
        }
        if !subject.is_alive() {
            return Ok(None);
        }
        if Instant::now() > end {
            return Err(format!("{} did not come to the end\n{}", options.subject, subject.log_tail()));
        }
        last = agent.new_request("INFO", "sip:bob@example.com");
    }
}

/// The request every generated configuration looks at.
fn invite(agent: &mut Agent) -> Message {
    let mut message = agent.new_request("INVITE", "sip:bob@example.com");
    for (name, value) in [
        ("Contact", "<sip:alice@10.0.0.1:5062;transport=udp>"),
        ("X-List", "a,b, c"),
        ("X-List", "second"),
        ("X-Param", "a=1;b=\"two\";c"),
        ("Content-Type", "application/sdp"),
    ] {
        message.headers.insert(message.headers.len() - 1, (name.to_owned(), value.to_owned()));
    }
    message.headers.retain(|(name, value)| name != "Contact" || value.contains("10.0.0.1"));
    message.body = "v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n".to_owned();
    message.headers.retain(|(name, _)| name != "Content-Length");
    message.headers.push(("Content-Length".to_owned(), message.body.len().to_string()));
    message
}

/// The marked lines up to the end, with what follows them when a value has line ends in it.
fn lines(log: &str, proxy: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in log.lines() {
        if let Some(at) = line.find(generate::MARK).filter(|_| line.contains("<script>: ")) {
            let text = line.get(at..).unwrap_or_default().replace(proxy, "PROXY");
            if text.starts_with(generate::END) {
                break;
            }
            found.push(text);
        } else if let Some(last) = found.last_mut().filter(|last| !last.ends_with(']')) {
            last.push('\n');
            last.push_str(line);
        }
    }
    // How control characters look in the log is the log's own business.
    found.iter().map(|line| printable(line)).collect()
}

fn printable(line: &str) -> String {
    line.chars().filter(|character| !character.is_control()).collect()
}

/// Writes the configuration of a seed to look at.
fn show(seed: u64, folder: &Path) -> std::io::Result<()> {
    let generated = generate::configuration(seed);
    std::fs::write(folder.join("generated.cfg"), generated.configuration)?;
    generated.files.iter().try_for_each(|(name, text)| std::fs::write(folder.join(name), text))
}
