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
//! What this crate does NOT do: it knows no transactions, scripts or databases, parses no messages, sends nothing, reads no
//! clock and no random source, and formats no listings.

pub mod cookie;
pub mod effect;
pub mod engine;
pub mod flags;
pub mod hash;
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

mod lifetime;
mod record;
mod shard;
mod slab;
mod variables;
mod wheel;

pub use effect::{
    Begin, Change, EarlyTermination, EventRoute, Expiry, ExpiryStep, Finished, InDialogRequest, LocalRequest, NewDialog,
    PendingProfile, Refusal, RequestMethod, Restored, RestoreError, TerminateError, Termination, TimeoutError, TimeoutSet, VariableError,
    Verdict,
};
pub use engine::{DialogId, Engine};
pub use leg::{CalleeLeg, Direction, Leg};
pub use matching::{CookieMatch, MatchTrouble};
pub use observer::{Observer, Occurrence, OccurrenceKind};
pub use profiles::{ProfileError, ProfileId, Profiles};
pub use settings::{MatchMode, Settings, SettingsError};
pub use state::{Event, State};
pub use statistics::Counts;
pub use view::{Attribute, AttributeValue, DialogView, LegView, ProfileView};
