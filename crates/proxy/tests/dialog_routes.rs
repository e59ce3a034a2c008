//! In which routes each function of the dialog module may stand: a table with the verdicts of Kamailio 5.6.3.

use std::collections::BTreeSet;

use script::load::LoadOptions;
use script::source::Files;

/// The letters of [`ROUTES`] where a configuration with the call starts, and the call. Names that 5.6.3 lacks are marked with
/// `+`, their routes are those that 6.x declares.
const TABLE: &str = r#"
 R-----EL dlg_manage()
 RFOoBSEL set_dlg_profile("all")
 RFOoBSEL set_dlg_profile("caller", "$fU")
 RFOoB-EL unset_dlg_profile("all")
 RFOoB-EL unset_dlg_profile("caller", "$fU")
 RFOoBSEL is_in_profile("all")
 RFOoBSEL is_in_profile("caller", "$fU")
 RFOoBSEL get_profile_size("all", "$var(n)")
 RFOoBSEL get_profile_size("caller", "$fU", "$var(n)")
 RFOoBSEL dlg_setflag("1")
 RFOoBSEL dlg_resetflag("1")
 RFOoBSEL dlg_isflagset("1")
 RFOoBSEL dlg_bye("all")
 RFOoBSEL dlg_refer("caller", "sip:a@b")
 RFOoBSEL dlg_bridge("sip:a@b", "sip:c@d", "")
 RFOoBSEL dlg_get("$ci", "$ft", "$tt")
 RFOoBSEL is_known_dlg()
 RFOoBSEL dlg_set_timeout("5")
 RFOoBSEL dlg_set_timeout("5", "1", "2")
 RFOoBSEL dlg_set_timeout_by_profile("all", "5")
 RFOoBSEL dlg_set_timeout_by_profile("caller", "$fU", "5")
 RFOoBSEL dlg_set_property("ka-src")
 RFOoBSEL dlg_reset_property("ka-src")
 RFOoBSEL dlg_remote_profile("add", "all", "", "u", "0")
 RFOoBSEL dlg_set_ruri()
 RFOoBSEL dlg_db_load_callid("$ci")
 RFOoBSEL dlg_db_load_extra()
+RFOoBSEL dlg_set_state("confirmed")
+RFOoB-EL dlg_update_state()
+RFOoBSEL dlg_refer_did("1", "2", "caller", "sip:a@b")
+RFOoBSEL dlg_refer_cid("$ci", "caller", "sip:a@b")
+RFOoBSEL dlg_update_contact()
+RFOoBSEL dlg_update_socket()
+RFOoBSEL dlg_get_var("$ci", "$ft", "", "key", "$var(x)")
+RFOoBSEL dlg_set_var("$ci", "$ft", "", "key", "value")
+RFOoBSEL dlg_req_within("callee", "INFO")
+RFOoBSEL dlg_req_within("callee", "INFO", "X-A: 1\r\n")
+RFOoBSEL dlg_req_within("callee", "INFO", "text/plain", "text")
+RFOoBSEL dlg_req_within("callee", "INFO", "X-A: 1\r\n", "text/plain", "text")
+RFOoBSEL dlg_profile_acquire("all", 5)
+RFOoBSEL dlg_profile_acquire("caller", "$fU", 5)
+RFOoBSEL dlg_profile_acquire("caller", "$fU", 5, 2)
+RFOoBSEL dlg_remove_dialogs_from_node("sip:node@example.com")
"#;

const ROUTES: [(char, &str); 8] = [
    ('R', "route[A]"),
    ('F', "failure_route[A]"),
    ('O', "onreply_route[A]"),
    ('o', "onreply_route"),
    ('B', "branch_route[A]"),
    ('S', "onsend_route"),
    ('E', "event_route[dialog:start]"),
    ('L', "event_route[tm:local-request]"),
];

struct OneFile(String);

impl Files for OneFile {
    fn read(&mut self, _: &str) -> Result<Vec<u8>, String> {
        Ok(self.0.clone().into_bytes())
    }

    fn environment(&self, _: &str) -> Option<String> {
        None
    }
}

fn error_of(route: &str, call: &str) -> Option<String> {
    let text = format!(
        "#!KAMAILIO\nloadmodule \"tm\"\nloadmodule \"rr\"\nloadmodule \"pv\"\nloadmodule \"dialog\"\n\
         modparam(\"dialog\", \"profiles_with_value\", \"caller\")\nmodparam(\"dialog\", \"profiles_no_value\", \"all\")\n\
         request_route {{\n\tdlg_manage();\n\texit;\n}}\n{route} {{\n\t{call};\n}}\n"
    );
    proxy::check("test.cfg", &mut OneFile(text), &LoadOptions::default()).err().map(|error| error.to_string())
}

#[test]
fn each_function_may_stand_where_kamailio_allows_it() {
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for line in TABLE.lines().filter(|line| !line.is_empty()) {
        let (allowed, call) = line.get(1..).and_then(|line| line.split_once(' ')).expect("letters and a call");
        for (letter, route) in ROUTES {
            let error = error_of(route, call);
            if error.is_none() != allowed.contains(letter) {
                wrong.push(format!("{call} in {route}: {}", error.as_deref().unwrap_or("starts")));
            }
            let name = call.split('(').next().unwrap_or_default();
            if let Some(error) = error {
                assert!(error.contains(name), "the error names the function: {error}");
            }
        }
        seen.insert(call.split('(').next().unwrap_or_default());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let missing: Vec<&str> = modules::dialog::MODULE
        .functions
        .iter()
        .filter(|function| !function.note.starts_with("extension") && !seen.contains(function.name))
        .map(|function| function.name)
        .collect();
    assert!(missing.is_empty(), "no line for {missing:?}");
}
