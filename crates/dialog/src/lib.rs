//! The dialog engine: one record per call, its states, timers, profiles, variables and statistics.
//!
//! A pure library (invariants A1, A3, A11): time arrives as [`sip::time::Now`], randomness as a seed in [`Settings`], and
//! what has to be done on the wire leaves as small values ([`Change`], [`Termination`], [`Expiry`]). All methods of
//! [`Engine`] take `&self`; a lock covers one group of hash slots and is never held while the caller or an [`Observer`] runs.
//!
//! Steps that run an event route are split in two, because the route has to see the dialog between both halves
//! (spec dialog 2.3, 2.4): `reply_begin` … route … `reply_finish`, `request_begin` … route … `request_finish`,
//! `expire` … timeout route … `expiry_decide` … route … `expiry_finish`. See LIFECYCLE.md.
//!
//! Whoever builds on dialogs implements [`Observer`]; what it wants to be sent leaves as a [`Wish`]
//! (docs/building-on-dialogs.md).
//!
//! A call from the INVITE to the BYE:
//!
//! ```
//! use dialog::{Begin, CalleeLeg, Cause, Direction, Engine, EventRoute, InDialogRequest, NewDialog, ReplyKind, RequestMethod, Settings, StatedCause};
//! use sip::time::{Date, Now, Time};
//!
//! let now = Now { time: Time(0), date: Date(1_795_380_273_000) };
//! let engine = Engine::new(now, Settings::default());
//! let invite = NewDialog { call_id: b"c1@x", from_tag: b"A", contact: b"sip:a@192.0.2.1", cseq: 1, ..NewDialog::default() };
//! let Begin::Created(id) = engine.begin(now, &invite) else { panic!("refused") };
//!
//! let change = engine.reply_begin(now, id, ReplyKind::Success).expect("the dialog exists");
//! assert_eq!(change.route, Some(EventRoute::Start)); // run it here
//! let callee = CalleeLeg { tag: b"B", contact: b"sip:b@192.0.2.2", ..CalleeLeg::default() };
//! engine.reply_finish(now, change, Some(&callee), Cause::HERE);
//! assert_eq!(engine.statistics().active, 1);
//!
//! let (id, direction) = engine.find_by_identifiers(b"c1@x", b"B", b"A", Direction::None).expect("the callee hangs up");
//! let bye = InDialogRequest { method: RequestMethod::Bye, direction, cseq: Some(1), contact: None, timeout: None, stated: StatedCause::default(), cause: Cause::HERE };
//! let change = engine.request_begin(now, id, &bye).expect("the dialog exists");
//! assert_eq!(change.route, Some(EventRoute::End)); // run it here
//! engine.request_finish(now, change, &bye);
//! assert!(engine.release(now, id)); // when the BYE's transaction ends
//! ```
//!
//! What this crate does NOT do: it knows no transactions, scripts or databases, parses no messages, sends nothing, reads no
//! clock and no random source, and formats no listings.

pub mod bye_task;
pub mod cookie;
pub mod effect;
pub mod end_reason;
pub mod engine;
pub mod flags;
pub mod hash;
pub mod history;
pub mod keepalive;
pub mod leg;
pub mod limits;
pub mod matching;
pub mod observer;
pub mod profiles;
pub mod settings;
pub mod state;
pub mod statistics;
pub mod view;
pub mod wish;

mod ended_calls;
mod lifetime;
mod observers;
mod record;
mod shard;
mod slab;
mod variables;
mod wheel;

pub use bye_task::{ByeOutcome, ByeResult, ByeTask, ByeVerdict};
pub use effect::{
    Begin, Change, EarlyTermination, EventRoute, Expiry, ExpiryStep, Finished, InDialogRequest, LocalRequest, NewDialog, PendingProfile,
    Refusal, RequestMethod, RestoreError, Restored, TerminateError, Termination, TimeoutError, TimeoutSet, VariableError, Verdict,
};
pub use end_reason::{EndReason, Ender, StatedCause};
pub use engine::{
    DialogId, Engine, Explanation, InviteReply, NUMBER_BOUND, ReplyKind, SequenceStep, StateCounts, StoredChange, Taken, Walk,
};
pub use history::{Moment, PastMoment};
pub use keepalive::KeepaliveProbe;
pub use leg::{CalleeLeg, Direction, Leg};
pub use matching::{CookieMatch, MatchTrouble};
pub use observer::{Cause, Kinds, Notice, Observer, Occurrence, OccurrenceKind};
pub use profiles::{Audit, Difference, Limit, LimitView, Place, ProfileError, ProfileId, Profiles, Reservation};
pub use settings::{MatchMode, Settings, SettingsError, Storing};
pub use state::{Event, State};
pub use statistics::{Counts, Resettable};
pub use view::{Attribute, AttributeValue, DialogView, LegView, ProfileView};
pub use wish::{Wish, WishRefused};
