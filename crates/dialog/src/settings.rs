//! What a configuration can set about dialogs: names, ranges and errors of the module's parameters (spec dialog 3).

use crate::limits::{DIALOGS_MAX, HASH_SIZE_MAX, PROFILES_MAX, RR_PARAM_BYTES_MAX};

/// How a request within a dialog finds its record (`dlg_match_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum MatchMode {
    /// By the cookie of the Route header only.
    #[default]
    CookieOnly,
    /// By the cookie, then by Call-ID and tags.
    CookieThenIdentifiers,
    /// By Call-ID and tags; the INVITE gets no cookie.
    IdentifiersOnly,
}

/// How far the CSeq of a local BYE lies above the last one seen (spec dialog 9.2, 13.59).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ByeSequence {
    /// 101 above, as 6.x.
    #[default]
    Plus101,
    /// 1 above, or 81 when a PRACK was seen, as 5.6.
    Plus1,
}

/// When changes of dialogs are written (`db_mode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Storing {
    /// Not at all.
    #[default]
    Never,
    /// Before the message leaves that announces them.
    Realtime,
    /// Now and then.
    Delayed,
    /// At the clean stop.
    AtStop,
}

/// One profile as the configuration defines it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProfileDefinition {
    pub name: String,
    /// Members carry a value.
    pub has_value: bool,
}

/// Everything the engine can be told; durations in seconds.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Slots, a power of two.
    pub hash_size: u32,
    /// Name of the cookie parameter.
    pub rr_param: String,
    pub match_mode: MatchMode,
    pub detect_spirals: bool,
    pub default_timeout: u32,
    pub timeout_noreset: bool,
    /// Longest time in states 1 and 2.
    pub early_timeout: u32,
    /// Longest time in state 3 before the lifetime is cut to 10 s.
    pub noack_timeout: u32,
    /// Longest time a finished record is kept for its transactions.
    pub end_timeout: u32,
    /// Every new dialog gets BYEs at expiry.
    pub send_bye: bool,
    /// A failed dialog is kept until its INVITE transaction ends.
    pub wait_ack: bool,
    pub ka_timer: u32,
    /// Seconds between keepalive probes; 0 = none.
    pub ka_interval: u32,
    pub ka_failed_limit: u32,
    /// Reply sent to the caller by an early termination.
    pub bye_early_code: u16,
    pub bye_early_reason: String,
    /// Seconds that are left to a call that was answered after the caller had hung up; 0 = its whole lifetime. Extension.
    pub race_condition_timeout: u32,
    /// A call that ends because its ACK never came gets BYEs. Extension; Kamailio sends them with `send_bye` only.
    pub noack_send_bye: bool,
    /// Probing a party begins and ends with its property; Kamailio asks once, when the ACK comes. Extension (13.67).
    pub ka_live: bool,
    /// Bit 1: own Record-Route stays in the callee's route set; bit 2: it is added to the caller's.
    pub keep_proxy_rr: u8,
    /// Bit 1: no timeouts or keepalives for dialogs without a local socket.
    pub filter_mode: u32,
    pub h_id_start: u32,
    pub h_id_step: u32,
    /// Profiles without value first, then those with.
    pub profiles: Vec<ProfileDefinition>,
    /// Joining the same profile with the same value twice counts once. Kamailio counts twice (spec dialog 13.35).
    pub profile_join_once: bool,
    /// Run `dialog:failed` for calls removed by `early_timeout`; Kamailio stays silent (spec dialog 13.17).
    pub early_timeout_event: bool,
    pub bye_sequence: ByeSequence,
    /// Seconds an ended call can be explained; 0 = not at all.
    pub explain_time: u32,
    /// Ended calls kept for that, within [`crate::limits::EXPLAIN_BYTES_MAX`].
    pub explain_calls: u32,
    /// Dialogs kept at once.
    pub dialogs_max: u64,
    /// Which changes are noted for storage.
    pub storing: Storing,
    /// A cookie made with another `hash_size` is passed over and the identifiers decide (`db_rehash`).
    pub finds_moved: bool,
    /// Seed of the first dialog number of each slot and of the index hashes.
    pub random_seed: u64,
    /// Beginning of the unique text of memberships, `dlgp-<start time hex>-<process hex>-`.
    pub unique_prefix: String,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            hash_size: 4096,
            rr_param: String::from("did"),
            match_mode: MatchMode::CookieOnly,
            detect_spirals: true,
            default_timeout: 43_200,
            timeout_noreset: false,
            early_timeout: 300,
            noack_timeout: 60,
            end_timeout: 300,
            send_bye: false,
            wait_ack: true,
            ka_timer: 0,
            ka_interval: 0,
            ka_failed_limit: 1,
            bye_early_code: 480,
            bye_early_reason: String::from("Temporarily Unavailable"),
            race_condition_timeout: 5,
            noack_send_bye: false,
            ka_live: false,
            keep_proxy_rr: 0,
            filter_mode: 0,
            h_id_start: 0,
            h_id_step: 1,
            profiles: Vec::new(),
            profile_join_once: false,
            early_timeout_event: false,
            bye_sequence: ByeSequence::Plus101,
            explain_time: 600,
            explain_calls: 100_000,
            dialogs_max: DIALOGS_MAX,
            storing: Storing::Never,
            finds_moved: false,
            random_seed: 0,
            unique_prefix: String::from("dlgp-"),
        }
    }
}

/// The value of a parameter as the configuration gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParameterValue<'a> {
    Integer(i64),
    Text(&'a str),
}

/// A refused parameter: the server must not start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingsError {
    /// No parameter of the engine; the module may know it.
    Unknown {
        name: String,
    },
    /// Text for a number or the reverse.
    WrongType {
        name: &'static str,
    },
    OutOfRange {
        name: &'static str,
        value: i64,
        allowed: &'static str,
    },
    EmptyText {
        name: &'static str,
    },
    TooLong {
        name: &'static str,
        bytes_max: usize,
    },
    KeepaliveTooOften {
        value: i64,
    },
    BadProfileName {
        name: String,
        character: char,
    },
    DuplicateProfile {
        name: String,
    },
    TooManyProfiles,
}

impl std::fmt::Display for SettingsError {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            SettingsError::Unknown { name } => {
                write!(out, "the dialog engine has no parameter `{name}`")
            }
            SettingsError::WrongType { name } => {
                write!(out, "parameter `{name}` has the wrong type")
            }
            SettingsError::OutOfRange { name, value, allowed } => {
                write!(out, "parameter `{name}`: {value} is not allowed, use {allowed}")
            }
            SettingsError::EmptyText { name } => {
                write!(out, "parameter `{name}` must not be empty")
            }
            SettingsError::TooLong { name, bytes_max } => {
                write!(out, "parameter `{name}` is longer than {bytes_max} bytes")
            }
            SettingsError::KeepaliveTooOften { value } => {
                write!(out, "ka interval too low ({value}), has to be at least 30")
            }
            SettingsError::BadProfileName { name, character } => {
                write!(out, "bad profile name <{name}>, char {character} - use only alphanumerical characters or '_'")
            }
            SettingsError::DuplicateProfile { name } => {
                write!(out, "duplicate dialog profile registered <{name}>")
            }
            SettingsError::TooManyProfiles => {
                write!(out, "more than {PROFILES_MAX} dialog profiles")
            }
        }
    }
}

impl std::error::Error for SettingsError {}

/// A value that was changed to fit; the server starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsWarning {
    pub name: &'static str,
    pub given: i64,
    pub used: i64,
}

impl Settings {
    /// Takes one parameter under its Kamailio name. A warning says that another value is used than was given.
    pub fn set(&mut self, name: &str, value: ParameterValue<'_>) -> Result<Option<SettingsWarning>, SettingsError> {
        match name {
            "hash_size" => return self.set_hash_size(integer("hash_size", value)?),
            "rr_param" => self.rr_param = self.checked_rr_param(text("rr_param", value)?)?,
            "dlg_match_mode" => {
                self.match_mode = match integer("dlg_match_mode", value)? {
                    0 => MatchMode::CookieOnly,
                    1 => MatchMode::CookieThenIdentifiers,
                    2 => MatchMode::IdentifiersOnly,
                    value => {
                        return Err(SettingsError::OutOfRange { name: "dlg_match_mode", value, allowed: "0, 1 or 2" });
                    }
                }
            }
            "detect_spirals" => self.detect_spirals = switch("detect_spirals", value)?,
            "timeout_noreset" => self.timeout_noreset = switch("timeout_noreset", value)?,
            "default_timeout" => {
                let seconds = integer("default_timeout", value)?;
                self.default_timeout = u32::try_from(seconds).ok().filter(|seconds| *seconds > 0).ok_or(SettingsError::OutOfRange {
                    name: "default_timeout",
                    value: seconds,
                    allowed: "a number above 0",
                })?;
            }
            "early_timeout" => self.early_timeout = seconds("early_timeout", value)?,
            "noack_timeout" => self.noack_timeout = seconds("noack_timeout", value)?,
            "end_timeout" => self.end_timeout = seconds("end_timeout", value)?,
            "explain_time" => self.explain_time = seconds("explain_time", value)?,
            "explain_calls" => {
                let calls = integer("explain_calls", value)?;
                self.explain_calls = u32::try_from(calls).map_err(|_| SettingsError::OutOfRange {
                    name: "explain_calls",
                    value: calls,
                    allowed: "0 or more calls",
                })?;
            }
            "send_bye" => self.send_bye = integer("send_bye", value)? != 0,
            "wait_ack" => self.wait_ack = integer("wait_ack", value)? == 1,
            "ka_timer" => self.ka_timer = clamped(integer("ka_timer", value)?),
            "ka_interval" => {
                let seconds = integer("ka_interval", value)?;
                if seconds != 0 && seconds < 30 {
                    return Err(SettingsError::KeepaliveTooOften { value: seconds });
                }
                self.ka_interval = clamped(seconds);
            }
            "ka_failed_limit" => self.ka_failed_limit = clamped(integer("ka_failed_limit", value)?).max(1),
            "bye_early_code" => {
                let code = integer("bye_early_code", value)?;
                self.bye_early_code = u16::try_from(code)
                    .ok()
                    .filter(|code| (300..700).contains(code))
                    .ok_or(SettingsError::OutOfRange { name: "bye_early_code", value: code, allowed: "300 to 699" })?;
            }
            "race_condition_timeout" => self.race_condition_timeout = seconds("race_condition_timeout", value)?,
            "noack_send_bye" => self.noack_send_bye = switch("noack_send_bye", value)?,
            "ka_live" => self.ka_live = switch("ka_live", value)?,
            "bye_early_reason" => self.bye_early_reason = text("bye_early_reason", value)?.to_string(),
            "keep_proxy_rr" => {
                let bits = integer("keep_proxy_rr", value)?;
                self.keep_proxy_rr = u8::try_from(bits).ok().filter(|bits| *bits <= 3).ok_or(SettingsError::OutOfRange {
                    name: "keep_proxy_rr",
                    value: bits,
                    allowed: "0 to 3",
                })?;
            }
            "dlg_filter_mode" => self.filter_mode = clamped(integer("dlg_filter_mode", value)?),
            "h_id_start" => self.h_id_start = clamped(integer("h_id_start", value)?),
            "h_id_step" => self.h_id_step = clamped(integer("h_id_step", value)?).max(1),
            "early_timeout_event" => self.early_timeout_event = switch("early_timeout_event", value)?,
            "bye_cseq_step" => {
                self.bye_sequence = match integer("bye_cseq_step", value)? {
                    101 => ByeSequence::Plus101,
                    1 => ByeSequence::Plus1,
                    value => return Err(SettingsError::OutOfRange { name: "bye_cseq_step", value, allowed: "101 or 1" }),
                }
            }
            "profile_join_once" => self.profile_join_once = switch("profile_join_once", value)?,
            "profiles_no_value" => self.set_profiles(text("profiles_no_value", value)?, false)?,
            "profiles_with_value" => self.set_profiles(text("profiles_with_value", value)?, true)?,
            _ => {
                return Err(SettingsError::Unknown { name: name.to_string() });
            }
        }
        Ok(None)
    }

    /// Resolves `h_id_start = -1`, which means the core's `server_id`.
    pub fn use_server_id(&mut self, server_id: u32) {
        self.h_id_start = server_id;
    }

    fn set_hash_size(&mut self, given: i64) -> Result<Option<SettingsWarning>, SettingsError> {
        let wanted = clamped(given).clamp(1, HASH_SIZE_MAX);
        let used = 1u32 << wanted.ilog2();
        self.hash_size = used;
        let changed = i64::from(used) != given;
        Ok(changed.then_some(SettingsWarning { name: "hash_size", given, used: i64::from(used) }))
    }

    fn checked_rr_param(&self, name: &str) -> Result<String, SettingsError> {
        if name.is_empty() {
            return Err(SettingsError::EmptyText { name: "rr_param" });
        }
        if name.len() > RR_PARAM_BYTES_MAX {
            return Err(SettingsError::TooLong { name: "rr_param", bytes_max: RR_PARAM_BYTES_MAX });
        }
        Ok(name.to_string())
    }

    fn set_profiles(&mut self, list: &str, has_value: bool) -> Result<(), SettingsError> {
        // Setting a list again replaces it; the other list stays.
        let mut profiles: Vec<ProfileDefinition> = self.profiles.clone();
        profiles.retain(|profile| profile.has_value != has_value);
        for name in list.split(';').map(str::trim).filter(|name| !name.is_empty()) {
            if let Some(character) = name.chars().find(|character| !character.is_ascii_alphanumeric() && *character != '_') {
                return Err(SettingsError::BadProfileName { name: name.to_string(), character });
            }
            if profiles.iter().any(|known| known.name == name) {
                return Err(SettingsError::DuplicateProfile { name: name.to_string() });
            }
            if profiles.len() >= PROFILES_MAX {
                return Err(SettingsError::TooManyProfiles);
            }
            profiles.push(ProfileDefinition { name: name.to_string(), has_value });
        }
        // The sort is stable: profiles without value come first, each list in its own order.
        profiles.sort_by_key(|profile| profile.has_value);
        self.profiles = profiles;
        Ok(())
    }
}

fn integer(name: &'static str, value: ParameterValue<'_>) -> Result<i64, SettingsError> {
    match value {
        ParameterValue::Integer(number) => Ok(number),
        ParameterValue::Text(_) => Err(SettingsError::WrongType { name }),
    }
}

fn text<'a>(name: &'static str, value: ParameterValue<'a>) -> Result<&'a str, SettingsError> {
    match value {
        ParameterValue::Text(text) => Ok(text),
        ParameterValue::Integer(_) => Err(SettingsError::WrongType { name }),
    }
}

fn switch(name: &'static str, value: ParameterValue<'_>) -> Result<bool, SettingsError> {
    match integer(name, value)? {
        0 => Ok(false),
        1 => Ok(true),
        value => Err(SettingsError::OutOfRange { name, value, allowed: "0 or 1" }),
    }
}

fn seconds(name: &'static str, value: ParameterValue<'_>) -> Result<u32, SettingsError> {
    let number = integer(name, value)?;
    u32::try_from(number).map_err(|_| SettingsError::OutOfRange { name, value: number, allowed: "0 or more seconds" })
}

fn clamped(number: i64) -> u32 {
    u32::try_from(number.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
