//! The steps of a timeline, read from its lines.

/// The detail that names the product a step is for.
const ON: &str = "on: ";

/// One step with the lines indented under it.
#[derive(Debug)]
pub struct Step {
    pub line: usize,
    pub kind: Kind,
    pub details: Vec<String>,
    /// The product the step is for (`on: kamailio`): a difference that is meant, left out of the trace.
    pub on: Option<String>,
}

/// What a step does.
#[derive(Debug)]
pub enum Kind {
    /// `alice -> INVITE sip:...` outside a dialog, `alice => BYE` inside, `bob -> 180 Ringing [METHOD]` a reply.
    SendRequest {
        agent: String,
        method: String,
        uri: Option<String>,
        is_within: bool,
    },
    SendReply {
        agent: String,
        code: u16,
        reason: String,
        method: Option<String>,
    },
    /// `alice ack`, `alice cancel`: hop by hop, the INVITE's branch.
    HopRequest {
        agent: String,
        method: String,
    },
    /// `alice repeat`: the last request again, byte for byte.
    Repeat {
        agent: String,
    },
    /// `alice raw`: the details are the message.
    Raw {
        agent: String,
    },
    /// `bob <- INVITE`, `alice <- 486`.
    Expect {
        agent: String,
        what: String,
    },
    /// `alice again`: a retransmission of something seen comes.
    Again {
        agent: String,
    },
    /// `bob sipp answers.xml`: the agent is played by SIPp from now on; details say how many calls and over what.
    Sipp {
        agent: String,
        scenario: String,
    },
    /// `bob ends`: the SIPp of this agent has done all its calls.
    Ends {
        agent: String,
    },
    /// `bob silent 300`.
    Silent {
        agent: String,
        milliseconds: u64,
    },
    /// `rpc METHOD ARGS`: details `= part of a line`, `! absent`. Polled until it holds.
    Rpc {
        words: Vec<String>,
    },
    /// `json METHOD ARGS`: the same through the JSON datagram socket of `jsonrpcs`.
    Json {
        words: Vec<String>,
    },
    /// `http METHOD ARGS`: the same over HTTP at the case's second address.
    Http {
        words: Vec<String>,
    },
    /// `log TEXT` / `nolog TEXT`.
    Log {
        text: String,
        is_absent: bool,
    },
    /// `logged PREFIX`: the lines the script logged so far that begin so become part of the trace.
    Logged {
        prefix: String,
    },
    /// `sql STATEMENT`: asks the case's database; details as for `rpc`.
    Sql {
        statement: String,
    },
    /// `stop`: the subject ends by SIGTERM. `kill`: by SIGKILL.
    Stop {
        is_killed: bool,
    },
    /// `start`: the subject starts again on the same files. `start other`: Kamailio after Duolog, Duolog after Kamailio.
    /// With the detail `refused` it must not start.
    Start {
        is_other: bool,
    },
    /// `refused`: the subject must not start with this configuration. Nothing but `log` steps follow.
    Refused,
    /// `wait 500`: lets the subject's own clock pass.
    Wait {
        milliseconds: u64,
    },
}

/// Reads all steps.
pub fn read(lines: &[(usize, String)]) -> Result<Vec<Step>, String> {
    let mut steps: Vec<Step> = Vec::new();
    for (line, text) in lines {
        if text.trim().is_empty() || text.starts_with('#') {
            if let Some(Step { kind: Kind::Raw { .. }, details, .. }) = steps.last_mut() {
                details.push(String::new());
            }
            continue;
        }
        if let Some(detail) = text.strip_prefix("  ") {
            let step = steps.last_mut().ok_or_else(|| format!("line {line}: a detail without a step"))?;
            match detail.strip_prefix(ON) {
                Some(product) => step.on = Some(product.to_owned()),
                None => step.details.push(detail.to_owned()),
            }
            continue;
        }
        let kind = step(text).ok_or_else(|| format!("line {line}: no such step: {text}"))?;
        steps.push(Step { line: *line, kind, details: Vec::new(), on: None });
    }
    Ok(steps)
}

fn step(text: &str) -> Option<Kind> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let first = (*words.first()?).to_owned();
    match (first.as_str(), words.get(1).copied()) {
        ("rpc", Some(_)) => return Some(Kind::Rpc { words: quoted_words(text.strip_prefix("rpc ")?) }),
        ("json", Some(_)) => return Some(Kind::Json { words: quoted_words(text.strip_prefix("json ")?) }),
        ("http", Some(_)) => return Some(Kind::Http { words: quoted_words(text.strip_prefix("http ")?) }),
        ("log", Some(_)) => return Some(Kind::Log { text: text.strip_prefix("log ")?.to_owned(), is_absent: false }),
        ("nolog", Some(_)) => return Some(Kind::Log { text: text.strip_prefix("nolog ")?.to_owned(), is_absent: true }),
        ("logged", Some(_)) => return Some(Kind::Logged { prefix: text.strip_prefix("logged ")?.to_owned() }),
        ("sql", Some(_)) => return Some(Kind::Sql { statement: text.strip_prefix("sql ")?.to_owned() }),
        ("stop", None) => return Some(Kind::Stop { is_killed: false }),
        ("kill", None) => return Some(Kind::Stop { is_killed: true }),
        ("start", None) => return Some(Kind::Start { is_other: false }),
        ("start", Some("other")) => return Some(Kind::Start { is_other: true }),
        ("refused", None) => return Some(Kind::Refused),
        ("wait", Some(milliseconds)) => return Some(Kind::Wait { milliseconds: milliseconds.parse().ok()? }),
        _ => {}
    }
    let agent = first;
    let third = words.get(2).map(|word| (*word).to_owned());
    match words.get(1).copied()? {
        "<-" => Some(Kind::Expect { agent, what: third? }),
        "->" => {
            let word = third?;
            match word.parse::<u16>() {
                Ok(code) => {
                    let method = words.last().and_then(|last| last.strip_prefix('[')?.strip_suffix(']')).map(str::to_owned);
                    let rest: Vec<&str> = words.iter().skip(3).copied().filter(|part| !part.starts_with('[')).collect();
                    let reason = if rest.is_empty() { default_reason(code).to_owned() } else { rest.join(" ") };
                    Some(Kind::SendReply { agent, code, reason, method })
                }
                Err(_) => Some(Kind::SendRequest { agent, method: word, uri: words.get(3).map(|uri| (*uri).to_owned()), is_within: false }),
            }
        }
        "=>" => Some(Kind::SendRequest { agent, method: third?, uri: None, is_within: true }),
        "ack" => Some(Kind::HopRequest { agent, method: "ACK".to_owned() }),
        "cancel" => Some(Kind::HopRequest { agent, method: "CANCEL".to_owned() }),
        "repeat" => Some(Kind::Repeat { agent }),
        "raw" => Some(Kind::Raw { agent }),
        "again" => Some(Kind::Again { agent }),
        "sipp" => Some(Kind::Sipp { agent, scenario: third? }),
        "ends" => Some(Kind::Ends { agent }),
        "silent" => Some(Kind::Silent { agent, milliseconds: third?.parse().ok()? }),
        _ => None,
    }
}

fn default_reason(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        183 => "Session Progress",
        200 => "OK",
        302 => "Moved Temporarily",
        401 => "Unauthorized",
        404 => "Not Found",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        486 => "Busy Here",
        487 => "Request Terminated",
        500 => "Server Internal Error",
        503 => "Service Unavailable",
        603 => "Decline",
        _ => "Reply",
    }
}

fn quoted_words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut is_quoted = false;
    for letter in text.chars() {
        match letter {
            '"' => is_quoted = !is_quoted,
            ' ' if !is_quoted => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            other => word.push(other),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}
