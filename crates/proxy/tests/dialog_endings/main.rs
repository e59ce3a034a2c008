//! Every call ends: whole calls through the one door of the proxy, with a clock that tests turn.

mod stage;

mod byes;
mod early;
mod keepalives;
mod races;
mod requests;
