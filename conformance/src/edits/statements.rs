//! The statements sequences are made of: each with the routes that may hold it and the holes that are filled by chance.

use super::random::Random;
use super::words;

/// The kind of route a sequence runs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    Request,
    Reply,
    Failure,
    Branch,
    Onsend,
}

impl Route {
    /// All kinds, requests and replies more often than the rest.
    pub const CHOICE: [Route; 9] = [
        Route::Request,
        Route::Request,
        Route::Request,
        Route::Request,
        Route::Reply,
        Route::Reply,
        Route::Failure,
        Route::Branch,
        Route::Onsend,
    ];

    fn letter(self) -> char {
        match self {
            Route::Request => 'R',
            Route::Reply => 'O',
            Route::Failure => 'F',
            Route::Branch => 'B',
            Route::Onsend => 'S',
        }
    }
}

const ANY: &str = "ROFBS";
const SENDING: &str = "RFB";
const WITH_REPLY: &str = "ROFB";
const CHANGING: &str = "RO";

/// Holes: `{h}` header name, `{l}` header line, `{r}` pattern, `{t}` text, `{e}` substitution, `{eu}` one for URIs, `{v}` value of a format,
/// `{i}` small number, `{k}` one without sign, `{u}` URI as a format, `{lu}` as it is, `{p}` parameter, `{c}` content type, `{x}`, `{xi}`, `{xp}` header with index and parameter, index alone, one value.
const STATEMENTS: &[(&str, &str)] = &[
    // textops: search and replace
    (ANY, "search(\"{r}\")"),
    (ANY, "search_body(\"{r}\")"),
    (ANY, "search_hf(\"{h}\", \"{r}\", \"{afl}\")"),
    (ANY, "search_append(\"{r}\", \"{t}\")"),
    (ANY, "search_append_body(\"{r}\", \"{t}\")"),
    (ANY, "search_str(\"{v}\", \"{r}\")"),
    (ANY, "replace(\"{r}\", \"{t}\")"),
    (ANY, "replace_all(\"{r}\", \"{t}\")"),
    (ANY, "replace_body(\"{r}\", \"{t}\")"),
    (ANY, "replace_body_all(\"{r}\", \"{t}\")"),
    (ANY, "replace_body_atonce(\"{a}\", \"{t}\")"),
    (ANY, "replace_hdrs(\"{r}\", \"{t}\")"),
    (ANY, "replace_str(\"{w}\", \"{t}\", \"{af}\")"),
    (ANY, "replace_body_str(\"{w}\", \"{t}\", \"{af}\")"),
    (ANY, "subst('{e}')"),
    (ANY, "subst_body('{e}')"),
    (ANY, "subst_hf(\"{h}\", \"{e}\", \"{af}\")"),
    (SENDING, "subst_uri('{eu}')"),
    (SENDING, "subst_user('{e}')"),
    (WITH_REPLY, "regex_substring(\"{v}\", \"{g}\", \"{i}\", \"{i}\", \"$var(out)\")"),
    // textops: headers
    (ANY, "append_hf(\"{l}\")"),
    (ANY, "append_hf(\"{l}\", \"{h}\")"),
    (ANY, "insert_hf(\"{l}\")"),
    (ANY, "insert_hf(\"{l}\", \"{h}\")"),
    (SENDING, "append_to_reply(\"{l}\")"),
    (SENDING, "append_urihf(\"X-Uri: \", \"\\r\\n\")"),
    (ANY, "remove_hf(\"{h}\")"),
    (ANY, "remove_hf_pv(\"{h}\")"),
    (ANY, "remove_hf_idx(\"{h}\", \"{i}\")"),
    (ANY, "remove_hf_re(\"{n}\")"),
    (ANY, "remove_hf_re_pv(\"{n}\")"),
    (ANY, "remove_hf_exp(\"{n}\", \"{n}\")"),
    (ANY, "remove_hf_exp_pv(\"{n}\", \"{n}\")"),
    (ANY, "remove_hf_match(\"{h}\", \"{op}\", \"{r}\")"),
    (ANY, "is_present_hf(\"{h}\")"),
    (ANY, "is_present_hf_pv(\"{h}\")"),
    (ANY, "is_present_hf_re(\"{n}\")"),
    (ANY, "is_present_hf_re_pv(\"{n}\")"),
    // textops: body
    (WITH_REPLY, "set_body(\"{b}\", \"{c}\")"),
    (SENDING, "set_reply_body(\"{b}\", \"{c}\")"),
    (ANY, "filter_body(\"{c}\")"),
    // get_body_part() is left out: 5.6.3 takes the empty line and parts of the delimiter for content.
    // set_body_multipart() is left out: 5.6.3 writes no end of the last part, and crashes when the text is given.
    (SENDING, "append_body_part(\"{b}\", \"{c}\")"),
    (SENDING, "append_body_part(\"{b}\", \"{c}\", \"signal;handling=optional\")"),
    (SENDING, "append_body_part_hex(\"{hex}\", \"{c}\")"),
    (SENDING, "append_body_part_hex(\"{hex}\", \"{c}\", \"session\")"),
    (SENDING, "remove_body_part(\"{c}\")"),
    (ANY, "has_body()"),
    (ANY, "has_body(\"{ct}\")"),
    (ANY, "is_audio_on_hold()"),
    // textops: tests
    (ANY, "is_method(\"{m}\")"),
    (ANY, "is_privacy(\"{priv}\")"),
    (ANY, "in_list(\"{v}\", \"one,alice,hello\", \",\")"),
    (ANY, "in_list_prefix(\"{v}\", \"o,al,hello alice\", \",\")"),
    (ANY, "cmp_str(\"{v}\", \"{v}\")"),
    (ANY, "cmp_istr(\"{v}\", \"{v}\")"),
    (ANY, "starts_with(\"{v}\", \"{w}\")"),
    (ANY, "ends_with(\"{v}\", \"{w}\")"),
    (ANY, "str_find(\"{v}\", \"{w}\")"),
    (ANY, "str_ifind(\"{v}\", \"{w}\")"),
    // textopsx
    (CHANGING, "msg_apply_changes(); hf_iterator_start(\"h\"); bl_iterator_start(\"b\")"),
    (CHANGING, "msg_apply_changes(); hf_iterator_start(\"h\"); bl_iterator_start(\"b\")"),
    (CHANGING, "msg_apply_changes(); hf_iterator_start(\"h\"); bl_iterator_start(\"b\")"),
    (ANY, "remove_body()"),
    (ANY, "keep_hf(\"{n}\")"),
    (ANY, "fnmatch(\"{v}\", \"{glob}\")"),
    (ANY, "fnmatch(\"{v}\", \"{glob}\")"),
    (WITH_REPLY, "append_hf_value(\"{xi}\", \"{val}\")"),
    (WITH_REPLY, "insert_hf_value(\"{xi}\", \"{val}\")"),
    (WITH_REPLY, "remove_hf_value(\"{x}\")"),
    // On other headers 5.6.3 does not come back.
    (WITH_REPLY, "remove_hf_value2(\"{credential}\")"),
    (WITH_REPLY, "assign_hf_value(\"{xp}\", \"{val}\")"),
    (WITH_REPLY, "assign_hf_value2(\"{credential}\", \"{val}\")"),
    (WITH_REPLY, "include_hf_value(\"{list}\", \"{val}\")"),
    (WITH_REPLY, "exclude_hf_value(\"{list}\", \"{val}\")"),
    (WITH_REPLY, "hf_value_exists(\"{list}\", \"{val}\")"),
    (ANY, "hf_iterator_start(\"h\")"),
    (ANY, "hf_iterator_next(\"h\")"),
    (ANY, "hf_iterator_next(\"h\")"),
    (ANY, "hf_iterator_next(\"h\")"),
    (ANY, "hf_iterator_prev(\"h\")"),
    (ANY, "hf_iterator_rm(\"h\")"),
    (ANY, "hf_iterator_append(\"h\", \"{l}\")"),
    (ANY, "hf_iterator_insert(\"h\", \"{l}\")"),
    (ANY, "hf_iterator_end(\"h\")"),
    (ANY, "bl_iterator_start(\"b\")"),
    (ANY, "bl_iterator_next(\"b\")"),
    (ANY, "bl_iterator_next(\"b\")"),
    (ANY, "bl_iterator_rm(\"b\")"),
    (ANY, "bl_iterator_append(\"b\", \"{t}\\r\\n\")"),
    (ANY, "bl_iterator_insert(\"b\", \"{t}\\r\\n\")"),
    (ANY, "bl_iterator_end(\"b\")"),
    ("O", "change_reply_status(\"{status}\", \"Changed\")"),
    ("O", "change_reply_status_code(\"{status}\")"),
    // siputils
    (ANY, "has_totag()"),
    (ANY, "is_request()"),
    (ANY, "is_reply()"),
    (ANY, "is_first_hop()"),
    (ANY, "is_first_hop(\"{i}\")"),
    (ANY, "is_gruu()"),
    (ANY, "is_gruu(\"{u}\")"),
    (ANY, "is_supported(\"{opt}\")"),
    (ANY, "is_uri(\"{u}\")"),
    (ANY, "is_tel_number(\"{v}\")"),
    (ANY, "is_numeric(\"{v}\")"),
    (ANY, "is_alphanum(\"{v}\")"),
    (ANY, "is_alphanumex(\"{v}\", \"@. \")"),
    (ANY, "cmp_uri(\"{u}\", \"{u}\")"),
    (ANY, "cmp_aor(\"{u}\", \"{u}\")"),
    (ANY, "cmp_hdr_name(\"{h}\", \"{h}\")"),
    // In a failure route 5.6.3 crashes.
    ("ROBS", "hdr_date_check(\"{i}\")"),
    (SENDING, "uri_param(\"{p}\")"),
    (SENDING, "uri_param(\"{p}\", \"bar\")"),
    (SENDING, "uri_param_any(\"{p}\")"),
    (SENDING, "uri_param_rm(\"{p}\")"),
    ("R", "add_uri_param(\"{par}\")"),
    ("R", "get_uri_param(\"{p}\", \"$var(out)\")"),
    ("R", "is_user(\"alice@example.com\")"),
    (WITH_REPLY, "tel2sip(\"{u}\", \"h.example\", \"$var(out)\")"),
    ("RF", "is_e164(\"$rU\")"),
    ("R", "is_uri_user_e164(\"$ru\")"),
    (CHANGING, "encode_contact(\"enc\", \"10.0.0.7\")"),
    ("R", "decode_contact()"),
    ("ROF", "decode_contact_header()"),
    (CHANGING, "contact_param_encode(\"ep\", \"sip:10.0.0.7\")"),
    (CHANGING, "contact_param_decode(\"ep\")"),
    ("R", "contact_param_decode_ruri(\"alias\")"),
    (CHANGING, "contact_param_rm(\"{p}\")"),
    ("R", "is_rpid_user_e164()"),
    (SENDING, "append_rpid_hf()"),
    (SENDING, "append_rpid_hf(\"<\", \">;x=y\")"),
    // core and rr
    (SENDING, "setuser(\"carol\")"),
    (SENDING, "rewriteuser(\"new\")"),
    (SENDING, "rewriteuri(\"{lu}\")"),
    (SENDING, "revert_uri()"),
    (SENDING, "prefix(\"00\")"),
    (SENDING, "strip({k})"),
    (SENDING, "strip_tail({k})"),
    ("R", "setdsturi(\"{lu}\")"),
    ("RFB", "add_rr_param(\";z={i}\")"),
    // variables that edit
    (ANY, "$var(v) = $hdr(X-A)"),
    (SENDING, "$rU = \"{w}\""),
    (SENDING, "$ru = \"{lu}\""),
];

/// Ways to ask for a Record-Route.
pub const RECORDING: [&str; 1] = ["record_route()"];

/// How often a statement is filled for each of its holes when all are tried.
const FILLINGS_OF_A_HOLE: usize = 8;

/// One statement with its holes filled.
pub fn statement(random: &mut Random, route: Route) -> String {
    loop {
        let (routes, template) = STATEMENTS[random.below(STATEMENTS.len())];
        if routes.contains(route.letter()) {
            return fill(random, template);
        }
    }
}

/// Every statement by itself: each hole takes each of its values once while the others hold one of chance.
pub fn each(random: &mut Random) -> Vec<(Route, String)> {
    let mut made = Vec::new();
    for (routes, template) in STATEMENTS {
        let holes = template.matches('{').count();
        let routes: Vec<Route> = Route::CHOICE.into_iter().filter(|route| routes.contains(route.letter())).collect();
        let mut seen = Vec::new();
        for _ in 0..FILLINGS_OF_A_HOLE * holes + 1 {
            let statement = fill(random, template);
            if !seen.contains(&statement) {
                made.push((routes[made.len() % routes.len()], statement.clone()));
                seen.push(statement);
            }
        }
    }
    made
}

fn fill(random: &mut Random, template: &str) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, hole_and_rest)) = rest.split_once('{') {
        out.push_str(before);
        let (hole, after) = hole_and_rest.split_once('}').unwrap_or((hole_and_rest, ""));
        out.push_str(words::choice(random, hole));
        rest = after;
    }
    out.push_str(rest);
    out
}
