//! Generated configurations run on both subjects; what their scripts log must be the same, line by line.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::Options;
use crate::agent::{Agent, PATIENCE};
use crate::generate::{self, Generated};
use crate::message::Message;
use crate::subject::{Subject, free_port};

/// Configurations compared by the command unless it says how many.
const COUNT_DEFAULT: usize = 100;

/// `language [COUNT] [--from SEED] [--jobs N] [--show FOLDER]`: compares so many seeds, or writes the configuration of one to look at.
pub fn command(arguments: &[String], options: &Options) -> bool {
    let mut options = options.clone();
    let (mut count, mut first) = (COUNT_DEFAULT, 1);
    let mut words = arguments.iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "--from" => first = words.next().and_then(|seed| seed.parse().ok()).unwrap_or(first),
            "--jobs" => options.jobs = words.next().and_then(|jobs| jobs.parse().ok()).unwrap_or(options.jobs).max(1),
            "--show" => return words.next().is_some_and(|folder| show(first, Path::new(folder)).is_ok()),
            number => count = number.parse().unwrap_or(count),
        }
    }
    run(first, count, &options)
}

/// Is the real one installed?
pub fn has_kamailio() -> bool {
    Command::new("kamailio").arg("-v").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
}

/// Compares `count` seeds from `first` on, a few side by side. False: some differ. Without Kamailio it is skipped by name.
pub fn run(first: u64, count: usize, options: &Options) -> bool {
    if !has_kamailio() {
        println!("skip generated configurations: kamailio is not installed");
        return true;
    }
    let next = AtomicUsize::new(0);
    let results = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= count {
                        return;
                    }
                    let seed = first + index as u64;
                    let result = compare(seed, options);
                    if let Ok(mut results) = results.lock() {
                        results.insert(seed, result);
                    }
                }
            });
        }
    });
    let results = results.into_inner().unwrap_or_default();
    let lines: usize = results.values().filter_map(|result| result.as_ref().ok()).flatten().sum();
    let undecided = results.values().filter(|result| matches!(result, Ok(None))).count();
    let mut differing = count - results.len();
    for (seed, reason) in results.iter().filter_map(|(seed, result)| result.as_ref().err().map(|reason| (seed, reason))) {
        differing += 1;
        println!("FAIL generated configuration {seed}\n     {}", reason.replace('\n', "\n     "));
    }
    println!("{} generated configurations agree in {lines} lines, {differing} differ", count - differing - undecided);
    if undecided > 0 {
        println!("{undecided} ended Kamailio itself");
    }
    differing == 0
}

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
    let proxy = format!("127.0.0.1:{}", free_port()?);
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
