//! The export table of `uac`.

use script::exports::{Kind, Parameter, ParameterKind, Routes};

use super::authentication;
use crate::registry::{Function, Module};

const AFTER_FAILURE: Routes = Routes::FAILURE.or(Routes::BRANCH_FAILURE).or(Routes::EVENT);
const CHALLENGES: &str = "SHA-256 and SHA-512-256 besides MD5, auth-int where auth is not offered; every challenge of the reply is looked at";

/// Everything `uac` declares.
pub static MODULE: Module = Module {
    name: "uac",
    checks: &[],
    functions: &[
        Function::new("uac_auth", 0..=1, &[Kind::Integer], authentication::authenticate).routes(AFTER_FAILURE).note(CHALLENGES),
        Function::new("uac_auth_mode", 1..=1, &[Kind::Integer], authentication::authenticate).routes(AFTER_FAILURE).note(CHALLENGES),
    ],
    variables: &[],
    parameters: &[
        Parameter::unset("credential", ParameterKind::Texts),
        Parameter::unset("auth_realm_avp", ParameterKind::Text),
        Parameter::unset("auth_username_avp", ParameterKind::Text),
        Parameter::unset("auth_password_avp", ParameterKind::Text),
    ],
    commands: &[],
    statistics: &[],
    events: &[],
};
