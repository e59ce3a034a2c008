//! The `tm` module: stateful forwarding. Joins the transaction room, the script and the senders (spec proxy-core 7).

mod actions;
mod cancel;
mod contacts;
mod create;
mod data;
mod exports;
mod failure;
mod functions;
mod limits;
mod local;
mod lookup;
mod parameters;
mod received;
mod relay;
mod relay_reply;
mod reply;
mod rpc;
mod sending;
mod settle;
mod state;
#[cfg(test)]
mod tests;
mod timer;

pub use actions::perform_all;
pub use cancel::{invite_of, relay_cancel};
pub use create::{Created, absorb_ack, absorb_retransmission, create, lookup_request};
pub use data::{Purpose, TransactionData};
pub use exports::MODULE;
pub use failure::FailureView;
pub use functions::status_code;
pub use local::{LocalRequest, send_local};
pub use lookup::answered;
pub use received::{Received, receive_reply};
pub(crate) use relay::send_100;
pub use relay::{Forced, refuse_waiting, relay};
pub use reply::{has_transaction, reply, reply_with};
pub use rpc::{deliver, new_call_id};
pub use settle::{attach, check_in, detach, finish_request};
pub use state::{ReplyView, RunState, State};
pub use timer::on_due;
