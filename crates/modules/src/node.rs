//! One proxy: its compiled configuration, its tables, and what each module keeps. Shared by all workers, read through `&self`.

use script::Program;
use transaction::Table;

use crate::core_settings::CoreSettings;
use crate::registry::Loaded;
use crate::settings::Settings;
use crate::sockets::Sockets;
use crate::tm::TransactionData;
use crate::worker::Worker;

/// Everything workers share. Built once at start; tables inside have their own short locks (invariant A4).
pub struct Node {
    pub program: Program<Worker>,
    pub core: CoreSettings,
    pub settings: Settings,
    pub loaded: Loaded,
    pub sockets: Sockets,
    pub transactions: Table<TransactionData>,
    pub dialogs: ::dialog::Engine,
    /// `group.name = value` of the configuration, changeable through `cfg.*`.
    pub custom: std::sync::Mutex<Vec<script::syntax::ast::CustomParameter>>,
    /// Defines of the preprocessor, for `$def`.
    pub defines: Vec<(String, Option<script::value::Text>)>,
    /// Environment variables seen at start, for `$env`.
    pub environment: std::collections::BTreeMap<String, String>,
    /// What the process told at start: for `core.*` commands and `$pp`, `$Tb`.
    pub process: Process,
    pub states: States,
}

/// Facts of the process, given by the server (the pure rooms read none themselves).
#[derive(Debug, Clone, Default)]
pub struct Process {
    pub pid: u32,
    /// Unix time of the start.
    pub started: sip::time::Date,
    /// Seconds that local time is ahead of UTC.
    pub utc_offset_seconds: i32,
    pub arguments: Vec<String>,
    pub working_directory: String,
    pub configuration_path: String,
    /// Threads, the main one first.
    pub threads: Vec<Thread>,
    /// Random per start: seeds of hash tables, tags and branches.
    pub secret: [u8; 32],
}

/// One thread, as the process lists of RPC show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thread {
    /// What it does.
    pub name: String,
    /// Process id.
    pub id: u32,
    /// 0 the main one, from 1 on the workers that receive, negative the others.
    pub rank: i32,
}

/// What each module keeps for the node.
#[derive(Debug, Default)]
pub struct States {
    pub core: crate::core::State,
    /// Connections of all modules that use databases.
    pub database: crate::database::State,
    pub tm: crate::tm::State,
    pub tmx: crate::tmx::State,
    pub sl: crate::sl::State,
    pub rr: crate::rr::State,
    pub maxfwd: crate::maxfwd::State,
    pub textops: crate::textops::State,
    pub textopsx: crate::textopsx::State,
    pub siputils: crate::siputils::State,
    pub sanity: crate::sanity::State,
    pub pv: crate::pv::State,
    pub xlog: crate::xlog::State,
    pub kex: crate::kex::State,
    pub corex: crate::corex::State,
    pub cfgutils: crate::cfgutils::State,
    pub statistics: crate::statistics::State,
    pub counters: crate::counters::State,
    pub htable: crate::htable::State,
    pub ctl: crate::ctl::State,
    pub cfg_rpc: crate::cfg_rpc::State,
    pub jsonrpcs: crate::jsonrpcs::State,
    pub dialog: crate::dialog::State,
    pub uac: crate::uac::State,
    pub sqlops: crate::sqlops::State,
}

impl States {
    /// Lets every module read its parameters. The first complaint stops the start.
    pub fn start(settings: &Settings, program: &Program<Worker>) -> Result<States, String> {
        Ok(States {
            core: crate::core::State::start(settings, program)?,
            database: crate::database::State::start(settings)?,
            tm: crate::tm::State::start(settings, program)?,
            tmx: crate::tmx::State::start(settings, program)?,
            sl: crate::sl::State::start(settings, program)?,
            rr: crate::rr::State::start(settings, program)?,
            maxfwd: crate::maxfwd::State::start(settings, program)?,
            textops: crate::textops::State::start(settings, program)?,
            textopsx: crate::textopsx::State::start(settings, program)?,
            siputils: crate::siputils::State::start(settings, program)?,
            sanity: crate::sanity::State::start(settings, program)?,
            pv: crate::pv::State::start(settings, program)?,
            xlog: crate::xlog::State::start(settings, program)?,
            kex: crate::kex::State::start(settings, program)?,
            corex: crate::corex::State::start(settings, program)?,
            cfgutils: crate::cfgutils::State::start(settings, program)?,
            statistics: crate::statistics::State::start(settings, program)?,
            counters: crate::counters::State::start(settings, program)?,
            htable: crate::htable::State::start(settings, program)?,
            ctl: crate::ctl::State::start(settings, program)?,
            cfg_rpc: crate::cfg_rpc::State::start(settings, program)?,
            jsonrpcs: crate::jsonrpcs::State::start(settings, program)?,
            dialog: crate::dialog::State::start(settings, program)?,
            uac: crate::uac::State::start(settings, program)?,
            sqlops: crate::sqlops::State::start(settings, program)?,
        })
    }
}
