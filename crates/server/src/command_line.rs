//! The command line: Kamailio's flags, our subcommands, and the help text.

use std::ffi::OsString;
use std::path::PathBuf;

/// What the process is to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Action {
    /// Read the configuration and serve.
    #[default]
    Run,
    /// `-c`, `check FILE`: read the configuration, say what is wrong with it, end.
    Check,
    /// `--cfg-print`: print the configuration after includes and defines, end.
    PrintConfiguration,
    /// `-h`, `--help`.
    Help,
    /// `-v`, `-V`, `-I`, `--version`.
    Version,
    /// `db create [URL]`: make the tables of the dialogs, by default those that the configuration names.
    CreateTables { url: Option<String> },
    /// `rpc METHOD [ARGUMENTS]`: ask a running proxy.
    Rpc { method: String, arguments: Vec<String> },
}

/// How to leave the terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Background {
    /// `-DDD` or no `-D`: start again in a session of its own and return to the shell.
    #[default]
    Detached,
    /// `-D`, `-DD`: stay where we are (under systemd or in a container).
    Foreground,
}

/// A `--modparam=module:name:type:value`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleParameter {
    pub module: String,
    pub name: String,
    /// `i`: the value is a number, else text.
    pub is_number: bool,
    pub value: String,
}

/// The parsed command line. Fields stand in the order of the help text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandLine {
    pub action: Action,
    /// `-f`, default [`DEFAULT_CONFIGURATION`].
    pub configuration: Option<PathBuf>,
    pub background: Background,
    /// `-E`: log to standard error.
    pub log_to_stderr: bool,
    /// `-e`: colours there.
    pub log_colours: bool,
    /// Number of `-d`, or `--debug`: level from 0 upwards; None: the configuration's.
    pub debug: Option<i32>,
    /// `-P`.
    pub pid_file: Option<PathBuf>,
    /// `-G`.
    pub group_pid_file: Option<PathBuf>,
    /// `-w`.
    pub working_directory: Option<PathBuf>,
    /// `-Y`: where control sockets are made.
    pub runtime_directory: Option<PathBuf>,
    /// `-t`.
    pub root_directory: Option<PathBuf>,
    /// `-u`, name or number.
    pub user: Option<String>,
    /// `-g`, name or number.
    pub group: Option<String>,
    /// `-A NAME` or `-A NAME=VALUE`, in order.
    pub defines: Vec<(String, Option<String>)>,
    /// `--subst`, `--substdef`, `--substdefs` as (directive, expression), in order.
    pub substitutions: Vec<(String, String)>,
    /// `-l`, as in `listen=`, in order.
    pub listen: Vec<String>,
    /// `--alias`.
    pub aliases: Vec<String>,
    /// `-a`: automatic aliases on or off.
    pub automatic_aliases: Option<bool>,
    /// `-n`.
    pub children: Option<u32>,
    /// `-b`.
    pub receive_buffer_max: Option<usize>,
    /// `-T`.
    pub disable_tcp: bool,
    /// `-K`.
    pub check_via: bool,
    /// `--server-id`.
    pub server_id: Option<i64>,
    /// `--loadmodule`, in order, before those of the file.
    pub load_modules: Vec<String>,
    /// `--modparam`, in order.
    pub module_parameters: Vec<ModuleParameter>,
    /// One sentence for each option that is accepted without effect.
    pub notes: Vec<String>,
}

/// Where Debian's package keeps it.
pub const DEFAULT_CONFIGURATION: &str = "/etc/kamailio/kamailio.cfg";

/// A command line that cannot be obeyed; the text says why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLineError(pub String);

impl std::fmt::Display for CommandLineError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CommandLineError {}

/// The short options that take a value (as in Kamailio 5.6 and 6.x).
const WITH_VALUE: &str = "aAbfgGlLmMnNOPQstuwWxXY";

impl CommandLine {
    /// The file to read.
    pub fn configuration_path(&self) -> PathBuf {
        self.configuration.clone().unwrap_or_else(|| PathBuf::from(DEFAULT_CONFIGURATION))
    }

    /// Parses the words after the program's name. Options may stand in any order and may be joined (`-DDE`), values may
    /// follow directly (`-fFILE`) or as the next word.
    pub fn parse(words: impl IntoIterator<Item = OsString>) -> Result<CommandLine, CommandLineError> {
        let mut line = CommandLine::default();
        let mut times_d = 0;
        let mut words = words
            .into_iter()
            .map(|word| word.into_string().map_err(|word| bad(format!("{word:?} is not valid UTF-8"))))
            .collect::<Result<Vec<String>, CommandLineError>>()?
            .into_iter()
            .peekable();
        while let Some(word) = words.next() {
            if let Some(long) = word.strip_prefix("--") {
                let (name, value) = match long.split_once('=') {
                    Some((name, value)) => (name, Some(value.to_string())),
                    None => (long, None),
                };
                if name.is_empty() {
                    return Err(bad("-- is not an option".into()));
                }
                let needs_value = long_needs_value(name)?;
                let value = if needs_value && value.is_none() { words.next() } else { value };
                if needs_value && value.is_none() {
                    return Err(bad(format!("option --{name} needs a value")));
                }
                line.long(name, value.unwrap_or_default())?;
            } else if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
                for (at, letter) in letters.char_indices() {
                    if WITH_VALUE.contains(letter) {
                        let rest = &letters[at + letter.len_utf8()..];
                        let value = if rest.is_empty() { words.next() } else { Some(rest.to_string()) };
                        let value = value.ok_or_else(|| bad(format!("option -{letter} needs a value")))?;
                        line.short_with_value(letter, value)?;
                        break;
                    }
                    if letter == 'D' {
                        times_d += 1;
                    } else {
                        line.short(letter)?;
                    }
                }
            } else {
                line.subcommand(&word, &mut words)?;
            }
        }
        line.background = if times_d == 1 || times_d == 2 { Background::Foreground } else { Background::Detached };
        Ok(line)
    }

    fn subcommand(&mut self, word: &str, words: &mut dyn Iterator<Item = String>) -> Result<(), CommandLineError> {
        match word {
            "check" => {
                self.action = Action::Check;
                for word in words {
                    match word.as_str() {
                        "--all-errors" => {}
                        option if option.starts_with('-') => {
                            return Err(bad(format!("check does not know {option}; put options before it")));
                        }
                        _ if self.configuration.is_some() => {
                            return Err(bad("check takes one file".into()));
                        }
                        file => self.configuration = Some(file.into()),
                    }
                }
            }
            "rpc" => {
                let method = words.next().ok_or_else(|| bad("rpc needs a method, for instance core.uptime".into()))?;
                self.action = Action::Rpc { method, arguments: words.collect() };
            }
            "db" => {
                match words.next().as_deref() {
                    Some("create") => self.action = Action::CreateTables { url: words.next() },
                    Some(other) => return Err(bad(format!("db does not know {other}; it knows create"))),
                    None => return Err(bad("db needs a command: db create [URL]".into())),
                }
                if let Some(word) = words.next() {
                    return Err(bad(format!("db create takes one URL, what is {word}? put options before it")));
                }
            }
            "help" => self.action = Action::Help,
            "version" => self.action = Action::Version,
            other => {
                return Err(bad(format!("{other} is neither an option nor a command; see --help")));
            }
        }
        Ok(())
    }

    fn short(&mut self, letter: char) -> Result<(), CommandLineError> {
        match letter {
            'c' => self.action = Action::Check,
            'd' => self.debug = Some(self.debug.unwrap_or(-1) + 1),
            'e' => self.log_colours = true,
            'E' => self.log_to_stderr = true,
            'h' => self.action = Action::Help,
            'v' | 'V' | 'I' => self.action = Action::Version,
            'K' => self.check_via = true,
            'r' | 'R' => self.note("-r and -R", "the name in a Via is not looked up, its source address is written when it differs"),
            'T' => self.disable_tcp = true,
            'q' => self.note("-q", "quiet start is the default"),
            'S' => self.note("-S", "there is no SCTP to switch off"),
            other => return Err(bad(format!("unknown option -{other}; see --help"))),
        }
        Ok(())
    }

    fn short_with_value(&mut self, letter: char, value: String) -> Result<(), CommandLineError> {
        match letter {
            'a' => self.automatic_aliases = Some(truth("-a", &value)?),
            'A' => self.defines.push(define(&value)?),
            'b' => self.receive_buffer_max = Some(number("-b", &value)?),
            'f' => self.configuration = Some(value.into()),
            'g' => self.group = Some(value),
            'G' => self.group_pid_file = Some(value.into()),
            'l' => self.listen.push(value),
            'L' => self.note("-L", "modules are built in"),
            'm' | 'M' => {
                let _: usize = number(if letter == 'm' { "-m" } else { "-M" }, &value)?;
                self.note("-m and -M", "memory is taken as needed, there are no pools to size");
            }
            'n' => self.children = Some(at_least_one("-n", &value)?),
            'N' => {
                at_least_one("-N", &value)?;
                self.note("-N", "one thread serves all streams");
            }
            'O' => self.note("-O", "scripts are always compiled"),
            'P' => self.pid_file = Some(value.into()),
            'Q' => self.note("-Q", "there is no SCTP"),
            's' => self.note("-s", "it has no meaning here"),
            't' => self.root_directory = Some(value.into()),
            'u' => self.user = Some(value),
            'w' => self.working_directory = Some(value.into()),
            'W' => self.note("-W", "the way of waiting on sockets is fixed"),
            'x' | 'X' => self.note("-x and -X", "there is one memory manager"),
            'Y' => self.runtime_directory = Some(value.into()),
            other => return Err(bad(format!("unknown option -{other}; see --help"))),
        }
        Ok(())
    }

    fn long(&mut self, name: &str, value: String) -> Result<(), CommandLineError> {
        match name {
            "help" => self.action = Action::Help,
            "version" => self.action = Action::Version,
            "cfg-print" => self.action = Action::PrintConfiguration,
            // Every error is always told.
            "all-errors" => {}
            "alias" => self.aliases.push(value),
            "atexit" => self.note("--atexit", "there are no exit handlers of libraries"),
            "debug" => self.debug = Some(number("--debug", &value)?),
            "loadmodule" => self.load_modules.push(value),
            "log-engine" => self.note("--log-engine", "lines go to standard error or the system log"),
            "modparam" => self.module_parameters.push(module_parameter(&value)?),
            "server-id" => self.server_id = Some(number("--server-id", &value)?),
            "subst" | "substdef" | "substdefs" => self.substitutions.push((name.to_string(), value)),
            other => return Err(bad(format!("unknown option --{other}; see --help"))),
        }
        Ok(())
    }

    fn note(&mut self, option: &str, reason: &str) {
        let text = format!("option {option} has no effect: {reason}");
        if !self.notes.contains(&text) {
            self.notes.push(text);
        }
    }
}

fn bad(text: String) -> CommandLineError {
    CommandLineError(text)
}

fn long_needs_value(name: &str) -> Result<bool, CommandLineError> {
    match name {
        "help" | "version" | "cfg-print" | "all-errors" => Ok(false),
        "alias" | "atexit" | "debug" | "loadmodule" | "log-engine" | "modparam" | "server-id" | "subst" | "substdef" | "substdefs" => {
            Ok(true)
        }
        other => Err(bad(format!("unknown option --{other}; see --help"))),
    }
}

fn number<T: std::str::FromStr>(option: &str, value: &str) -> Result<T, CommandLineError> {
    value.parse().map_err(|_| bad(format!("option {option} needs a number, not {value}")))
}

fn at_least_one(option: &str, value: &str) -> Result<u32, CommandLineError> {
    match number(option, value)? {
        0 => Err(bad(format!("option {option} needs at least 1"))),
        count => Ok(count),
    }
}

fn truth(option: &str, value: &str) -> Result<bool, CommandLineError> {
    match value {
        "yes" | "on" | "1" => Ok(true),
        "no" | "off" | "0" => Ok(false),
        other => Err(bad(format!("option {option} needs yes or no, not {other}"))),
    }
}

fn define(value: &str) -> Result<(String, Option<String>), CommandLineError> {
    let (name, value) = match value.split_once('=') {
        Some((name, value)) => (name, Some(value.to_string())),
        None => (value, None),
    };
    let valid = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && name.bytes().next().is_some_and(|byte| !byte.is_ascii_digit());
    if valid { Ok((name.to_string(), value)) } else { Err(bad(format!("-A: {name:?} is not a name"))) }
}

fn module_parameter(text: &str) -> Result<ModuleParameter, CommandLineError> {
    let mut parts = text.splitn(4, ':');
    let (Some(module), Some(name), Some(kind), Some(value)) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err(bad(format!("--modparam needs module:name:type:value, not {text}")));
    };
    let is_number = match kind {
        "i" => true,
        "s" => false,
        other => return Err(bad(format!("--modparam: type is i or s, not {other}"))),
    };
    if is_number {
        let _: i64 = number("--modparam (type i)", value)?;
    }
    Ok(ModuleParameter { module: module.into(), name: name.into(), is_number, value: value.into() })
}

/// What `--help` prints.
pub const HELP: &str = "\
Usage: duolog [options]                    serve a kamailio.cfg
       duolog [options] check [FILE]       read it and say everything that is wrong
       duolog rpc METHOD [ARGUMENT ...]    ask a running proxy
       duolog [options] db create [URL]    make the tables of the dialogs (default: the db_url of the file)

Configuration
  -f FILE               file to read (default /etc/kamailio/kamailio.cfg)
  -c                    check the file and end
  --cfg-print           print the file after includes and defines, and end
  -A NAME[=VALUE]       define a preprocessor name
  --subst=EXP  --substdef=EXP  --substdefs=EXP
                        preprocessor directives
  --loadmodule=NAME     load a module
  --modparam=MODULE:NAME:TYPE:VALUE
                        set a module's parameter; TYPE is s or i
  --server-id=NUMBER    set server_id
Network
  -l [PROTO:]ADDRESS[:PORT][/ADVERTISED[:PORT]]
                        listen there; may be given several times
  -n NUMBER             upper bound of UDP worker threads
  -b BYTES              upper bound of socket buffers
  -T                    no TCP
  -a yes|no             names of our addresses in the hosts file mean this proxy
  --alias=NAME[:PORT]   a further name that means this proxy
  -K                    drop replies whose first Via is not ours
Process
  -D, -DD               stay in the foreground (default: go to the background)
  -P FILE               write the process number to FILE; -G FILE the same for its group
  -u USER  -g GROUP     give up privileges after binding
  -w DIR                working directory
  -t DIR                change the root directory
  -Y DIR                directory of control sockets
Log
  -E                    log to standard error; -e with colours
  -d                    one level more talkative, may be repeated; --debug=NUMBER
Other
  -h, --help            this text
  -v, --version         version
Accepted without effect, for the sake of start scripts: -I -L -m -M -N -O -q -Q -r -R -s -S
-W -x -X --all-errors --atexit --log-engine
";

#[cfg(test)]
mod tests;
