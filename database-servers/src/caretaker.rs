//! The shell that starts a server, sends it signals, and ends and removes everything when whoever holds it is gone.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::place::Account;

/// Reads commands until its input ends, which happens however the holder ends. The processes below the server are found
/// through `/proc`: PostgreSQL's are no members of one process group. Those that outlive it by a moment hold its memory, and
/// keep the next one from starting.
const SCRIPT: &str = r#"
directory=$1
server=
family() { [ -n "$server" ] && echo "$server" && cat /proc/"$server"/task/*/children 2>/dev/null; }
signal() { kill -"$1" $(family) 2>/dev/null; :; }
ended() {
    ( sleep 30 & trap "kill $!; exit" TERM; wait $!; kill -KILL "$server" ) >/dev/null 2>&1 &
    guard=$!
    wait "$server" 2>/dev/null
    server=
    kill "$guard" 2>/dev/null
    :
}
gone() {
    for one in $1; do
        looks=0
        while [ $looks -lt 200 ] && grep -qs '^State:.[^ZX]' /proc/"$one"/status; do sleep 0.05; looks=$((looks + 1)); done
    done
    :
}
while read -r line; do
    eval "$line"
    echo "= $?"
done
signal KILL
wait 2>/dev/null
rm -rf "$directory" || { sleep 1; rm -rf "$directory"; }
"#;

/// The running shell.
pub(crate) struct Caretaker {
    child: Child,
    commands: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Caretaker {
    /// Starts it as `account`; `directory` is removed at the end.
    pub(crate) fn start(account: &Account, directory: &Path) -> Result<Caretaker, String> {
        let mut command = account.command("sh");
        command.args([OsStr::new("-c"), OsStr::new(SCRIPT), OsStr::new("caretaker"), directory.as_os_str()]);
        // A group of its own: what interrupts the tests must not keep it from clearing away.
        command.current_dir(directory).process_group(0).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("cannot start a shell: {error}"))?;
        let (Some(commands), Some(answers)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the shell has no pipes".to_owned());
        };
        Ok(Caretaker { child, commands: Some(commands), answers: BufReader::new(answers) })
    }

    /// Lets it do one line of shell; true if that succeeded.
    pub(crate) fn tell(&mut self, line: &str) -> Result<bool, String> {
        let gone = |error: std::io::Error| format!("the shell that cares for the server is gone: {error}");
        let commands = self.commands.as_mut().ok_or("the shell that cares for the server was ended")?;
        commands.write_all(format!("{line}\n").as_bytes()).map_err(gone)?;
        let mut answer = String::new();
        self.answers.read_line(&mut answer).map_err(gone)?;
        match answer.trim_end() {
            "" => Err("the shell that cares for the server is gone".to_owned()),
            answer => Ok(answer == "= 0"),
        }
    }
}

impl Drop for Caretaker {
    fn drop(&mut self) {
        self.commands = None;
        let _ = self.child.wait();
    }
}

/// A word that the shell takes literally.
pub(crate) fn quoted(word: &OsStr) -> String {
    format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"))
}

/// Runs a program to its end: what it printed, or what it complained about.
pub(crate) fn output(mut command: Command, input: &str) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("cannot start {name}: {error}"))?;
    if let Some(mut stdin) = child.stdin.take() {
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| format!("{name}: {error}"))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(format!("{name} failed with {}: {}{}", output.status, text(&output.stderr), text(&output.stdout)))
}
