//! RPC commands on call limits: limits in use, fullest values, comparison of counts with memberships (docs/call-limits.md).

use std::borrow::Cow;

use ::dialog::limits::{LIMITS_LISTED_MAX, PROFILE_TOP_MAX};
use ::dialog::{Audit, LimitView, ProfileId};

use super::rpc::first_text;
use crate::rpc::{Command, Fault, Item, Parameters, Reply};
use crate::worker::Worker;

pub(super) const LIMITS: Command =
    Command::new("dlg.profile_limits", "Lists limits of dlg_profile_acquire: profile, value. (extension)", limits).array();
pub(super) const LIMITS_RESET: Command =
    Command::new("dlg.profile_limits_reset", "Begins peaks and refusals of limits anew: profile, value. (extension)", reset_limits);
pub(super) const TOP: Command =
    Command::new("dlg.profile_top", "Lists the fullest values of a profile: profile, how many. (extension)", top).array();
pub(super) const AUDIT: Command = Command::new("dlg.audit", "Compares the counts of profiles with their members. (extension)", audit);

/// Values of `dlg.profile_top` when no number is given.
const TOP_VALUES: i64 = 20;

type Fields = Vec<(Cow<'static, str>, Item)>;

fn number(name: &'static str, value: impl TryInto<i64>) -> (Cow<'static, str>, Item) {
    (Cow::Borrowed(name), Item::Integer(value.try_into().unwrap_or(i64::MAX)))
}

fn text(name: &'static str, value: &[u8]) -> (Cow<'static, str>, Item) {
    (Cow::Borrowed(name), Item::text(value))
}

fn find(worker: &Worker, name: &[u8]) -> Result<ProfileId, Fault> {
    let name = String::from_utf8_lossy(name);
    worker.node.dialogs.profiles().find(&name).ok_or_else(|| Fault::new(404, format!("Profile not found: {name}")))
}

/// The profiles meant and the value: all profiles when none is named.
fn chosen(worker: &Worker, parameters: &mut Parameters) -> Result<(Vec<ProfileId>, Option<Vec<u8>>), Fault> {
    let Some(name) = parameters.text_if_given()? else {
        return Ok((worker.node.dialogs.profiles().all().collect(), None));
    };
    let value = parameters.text_if_given()?.filter(|value| !value.is_empty());
    Ok((vec![find(worker, &name)?], value))
}

fn name_of(worker: &Worker, profile: ProfileId) -> Vec<u8> {
    worker.node.dialogs.profiles().name(profile).map_or_else(Vec::new, |name| name.as_bytes().to_vec())
}

fn limits(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (profiles, value) = chosen(worker, parameters)?;
    let mut items = Vec::new();
    for profile in profiles {
        let most = LIMITS_LISTED_MAX.saturating_sub(items.len());
        let name = name_of(worker, profile);
        let limits = worker.node.dialogs.profiles().limits(profile, value.as_deref(), most);
        items.extend(limits.iter().map(|limit| Item::Structure(limit_fields(&name, limit))));
    }
    Ok(Reply::many(items))
}

fn limit_fields(profile: &[u8], limit: &LimitView) -> Fields {
    vec![
        text("profile", profile),
        text("value", &limit.value),
        number("count", limit.members),
        number("limit", limit.places),
        number("headroom", limit.headroom),
        number("priority", limit.priority),
        number("peak", limit.peak),
        number("refused", limit.refused),
    ]
}

fn reset_limits(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let (profiles, value) = chosen(worker, parameters)?;
    let known = worker.node.dialogs.profiles();
    let reset: usize = profiles.into_iter().map(|profile| known.reset_limits(profile, value.as_deref())).sum();
    Ok(Reply::one(Item::Structure(vec![number("reset", reset)])))
}

fn top(worker: &mut Worker, parameters: &mut Parameters) -> Result<Reply, Fault> {
    let Some(name) = first_text(parameters)? else { return Ok(Reply::empty()) };
    let most = parameters.integer_if_given()?.unwrap_or(TOP_VALUES);
    let profile = find(worker, &name)?;
    let most = usize::try_from(most).ok().filter(|most| (1..=PROFILE_TOP_MAX).contains(most));
    let most = most.ok_or_else(|| Fault::new(400, format!("the number of values is 1 to {PROFILE_TOP_MAX}")))?;
    let values = worker.node.dialogs.profiles().top(profile, most);
    let item = |(value, count): (Vec<u8>, u32)| Item::Structure(vec![text("value", &value), number("count", count)]);
    Ok(Reply::many(values.into_iter().map(item).collect()))
}

fn audit(worker: &mut Worker, _: &mut Parameters) -> Result<Reply, Fault> {
    let audit = worker.node.dialogs.profiles_audit().ok_or_else(|| Fault::new(503, "Another audit is running, try again"))?;
    tell(worker, &audit);
    Ok(Reply::one(Item::Structure(vec![number("checked", audit.checked), number("differences", audit.different)])))
}

fn tell(worker: &mut Worker, audit: &Audit) {
    for difference in &audit.differences {
        let profile = name_of(worker, difference.profile);
        let line = format!(
            "profile <{}> value <{}> counts {} members and has {}",
            String::from_utf8_lossy(&profile),
            String::from_utf8_lossy(&difference.value),
            difference.counted,
            difference.memberships
        );
        worker.log(-1, "dialog", &line);
    }
}
