//! One program of a comparison: its process on its cores, and the generator that calls through it.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use super::Ways;
use super::cores::{self, Cores};
use super::forwarder::Forwarder;
use crate::generator::{Generator, Plan, Totals};
use crate::measure::{self, Processor};
use crate::subject::{Kind, Subject};

/// Calls end within twice 64 * T1, well or badly.
const END_MAX: Duration = Duration::from_secs(70);
/// Until the first datagram comes back through a forwarder.
const FORWARDER_START_MAX: Duration = Duration::from_secs(5);
/// The part of all cores that other processes may take without being told of.
const OTHERS_MAX: f64 = 0.05;
/// Megabytes of Kamailio: shared, enough for the transactions of the highest rates, and of each process.
const KAMAILIO_MEMORY: [&str; 4] = ["-m", "4096", "-M", "32"];
/// Bytes that the kernel is asked to hold for a proxy's socket (`-b`); duolog's default, sixteen times Kamailio's.
const RECEIVE_BYTES: &str = "4194304";
/// The calls of an account that no run here reaches.
pub const NO_LIMIT: u32 = 10_000_000;

/// A program and how many of its workers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    Forwarder,
    Proxy(Kind, usize),
}

impl Which {
    /// As it is told.
    pub fn name(self) -> String {
        let (kind, workers) = match self {
            Which::Forwarder => return "forwarder".to_owned(),
            Which::Proxy(kind, workers) => (kind, workers),
        };
        let noun = if kind == Kind::Kamailio { ["child", "children"] } else { ["worker", "workers"] };
        format!("{}, {workers} {}", kind.name(), noun[usize::from(workers > 1)])
    }

    /// How many cores it gets.
    pub fn cores(self) -> usize {
        match self {
            Which::Forwarder => 1,
            Which::Proxy(_, workers) => workers,
        }
    }
}

/// What the proxies are told.
#[derive(Clone, Debug)]
pub struct Configuration {
    /// A file of the workspace.
    pub file: &'static str,
    /// `NAME=VALUE` or `NAME` each.
    pub defines: Vec<String>,
}

impl Configuration {
    /// `examples/call-limit.cfg` without a database.
    pub fn call_limit(limit: u32) -> Configuration {
        Configuration { file: "examples/call-limit.cfg", defines: vec![format!("DEFAULT_LIMIT={limit}"), "NO_DATABASE".to_owned()] }
    }
}

enum Program {
    Proxy(Box<Subject>),
    Forwarder(Forwarder),
}

/// A program that serves, and its generator.
pub struct Contestant {
    pub which: Which,
    program: Program,
    pub generator: Generator,
    /// Cores of the machine that this process may use.
    cores: usize,
}

/// What one turn came to.
#[derive(Clone, Debug, Default)]
pub struct Turn {
    /// CPU of the subject in the measured time, microseconds.
    pub spent: Processor,
    /// Of the measured time.
    pub totals: Totals,
    /// Requests sent again and calls that failed, from the warm-up to the last of the turn.
    pub repeated: u32,
    pub failed: u32,
    /// How much of its core the generator used, 0 to 1.
    pub generator_busy: f64,
    /// How much of all cores went to processes that are no part of this, 0 to 1.
    pub others: f64,
    /// The measured time, seconds.
    pub seconds: f64,
}

impl Turn {
    /// Microseconds of CPU a call that ended well.
    pub fn per_call(&self) -> f64 {
        self.spent.total / f64::from(self.totals.ended.max(1))
    }

    /// The same in user mode.
    pub fn user_per_call(&self) -> f64 {
        self.spent.user / f64::from(self.totals.ended.max(1))
    }

    /// Others took so much that the figures tell more of them.
    pub fn is_disturbed(&self) -> bool {
        self.others > OTHERS_MAX
    }

    /// Every call succeeded, and nothing had to be sent twice.
    pub fn is_loss_free(&self) -> bool {
        self.failed == 0 && self.repeated == 0
    }
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|error| format!("{text}: {error}"))
}

impl Contestant {
    /// Starts it; it serves when this returns.
    pub fn start(which: Which, configuration: &Configuration, cores: &Cores, ways: Ways) -> Result<Contestant, String> {
        Contestant::start_build(which, None, configuration, cores, ways)
    }

    /// The same of another build: the `program` instead of the one that belongs to this bench.
    pub fn start_build(
        which: Which,
        program: Option<&Path>,
        configuration: &Configuration,
        cores: &Cores,
        ways: Ways,
    ) -> Result<Contestant, String> {
        let on = cores.of_subject(which.cores());
        let (running, proxy, callee) = match which {
            Which::Forwarder => {
                let ports = (loopback_ports::free_port()?, loopback_ports::free_port()?);
                let (proxy, callee) = (SocketAddr::from(([127, 0, 0, 1], ports.0)), SocketAddr::from(([127, 0, 0, 1], ports.1)));
                (Program::Forwarder(Forwarder::start(proxy, callee, on)?), proxy, callee)
            }
            Which::Proxy(kind, workers) => {
                let mut subject = Subject::place(kind, configuration.file, &KAMAILIO_MEMORY)?;
                program.into_iter().for_each(|program| subject.be(program));
                configuration.defines.iter().for_each(|define| subject.define(define));
                subject.argument("-n", &workers.to_string());
                subject.argument("-b", RECEIVE_BYTES);
                subject.run_on(&cores::list(on));
                subject.launch()?;
                subject.wait_for_rpc()?;
                let (proxy, callee) = (address(&subject.address)?, address(&subject.gateway)?);
                (Program::Proxy(Box::new(subject)), proxy, callee)
            }
        };
        let mut plan = Plan::plain(proxy, callee);
        ways.apply(&mut plan);
        let mut contestant = Contestant { which, program: running, generator: Generator::new(plan)?, cores: cores.count() };
        contestant.wait_until_passed()?;
        Ok(contestant)
    }

    /// The first process.
    pub fn process(&self) -> u32 {
        match &self.program {
            Program::Proxy(subject) => subject.process(),
            Program::Forwarder(forwarder) => forwarder.process(),
        }
    }

    /// Ends a proxy and starts it again: what an overload left behind is no matter of the next turn.
    pub fn restart(&mut self) -> Result<(), String> {
        if let Program::Proxy(subject) = &mut self.program {
            subject.kill()?;
            subject.launch()?;
            subject.wait_for_rpc()?;
        }
        self.wait_until_passed()
    }

    /// One call goes through; it is repeated until it does.
    fn wait_until_passed(&mut self) -> Result<(), String> {
        self.generator.fill(1, 1, FORWARDER_START_MAX)?;
        if !self.generator.finish(FORWARDER_START_MAX)? || self.generator.reset_totals().ended != 1 {
            return Err(format!("no call goes through {}", self.which.name()));
        }
        Ok(())
    }

    /// Load of `rate` calls a second: some time that is not measured, some that is, and the end of the last call.
    pub fn turn(&mut self, rate: f64, warm_up: Duration, lasting: Duration) -> Result<Turn, String> {
        let process = self.process();
        self.generator.set_rate(rate);
        self.generator.run_until(Instant::now() + warm_up)?;
        let warming = self.generator.reset_totals();
        let (machine, own, before) = (measure::machine_microseconds(), measure::own_thread_microseconds(), Processor::of(process));
        let begun = Instant::now();
        self.generator.run_until(begun + lasting)?;
        let spent = Processor::of(process).since(before);
        let (seconds, own) = (begun.elapsed().as_secs_f64(), measure::own_thread_microseconds() - own);
        let others = measure::machine_microseconds() - machine - spent.total - own;
        let totals = self.generator.reset_totals();
        let is_over = self.generator.finish(END_MAX)?;
        let ending = self.generator.reset_totals();
        let all = [&warming, &totals, &ending];
        Ok(Turn {
            spent,
            repeated: all.iter().map(|totals| totals.repeated).sum(),
            failed: all.iter().map(|totals| totals.failures()).sum::<u32>() + u32::from(!is_over),
            generator_busy: own / (seconds * 1e6),
            others: (others / (seconds * 1e6 * self.cores as f64)).max(0.0),
            seconds,
            totals,
        })
    }
}
