//! The oddities of Kamailio's dialog module, one by one: what it does, what is done here, and what proves it (spec dialog 13).

/// What became of an oddity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Here {
    /// The same: configurations or tools count on it.
    Kept,
    /// Done right, always.
    Fixed,
    /// Either way, by this parameter of the module.
    Option(&'static str),
    /// Belongs to a part that is not there yet.
    Later,
}

/// One oddity.
pub struct Quirk {
    /// The number in the specification.
    pub number: u8,
    /// What the original does.
    pub original: &'static str,
    pub here: Here,
    /// What that means here; empty when the column before says it all.
    pub meaning: &'static str,
    /// The unit test (`name_of_the_function`) or the conformance case (`folder/name`) that shows it.
    pub proof: &'static str,
}

const fn kept(number: u8, original: &'static str, proof: &'static str) -> Quirk {
    Quirk { number, original, here: Here::Kept, meaning: "", proof }
}

const fn fixed(number: u8, original: &'static str, meaning: &'static str, proof: &'static str) -> Quirk {
    Quirk { number, original, here: Here::Fixed, meaning, proof }
}

const fn option(number: u8, original: &'static str, parameter: &'static str, meaning: &'static str, proof: &'static str) -> Quirk {
    Quirk { number, original, here: Here::Option(parameter), meaning, proof }
}

const fn later(number: u8, original: &'static str, meaning: &'static str) -> Quirk {
    Quirk { number, original, here: Here::Later, meaning, proof: "" }
}

const REPLICATION: &str = "comes with replication";
const EMBEDDED: &str = "comes with embedded languages";

/// Every row, in the order of the specification.
pub static QUIRKS: &[Quirk] = &[
    kept(1, "the cookie is hexadecimal with the lowest digit first", "dialog/cookie_is_written_backwards"),
    kept(2, "functions and variables find dialogs by identifiers in every match mode", "dialog/cookie_of_every_kind_in_mode_0"),
    kept(3, "the route hook runs once a message, and only for a Route with parameters", "dialog/loose_route_called_twice"),
    fixed(4, "a malformed cookie gives up even in mode 1", "the identifiers are tried", "dialog/malformed_cookie_falls_back"),
    kept(5, "dlg_manage() within a dialog always returns 1", "dialog/manage_within_a_call_finds_it"),
    fixed(
        6,
        "the cookie is added to in-dialog requests in mode 2 too",
        "mode 2 writes no cookie",
        "dialog/identifiers_only_write_no_cookie_within",
    ),
    kept(7, "a second forked 2xx is not tracked", "dialog/second_answer_is_not_tracked"),
    kept(8, "Call-ID and From tag of a confirmed dialog used again make a second record", "dialog/call_id_used_again_in_a_call"),
    kept(9, "a spiral gets no cookie and no context in its replies", "dialog/spiral_is_one_dialog"),
    fixed(
        10,
        "the direction of an early match sticks while the slot is searched",
        "the direction belongs to the dialog found",
        "of_several_matching_dialogs_the_oldest_answered_or_the_newest_open_one_is_found",
    ),
    later(11, "ids of replicated records do not advance the counter", REPLICATION),
    kept(
        12,
        "contacts are refreshed by re-INVITE only, not in state 3, not by responses or UPDATE",
        "dialog/contacts_change_by_reinvite_alone",
    ),
    kept(13, "the callee's CSeq starts as 0", "dialog/listing_shape"),
    option(
        14,
        "dialog:start sees no To tag, no start time and the old count",
        "start_route_sees_callee",
        "0 keeps it, 1 shows the tag",
        "dialog/start_route_may_see_the_callee",
    ),
    fixed(
        15,
        "dialog:end and dialog:failed may run several times",
        "once, at the first cause",
        "one_side_can_be_ended_once_and_the_route_runs_once",
    ),
    fixed(
        16,
        "a second dlg_bye() fails when an event route exists",
        "the context stays",
        "both_sides_can_be_ended_one_after_the_other_in_one_script",
    ),
    fixed(
        17,
        "calls removed by early_timeout leak early_dialogs",
        "counted as failed; `early_timeout_event` runs the route",
        "calls_that_are_never_answered_are_counted_failed_and_removed",
    ),
    fixed(
        18,
        "expiry and BYE lower active_dialogs from any state",
        "counters equal a recount",
        "a_hundred_thousand_random_operations_keep_every_invariant",
    ),
    kept(19, "an ended dialog stays some seconds for retransmissions", "dialog/ended_dialog_is_kept_a_while"),
    fixed(
        20,
        "expiry with BYE leaves end_ts at 0 until the record is gone",
        "set when the dialog ends",
        "the_answer_to_a_local_bye_sets_the_end_time",
    ),
    fixed(21, "a revived dialog stays counted as failed", "the failure is taken back", "a_200_that_crosses_the_cancel_revives_the_call"),
    kept(22, "any in-dialog request restarts the lifetime, the ACK even with timeout_noreset", "dialog/request_restarts_the_lifetime"),
    fixed(
        23,
        "a timeout equal to the default cannot restore it",
        "any value above 0 counts",
        "dialog/lifetime_equal_to_the_default_comes_back",
    ),
    fixed(24, "$DLG_lifetime is the unix time before the answer", "0", "dialog/age_before_the_answer_is_zero"),
    fixed(25, "CRITICAL log lines for ordinary events", "counted, no line", "dialog/ordinary_events_are_no_alarm"),
    fixed(26, "dlg_mode=1 breaks counters and legs", "every mode gets full processing", "dialog/newer_parameters_that_change_nothing"),
    fixed(27, "dlg_update_state() ends the script", "returns 1", "dialog/script_goes_on_after_the_state_is_updated"),
    fixed(28, "$dlg_ctx(flags) cannot be used", "it can", "dialog/context_flags_can_be_used"),
    option(29, "$dlg_ctx(timeout) has no effect", "ctx_timeout", "1 makes it the lifetime", "dialog/context_timeout_by_option"),
    option(30, "$dlg_ctx(dir) stays 0 for requests within a dialog", "ctx_direction", "1 sets it", "dialog/context_direction_by_option"),
    fixed(
        31,
        "writing set, dir or timeout_route_id changes `on`",
        "refused when the configuration is read",
        "dialog/context_fields_that_cannot_be_written",
    ),
    fixed(32, "a shorter second timeout_route keeps the tail of the first", "replaced", "dialog/context_route_name_is_replaced"),
    fixed(33, "$dlg_var(x) = 5 fails", "the digits are kept", "dialog/variables_take_numbers"),
    later(34, "var_is_null is inverted, var_sets and var_rm are not stored", EMBEDDED),
    option(
        35,
        "joining a profile twice counts twice",
        "profile_join_once",
        "1 counts once",
        "joining_once_is_an_option_and_limits_are_kept_across_dialogs",
    ),
    option(
        36,
        "unset_dlg_profile() is refused in the request route",
        "unset_profile_in_request",
        "1 allows it",
        "dialog/unset_profile_in_request_by_option",
    ),
    fixed(37, "the clean timer loops for ever over remote members", "they expire", "remote_members_count_until_removed_or_expired"),
    fixed(
        38,
        "dlg_set_timeout_by_profile() destroys dialogs or crashes",
        "it sets the timeout, once a dialog",
        "dialog/timeout_of_all_members_of_a_profile",
    ),
    later(39, "leaving a profile is not replicated", REPLICATION),
    kept(40, "memberships asked for in advance are joined in reverse order", "dialog/pending_memberships_come_first_and_reversed"),
    fixed(41, "the order of memberships is reversed by a reload", "a reload keeps it", "storage/load_profiles"),
    fixed(42, "the letter T of dlg.briefing prints the caller's tag", "the callee's", "dialog/briefing_of_both_tags"),
    kept(43, "call-id in listings, call_id in dumps; profiles as array and as object", "calls_are_dumped_into_files_of_one_folder_only"),
    kept(44, "empty answers for missing parameters, misspelt fault texts", "dialog/rpc_faults"),
    fixed(45, "dlg.dlg_list shows the last of several dialogs over JSON", "", "dialog/rpc_of_several_calls_as_json"),
    fixed(
        46,
        "dlg.end_dlg repeats its BYEs while the first are out",
        "refused until they are answered",
        "a_command_given_twice_sends_one_pair_of_byes_and_runs_one_route",
    ),
    fixed(
        47,
        "dlg.terminate_dlg leaks a reference when nothing can be sent",
        "nothing is leaked",
        "a_call_whose_parties_cannot_be_reached_is_over_with_its_second_try",
    ),
    fixed(
        48,
        "dlg.set_state loses init_ts, leaves timer and profiles",
        "both follow, init_ts stays",
        "a_state_forced_in_any_direction_keeps_counts_profiles_and_deadlines",
    ),
    fixed(
        49,
        "dlg.dump_file writes any path and hides errors",
        "inside `dump_directory` only, errors are told",
        "calls_are_dumped_into_files_of_one_folder_only",
    ),
    fixed(
        50,
        "listings with context crash",
        "observers add ordinary fields",
        "observers_add_bounded_fields_to_listings_and_are_found_by_their_type",
    ),
    fixed(51, "the first stored timeout is wrong", "right from the first write on", "storage/row_appears_with_the_answer"),
    fixed(
        52,
        "deleted variables stay stored, loaded ones are stored twice",
        "the table holds what the call has",
        "storage/variables_removed",
    ),
    fixed(53, "profiles, flags and sockets are stored once only", "the whole row follows", "storage/profiles_changed_within"),
    fixed(54, "NULL in columns that forbid it", "an empty text", "storage/row_of_an_answer_without_contact"),
    kept(55, "db_mode 3 empties the tables at start; loaded dialogs are stored again at the stop", "storage/mode_3_twice"),
    option(56, "another hash_size stops the start", "db_rehash", "it does by default", "storage/load_other_hash_size_by_option"),
    fixed(57, "rows with NULL contacts are dropped", "they are loaded", "storage/load_rows_with_nulls"),
    kept(58, "a loaded lifetime is the original total", "storage/load_lifetime_is_the_original"),
    option(59, "a local BYE lies 101 above the last CSeq, 1 in 5.6", "bye_cseq_step", "101 by default", "dialog/bye_number_with_step_1"),
    fixed(
        60,
        "dlg_refer() swaps the URIs of To and From",
        "the right parties, the same receiver",
        "a_refer_goes_to_the_opposite_side_with_the_right_names_and_its_bye_ends_the_call",
    ),
    fixed(
        61,
        "a referred call stays up",
        "the BYE after the REFER ends it",
        "a_refer_goes_to_the_opposite_side_with_the_right_names_and_its_bye_ends_the_call",
    ),
    fixed(
        62,
        "an early dlg_bye() fails unless the transaction came first",
        "works whenever dlg_manage() ran",
        "dialog/early_call_is_hung_up_without_newtran",
    ),
    fixed(
        63,
        "dlg_req_within() to a ringing callee swaps the parties",
        "the right parties",
        "a_callee_that_rings_is_asked_in_the_dialog_of_its_reply",
    ),
    fixed(
        64,
        "dlg_refer_cid() with an unknown Call-ID locks the slot for ever",
        "it answers -1",
        "a_refer_can_name_its_call_by_number_or_call_id",
    ),
    kept(65, "any final reply to a local BYE ends the dialog", "dialog/bye_refused_still_ends"),
    fixed(
        66,
        "the 408 exemption of keepalives compares with NUL",
        "silence of a party without CSeq does not count",
        "keepalive_failures_in_a_row_cut_the_lifetime",
    ),
    option(
        67,
        "keepalive flags count at the moment of the ACK",
        "ka_live",
        "1 reads them at each probe",
        "a_property_set_later_counts_only_with_ka_live",
    ),
    fixed(68, "an ended dialog still gets a BYE to the callee", "none", "an_ended_call_gets_no_bye_to_either_side"),
    fixed(69, "the line end of lreq_callee_headers is completed for BYE only", "always", "dialog/header_of_the_callee_gets_its_line_end"),
    kept(70, "xavp_cfg is ignored, ruri_pvar is used, timer_procs is a switch", "every_parameter_is_the_engines_or_the_modules"),
    kept(71, "hash_size is rounded down to a power of two", "hash_size_is_rounded_down_with_a_warning"),
    kept(72, "timeout_avp takes any variable", "dialog/lifetime_from_any_variable"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    use super::{Here, QUIRKS};
    use crate::dialog::MODULE;

    fn workspace() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
    }

    /// Names of all functions behind a `#[test]` below the folder.
    fn tests_below(folder: &Path, names: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                tests_below(&path, names);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                let behind = text.split("#[test]").skip(1).filter_map(|rest| rest.split_once("fn ")?.1.split_once('('));
                names.extend(behind.map(|(name, _)| name.to_owned()));
            }
        }
    }

    #[test]
    fn every_row_of_the_specification_is_there_once() {
        let numbers: Vec<u8> = QUIRKS.iter().map(|quirk| quirk.number).collect();
        assert_eq!(numbers, (1..=72).collect::<Vec<u8>>());
    }

    #[test]
    fn every_row_names_a_test_that_exists() {
        let mut names = BTreeSet::new();
        for folder in ["crates", "simulation"] {
            tests_below(&workspace().join(folder), &mut names);
        }
        for quirk in QUIRKS {
            let is_there = match (quirk.here, quirk.proof.contains('/')) {
                (Here::Later, _) => quirk.proof.is_empty(),
                (_, true) => workspace().join("conformance/cases").join(quirk.proof).with_extension("md").is_file(),
                (_, false) => names.contains(quirk.proof),
            };
            assert!(is_there, "row {} is not proven by `{}`", quirk.number, quirk.proof);
        }
    }

    #[test]
    fn every_option_is_a_parameter() {
        for quirk in QUIRKS {
            if let Here::Option(name) = quirk.here {
                assert!(MODULE.parameters.iter().any(|parameter| parameter.name == name), "row {}: {name}", quirk.number);
            }
        }
    }
}
