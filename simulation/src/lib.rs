//! Deterministic simulation: proxies and user agents in one process, on a seeded network with a virtual clock.
//!
//! A seed makes a [`scenario::Scenario`]; [`world::World`] lets it happen through the proxies' one door and shows everything
//! to the [`checkers`]. The same seed gives the same bytes (invariant A2).
//!
//! This crate does not open sockets, starts no threads outside its tests and reads no clock (its command measures how many
//! seeds a second it runs); it does not test transports or RPC wire formats.
//!
//! # What is checked
//!
//! The files are those of `checkers/`; each checker has a test that shows it a violation. "Look" is a recount of the tables,
//! after every first to fourth event, once a virtual second, and whenever a checker asks for one.
//!
//! | invariant | what is checked | file |
//! |---|---|---|
//! | D1 | each reported or seen state follows the last one by one event of the dialog room's table | `lives` |
//! | D2 | no BYE ends a ringing call, no failure an answered one, no 2xx revives a call after a BYE | `lives` |
//! | D3 | ended at most once a life; route `end` once if it was answered, else `failed` once | `lives` |
//! | D4 | route `start` once an answer, before `end` | `lives` |
//! | D5 | a number is given once while its dialog exists; nothing exists, also after a restart, that was not made | `lives` |
//! | D6 | each request that drives a dialog has its Call-ID and tags; identifiers and cookie find it from both sides, a strange tag or Call-ID finds nothing | `matching` |
//! | D7 | bounds of each phase in virtual time, deadline never nearer by itself, a call hung up before its answer ends in seconds, no lifetime of a dead dialog, dates may jump | `lifetimes` |
//! | D8 | a BYE made here: one a side (and one for each refusal that asks for another), both sides, CSeq above all seen, both tags, contact and routes as the party named them | `byes` |
//! | D9 | statistics equal a recount at every look, zero at the end | `counts` |
//! | D10 | the CSeq known of a party never falls; requests of one way keep their shift unless one was made here | `sequences` |
//! | D11 | no second dialog within the life of a transaction; the callee is the one whose 2xx won, and stays | `lives` |
//! | D12 | variable, flag and lifetime set before `dlg_manage` are in the dialog | `lives` |
//! | D13 | every end has one reason, which stays; none before; nobody is blamed for what the world did not see; a history ends where its call stands | `reasons` |
//! | P1 | sizes equal a recount, in all and by value, zero at the end | `profiles` |
//! | P2 | an ended dialog is in no profile | `profiles` |
//! | P3 | a dialog that is loaded has the memberships its row has | `rows` |
//! | P4 | not checked: it needs the cluster room | |
//! | P5 | sizes around each function call: joining counts one (a second time one more, as Kamailio has it), leaving one less, a non-member changes nothing | `profiles` |
//! | P6 | never more members than the limit, and a refusal only while the account is full | `profiles` |
//! | T1 | one transaction a key, no second script run for a copy | `transactions` |
//! | T2 | one failure upstream, none after a 2xx | `transactions` |
//! | T3 | the failure that goes upstream is the best of the last set of branches | `forks` |
//! | T4 | an ACK on an INVITE's branch only after a failure; an ACK of a 2xx goes on in the step it came in | `transactions` |
//! | T5 | no CANCEL on a branch without provisional reply | `transactions` |
//! | T6 | no transaction outlives its bound, no timer stays due | `transactions` |
//! | T7 | the failure route once a set of branches, not after a 2xx | `forks` |
//! | T8 | a suspended transaction goes on at most once, not after its final reply, and never hangs | `suspension` |
//! | T9 | no transaction and no parked script is left; the table counts what it holds | `transactions` |
//! | M1 | a forwarded message keeps every line and its order; Via, Max-Forwards, Route and Record-Route change by rule | `copies` |
//! | M2 | each message that came or left reads the same after writing | `copies` |
//! | M3 | Content-Length is there and equals the body | `copies` |
//! | memory | ten quiet minutes after the last call the proxies hold the memory they held before | `tests/memory.rs` |
//! | R3 | nothing waits without a timer | `transactions` |
//! | K1 | `db_mode` 1: when a message leaves, the row of what it announces is committed, unless the gate is open because the database fails or is slow | `rows` |
//! | K2 | `db_mode` 1 and 2: rows lag by no more than their pace; 3: all is there after a stop and none before; 0: none | `rows` |
//! | K3 | after a crash or a stop every announced dialog is loaded, column by column as it was stored, none whose end was announced; requests wait for it | `rows` |
//! | K4 | when all is written the tables equal the dialogs; every batch applied twice gives the same tables | `rows`, [`database`] |
//! | K5 | all of D, P and T under late, lost, torn, repeated and refused answers | [`database`] |
//! | D5 | no number of a stored dialog is given again after a restart | `rows` |
//! | twins | rows after outages equal those of the same calls without, and any one storage call may fail in any way | [`outages`] |
//! | A2, A8 | two runs of a seed give the same bytes; no panic | [`outcome`] |
//!
//! That a mistake reaches its checker through the whole world is shown by `tests/mutants.rs`, with configurations that have one.
//! `tests/storage.rs` does the same with storage that is built wrongly ([`storage_plan::Mutant`]). `tests/threads.rs` lets two threads work for one proxy at the same time.
//!
//! Not in this world yet: cluster faults (C), a database that applies a batch after its deadline and after the next attempt, TLS and WebSocket, name servers that lie.

pub mod checkers;
mod cutter;
pub mod database;
pub mod limits;
pub mod network;
pub mod outages;
pub mod outcome;
pub mod party;
pub mod plan;
pub mod proxy_node;
pub mod scenario;
pub mod shrink;
pub mod storage_plan;
pub mod storage_room;
pub mod streams;
pub mod trace;
pub mod world;

pub use outcome::{Outcome, run_scenario, run_seed, run_seed_in};
