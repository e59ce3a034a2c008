//! The process under test: `duolog` or `kamailio`, with its own folder, ports and log, ended by id.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Options;

/// How long a subject may take to answer after its start.
const START_PATIENCE: Duration = Duration::from_secs(10);
/// How long it may take to see that it cannot start, although its control socket answers already.
const REFUSAL_PATIENCE: Duration = Duration::from_secs(5);
/// How long it may take to end after SIGTERM.
const STOP_PATIENCE: Duration = Duration::from_secs(6);

/// What the error of [`Subject::start`] begins with when the configuration was refused.
pub const ENDED_AT_START: &str = "the subject ended at start";

/// A subject with its folder; it may be stopped, killed and started again.
pub struct Subject {
    /// None while it is stopped.
    child: Option<Child>,
    /// `duolog` or `kamailio`.
    pub product: String,
    pub folder: PathBuf,
    pub control: String,
    /// Of the last start.
    log: PathBuf,
    configuration: String,
    proxy: String,
}

/// The folder of a subject: configuration, log, sockets, databases. It is removed with the subject.
pub fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("duolog-conformance-{}-{}", std::process::id(), name.replace('/', "-")))
}

impl Subject {
    /// Starts the subject on a configuration and waits until its control socket answers.
    pub fn start(options: &Options, name: &str, configuration: &str, proxy: &str) -> Result<Subject, String> {
        Subject::start_with_files(options, name, configuration, proxy, &[])
    }

    /// The same with files, name and text, beside the configuration, which may include them.
    pub fn start_with_files(
        options: &Options,
        name: &str,
        configuration: &str,
        proxy: &str,
        files: &[(String, String)],
    ) -> Result<Subject, String> {
        let folder = folder(name);
        std::fs::create_dir_all(&folder).map_err(|error| error.to_string())?;
        for (file, text) in files {
            std::fs::write(folder.join(file), text).map_err(|error| error.to_string())?;
        }
        let mut subject = Subject {
            child: None,
            product: options.subject.clone(),
            control: folder.join("ctl").display().to_string(),
            log: folder.join("log"),
            folder,
            configuration: configuration.to_owned(),
            proxy: proxy.to_owned(),
        };
        subject.launch(options)?;
        Ok(subject)
    }

    /// Starts a stopped subject again on the same configuration, files and addresses, as the product `options` name.
    pub fn launch(&mut self, options: &Options) -> Result<(), String> {
        self.product.clone_from(&options.subject);
        let (control, proxy) = (&self.control, &self.proxy);
        let text = format!(
            "#!KAMAILIO\n#!trydef SUBJECT_{}\ndebug = 2\nlog_stderror = yes\nchildren = 1\nauto_aliases = no\ndisable_tcp = yes\nlisten = udp:{proxy}\n\
             loadmodule \"ctl\"\nmodparam(\"ctl\", \"binrpc\", \"unixs:{control}\")\n{}",
            options.subject.to_uppercase(),
            self.configuration
        );
        let path = self.folder.join("case.cfg");
        std::fs::write(&path, text).map_err(|error| error.to_string())?;
        let output = File::create(&self.log).map_err(|error| error.to_string())?;
        let errors = output.try_clone().map_err(|error| error.to_string())?;
        let mut command = Command::new(program(options));
        command.arg("-f").arg(&path).args(["-DD", "-E", "-w"]).arg(&self.folder).arg("-P").arg(self.folder.join("pid"));
        command.arg("-Y").arg(&self.folder);
        if options.subject == "kamailio" {
            command.args(["-x", "fm", "-X", "fm", "-m", "64", "-M", "8"]);
        }
        let child = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .spawn()
            .map_err(|error| format!("cannot start {}: {error}", options.subject))?;
        self.child = Some(child);
        self.wait_ready()
    }

    /// Ends it as an operator does, by SIGTERM, and waits until it is gone. Kamailio sometimes hangs when all is said and done;
    /// it is helped then.
    pub fn stop(&mut self) -> Result<(), String> {
        let Some(child) = &mut self.child else { return Err("the subject does not run".to_owned()) };
        let _ = Command::new("kill").arg(child.id().to_string()).stderr(Stdio::null()).status();
        let end = Instant::now() + STOP_PATIENCE;
        while Instant::now() < end {
            if !matches!(child.try_wait(), Ok(None)) {
                self.child = None;
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.kill()?;
        if self.product == "kamailio" {
            return Ok(());
        }
        Err(format!("the subject did not end within {STOP_PATIENCE:?} after SIGTERM"))
    }

    /// Ends it as a crash does: SIGKILL to its process and to those it has forked.
    pub fn kill(&mut self) -> Result<(), String> {
        let Some(mut child) = self.child.take() else { return Err("the subject does not run".to_owned()) };
        let id = child.id();
        let forked = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
        let _ = Command::new("kill").arg("-9").arg(id.to_string()).args(forked.split_whitespace()).stderr(Stdio::null()).status();
        child.wait().map_err(|error| error.to_string())?;
        // Whoever still ends may still have the port.
        let end = Instant::now() + STOP_PATIENCE;
        while forked.split_whitespace().any(is_running) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    fn wait_ready(&mut self) -> Result<(), String> {
        let end = Instant::now() + START_PATIENCE;
        while Instant::now() < end {
            if let Some(Ok(Some(status))) = self.child.as_mut().map(Child::try_wait) {
                self.child = None;
                return Err(format!("{ENDED_AT_START} ({status}):\n{}", self.log_tail()));
            }
            if self.rpc(&["core.version"]).is_ok_and(|answer| answer.starts_with("kamailio") || answer.starts_with("duolog")) {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the subject did not answer core.version:\n{}", self.log_tail()))
    }

    /// Ends by itself within a while, as a start that fails after the control socket is open; the error says that it did.
    pub fn wait_refused(&mut self) -> Result<(), String> {
        let end = Instant::now() + REFUSAL_PATIENCE;
        while Instant::now() < end {
            if let Some(Ok(Some(status))) = self.child.as_mut().map(Child::try_wait) {
                self.child = None;
                return Err(format!("{ENDED_AT_START} ({status}):\n{}", self.log_tail()));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The answer of the real `kamcmd`, errors included.
    pub fn rpc(&self, words: &[&str]) -> Result<String, String> {
        let output = Command::new("kamcmd")
            .arg("-s")
            .arg(format!("unixs:{}", self.control))
            .args(words)
            .output()
            .map_err(|error| error.to_string())?;
        Ok(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
    }

    /// Everything logged so far.
    pub fn log(&self) -> String {
        std::fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// The last lines of the log that are more than information.
    pub fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().filter(|line| !line.contains("INFO:") && !line.trim().is_empty()).collect();
        lines.iter().skip(lines.len().saturating_sub(12)).copied().collect::<Vec<_>>().join("\n")
    }

    /// Is it still running, unless it was told to end?
    pub fn is_alive(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| matches!(child.try_wait(), Ok(None)))
    }
}

/// Is there a process of this number that has not ended?
fn is_running(id: &str) -> bool {
    let state = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    state.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

impl Drop for Subject {
    fn drop(&mut self) {
        if self.child.is_some() {
            let _ = self.stop();
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn program(options: &Options) -> PathBuf {
    if let Some(program) = &options.program {
        return program.clone();
    }
    if options.subject == "kamailio" {
        return PathBuf::from("kamailio");
    }
    // The runner stands beside the product in the build folder.
    std::env::current_exe().ok().and_then(|path| path.parent().map(Path::to_path_buf)).unwrap_or_default().join("duolog")
}
