//! The export table of `uac`.

use script::exports::{InnerKind, Kind, Parameter, ParameterKind, Routes};

use super::{authentication, described, replacement, restore, sending};
use crate::registry::{Function, Module, Variable};

const AFTER_FAILURE: Routes = Routes::FAILURE.or(Routes::BRANCH_FAILURE).or(Routes::EVENT);
const REPLACING: Routes = Routes::REQUEST.or(Routes::BRANCH);
const REFUSED: &str = "line ends, brackets and the like in the arguments are refused";
const KEPT: &str = "no effect: a transaction keeps its request, from which replies are put right";
const CHALLENGES: &str =
    "SHA-256 and SHA-512-256 besides MD5, auth-int where auth is not offered; every challenge of the reply is looked at";

/// Everything `uac` declares.
pub static MODULE: Module = Module {
    name: "uac",
    checks: &[],
    functions: &[
        Function::new("uac_req_send", 0..=0, &[], sending::send),
        Function::new("uac_replace_from", 1..=2, &[Kind::Format], replacement::replace_from).routes(REPLACING).note(REFUSED),
        Function::new("uac_replace_to", 1..=2, &[Kind::Format], replacement::replace_to).routes(REPLACING).note(REFUSED),
        Function::new("uac_restore_from", 0..=0, &[], restore::restore_from).routes(Routes::REQUEST),
        Function::new("uac_restore_to", 0..=0, &[], restore::restore_to).routes(Routes::REQUEST),
        Function::new("uac_auth", 0..=1, &[Kind::Integer], authentication::authenticate).routes(AFTER_FAILURE).note(CHALLENGES),
        Function::new("uac_auth_mode", 1..=1, &[Kind::Integer], authentication::authenticate).routes(AFTER_FAILURE).note(CHALLENGES),
    ],
    variables: &[Variable::new("uac_req", described::read)
        .inner(InnerKind::OneOf(described::NAMES))
        .writable(described::write)
        .note("holds for one message; in Kamailio until the worker changes it")],
    parameters: &[
        Parameter::text("restore_mode", "auto"),
        Parameter::integer("restore_dlg", 0),
        Parameter::text("restore_passwd", ""),
        Parameter::text("rr_from_store_param", "vsf"),
        Parameter::text("rr_to_store_param", "vst"),
        Parameter::unset("restore_from_avp", ParameterKind::Text).note(KEPT),
        Parameter::unset("restore_to_avp", ParameterKind::Text).note(KEPT),
        Parameter::unset("event_callback", ParameterKind::Text).note("no effect: there are no embedded languages"),
        Parameter::unset("credential", ParameterKind::Texts),
        Parameter::unset("auth_realm_avp", ParameterKind::Text),
        Parameter::unset("auth_username_avp", ParameterKind::Text),
        Parameter::unset("auth_password_avp", ParameterKind::Text),
    ],
    commands: &[],
    statistics: &[],
    events: &["uac:reply"],
};
