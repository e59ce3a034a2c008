//! What a configuration can load: one folder for each Kamailio module name, each with its export table, and the state that scripts run on.
//!
//! This crate does no I/O, reads no clock and knows no wire format of the RPC. It does not decide when a route runs for a
//! received message: that is the room `proxy`. It offers the machinery both share: [`worker::Worker`], [`node::Node`], [`run::Run`].

pub mod attributes;
pub mod connections;
pub mod core_settings;
#[cfg(test)]
mod every_function;
#[cfg(test)]
pub(crate) mod fixture;
pub mod json_rpc;
pub mod listing;
pub mod literals;
pub mod live;
pub mod next_hop;
pub mod node;
pub mod not_there;
pub mod outbox;
pub mod outgoing;
pub mod registry;
pub mod rpc;
pub mod run;
pub mod scratch;
pub mod settings;
pub mod sockets;
pub mod worker;

pub mod blocklist;
pub mod cfg_rpc;
pub mod cfgutils;
pub mod core;
pub mod corex;
pub mod counters;
pub mod ctl;
pub mod database;
pub mod db_mysql;
pub mod db_postgres;
pub mod db_sqlite;
pub mod dialog;
pub mod dns;
pub mod htable;
pub mod jsonrpcs;
pub mod kex;
pub mod maxfwd;
pub mod pv;
pub mod rr;
pub mod sanity;
pub mod siputils;
pub mod sl;
pub mod sqlops;
pub mod statistics;
pub mod textops;
pub mod textopsx;
pub mod tm;
pub mod tmx;
pub mod uac;
pub mod xlog;

#[cfg(test)]
pub(crate) mod trial;

pub use node::Node;
pub use run::Run;
pub use worker::Worker;
