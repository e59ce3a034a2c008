//! Every call ends: whole calls through the one door of the proxy, with a clock that tests turn.

mod stage;

mod byes;
mod early;
mod explained;
mod keepalives;
mod races;
mod requests;
