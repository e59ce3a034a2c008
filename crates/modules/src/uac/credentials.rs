//! Whom to be in which realm: the parameter `credential`, and the variables a script fills for one call (spec proxy-core 11.13).

use script::exports::Evaluate;
use script::value::Text;
use script::variable::Reference;

use super::limits::CREDENTIALS_MAX;
use crate::settings::Settings;
use crate::worker::Worker;

/// What a challenge is answered with.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    pub username: Text,
    /// Empty: any realm.
    pub realm: Text,
    /// The password, or with mode 1 the hash of user, realm and password in hexadecimal.
    pub password: Text,
}

impl std::fmt::Debug for Credential {
    /// Without the password: it does not belong into a log.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Credential").field("username", &self.username).field("realm", &self.realm).finish_non_exhaustive()
    }
}

/// Where a script puts the credential of a call.
#[derive(Debug)]
struct Variables {
    realm: Reference,
    username: Reference,
    password: Reference,
}

/// The credentials of a configuration.
#[derive(Debug, Default)]
pub struct Credentials {
    /// The one given last counts first.
    list: Vec<Credential>,
    variables: Option<Variables>,
}

impl Credentials {
    /// Reads the parameters.
    pub fn of(settings: &Settings, program: &script::Program<Worker>) -> Result<Credentials, String> {
        let mut list = Vec::new();
        // Which one is wrong is told by its place: what stands in it may be a secret.
        for (index, text) in settings.texts("uac", "credential").iter().rev().enumerate() {
            let number = settings.texts("uac", "credential").len() - index;
            list.push(parse(text).ok_or_else(|| format!("uac: credential number {number} is not `username:realm:password`"))?);
        }
        if list.len() > CREDENTIALS_MAX {
            return Err(format!("uac: more than {CREDENTIALS_MAX} credentials"));
        }
        let reference = |name: &str| match settings.text("uac", name).filter(|text| !text.is_empty()) {
            Some(text) => program.compile_reference(&text).map(Some).map_err(|error| format!("uac: {name}: {error}")),
            None => Ok(None),
        };
        let variables = match (reference("auth_realm_avp")?, reference("auth_username_avp")?, reference("auth_password_avp")?) {
            (Some(realm), Some(username), Some(password)) => Some(Variables { realm, username, password }),
            (None, None, None) => None,
            _ => return Err(String::from("uac: auth_realm_avp, auth_username_avp and auth_password_avp are to be set together")),
        };
        Ok(Credentials { list, variables })
    }
}

/// `username:realm:password`
fn parse(text: &Text) -> Option<Credential> {
    let mut parts = text.splitn(3, |byte| *byte == b':');
    let (username, realm, password) = (parts.next()?, parts.next()?, parts.next()?);
    if username.is_empty() || realm.is_empty() {
        return None;
    }
    Some(Credential { username: Text::from(username), realm: Text::from(realm), password: Text::from(password) })
}

/// The credential for a realm: what the script put into the variables, if it is for this realm or for any, else that of the
/// configuration.
pub fn find(worker: &mut Worker, realm: &[u8]) -> Option<Credential> {
    let node = std::sync::Arc::clone(&worker.node);
    let credentials = &node.states.uac.credentials;
    let given = credentials.variables.as_ref().and_then(|variables| {
        let mut text = |reference: &Reference| {
            let value = worker.read(reference);
            if value.is_null() { Text::empty() } else { value.to_text() }
        };
        let own = Credential { realm: text(&variables.realm), username: text(&variables.username), password: text(&variables.password) };
        let is_for_realm = own.realm.is_empty() || own.realm[..] == *realm;
        (is_for_realm && !own.username.is_empty()).then_some(own)
    });
    given.or_else(|| credentials.list.iter().find(|credential| credential.realm[..] == *realm).cloned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_may_hold_colons_and_be_empty() {
        let credential = parse(&Text::from("alice:example.com:se:cret")).expect("a credential");
        assert_eq!(
            (&credential.username[..], &credential.realm[..], &credential.password[..]),
            (&b"alice"[..], &b"example.com"[..], &b"se:cret"[..])
        );
        assert_eq!(parse(&Text::from("alice:example.com:")).map(|credential| credential.password.len()), Some(0));
        for wrong in ["alice", "alice:example.com", ":example.com:x", "alice::x", ""] {
            assert_eq!(parse(&Text::from(wrong)), None, "{wrong}");
        }
    }

    #[test]
    fn a_credential_does_not_show_its_password() {
        let credential = parse(&Text::from("alice:example.com:hidden")).expect("a credential");
        assert!(!format!("{credential:?}").contains("hidden"));
    }
}
