//! The statements sequences are made of: each with the routes that may hold it and the holes that are filled by chance.

use super::random::Random;

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

/// Holes: `{h}` header name, `{l}` header line, `{r}` pattern, `{t}` text, `{e}` substitution, `{v}` value of a format,
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
    (SENDING, "subst_uri('{e}')"),
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
    (SENDING, "setuser(\"{w}\")"),
    (SENDING, "rewriteuser(\"new\")"),
    (SENDING, "rewritehost(\"new.example\")"),
    (SENDING, "rewriteuri(\"{lu}\")"),
    (SENDING, "rewriteuserpass(\"u:p\")"),
    (SENDING, "revert_uri()"),
    (SENDING, "prefix(\"00\")"),
    (SENDING, "strip({k})"),
    (SENDING, "strip_tail({k})"),
    ("R", "setdsturi(\"{lu}\")"),
    ("RFB", "add_rr_param(\";z={i}\")"),
    ("R", "remove_record_route()"),
    // variables that edit
    (ANY, "$var(v) = $hdr(X-A)"),
    (SENDING, "$rU = \"{w}\""),
    (SENDING, "$ru = \"{lu}\""),
];

/// Ways to ask for a Record-Route.
pub const RECORDING: [&str; 1] = ["record_route()"];

const HEADER_NAMES: [&str; 32] = [
    "X-A",
    "X-A",
    "X-B",
    "x-b",
    "X-Cat",
    "Subject",
    "s",
    "Contact",
    "m",
    "Via",
    "v",
    "Route",
    "Record-Route",
    "X-None",
    "From",
    "To",
    "Content-Type",
    "c",
    "Supported",
    "Allow",
    "Accept",
    "Date",
    "Max-Forwards",
    "User-Agent",
    "Require",
    "P-Asserted-Identity",
    "Content-Length",
    "CSeq",
    "Call-ID",
    "Privacy",
    "X-Case",
    "Authorization",
];
const LINES: [&str; 9] = [
    "X-New: 1\\r\\n",
    "X-New: $rm $hdr(X-A)\\r\\n",
    "X-A: n1, n2\\r\\n",
    "Subject: new\\r\\n",
    "X-Two: 1\\r\\nX-Three: 3\\r\\n",
    "Contact: <sip:new@10.0.0.8>\\r\\n",
    "X-None: $var(none)|$null\\r\\n",
    "Supported: new\\r\\n",
    "x-fold: a\\r\\n b\\r\\n",
];
const PATTERNS: [&str; 16] = [
    "alice",
    "b.b",
    "[0-9]+",
    "X-A",
    "^X-",
    "one",
    "hello .*",
    "\\r\\n",
    "(cat|dog)",
    "nothing here",
    "m=audio",
    "l+o",
    "^v=0",
    "two",
    "CAT",
    "[a-z]+@",
];
const ANCHORED: [&str; 4] = ["^hello.*", "alice", "^one\\ntwo", "m=[a-z]+"];
const NAME_PATTERNS: [&str; 11] =
    ["X-.*", "^X-", "X-(A|B)", "^[Ss]", "subject", "Contact|Route", "e", "^P-", "Content-.*", "nothing", "zz"];
const TEXTS: [&str; 7] = ["Z", "", "longer text", "a\\r\\nb", "$rm", "x,y", "alice"];
const WORDS: [&str; 9] = ["alice", "bob", "o", "X-A", "hello", "al", "", "@", "ALICE"];
const SUBSTITUTIONS: [&str; 14] = [
    "/alice/bob/",
    "/alice/bob/g",
    "/ALICE/x/i",
    "/(.*)@(.*)/\\2@\\1/",
    "/[0-9]+/#/",
    "/^sip:/sips:/",
    "/b/$rm/",
    "/x*/-/g",
    "/one/two/",
    "/(a)(l)/\\2\\1/",
    "/^/start/",
    "/$/end/",
    "#hello#by/e#",
    "/o/\\0\\0/gi",
];
const VALUES: [&str; 15] = [
    "alice",
    "one",
    "hello alice",
    "$hdr(X-A)",
    "$ru",
    "$rU",
    "",
    "$var(none)",
    "1234",
    "+4912345",
    "$hdr(X-None)",
    "Ab9",
    "$fu",
    "$(hdr(X-B)[-1])",
    "al@x.y z",
];
const URIS: [&str; 14] = [
    "sip:x@y.example",
    "sip:x@y.example:5060;transport=tcp",
    "$ru",
    "$fu",
    "tel:+4912345",
    "tel:555;phone-context=+49",
    "junk",
    "",
    "sip:+4912@h.example;user=phone",
    "sips:x@y.example",
    "sip:X@Y.example",
    "sip:x@y.example;gr=1",
    "sip:z@y.example",
    "sip:[::1]:5070",
];
const LITERAL_URIS: [&str; 6] = [
    "sip:x@y.example",
    "sip:x@y.example:5060;transport=tcp",
    "tel:+4912345",
    "sips:x@y.example",
    "sip:[::1]:5070",
    "sip:+49@h.example;user=phone?h=1",
];
const PARAMETERS: [&str; 12] = ["foo", "transport", "alias", "lr", "rport", "branch", "none", "FOO", "b", "user", "x", "gr"];
const ADDED_PARAMETERS: [&str; 4] = ["z=1", "z", "foo=new", "transport=tcp"];
const TYPES: [&str; 6] = ["application/sdp", "text/plain", "application/isup", "TEXT/plain", "image/png", "application/xml+x"];
const TYPES_ASKED: [&str; 5] = ["application/sdp", "text/plain", "text/*", "multipart/mixed", "application/octet-stream"];
const CONTENTS: [&str; 5] = ["new body", "", "line\\r\\n", "$hdr(X-A)", "v=0\\r\\ns=x\\r\\n"];
const HEX: [&str; 5] = ["68656c6c6f", "00ff", "", "6G", "686"];
const INDEXED: [&str; 18] = [
    "X-A",
    "X-A[0]",
    "X-A[1]",
    "X-A[-1]",
    "X-A[5]",
    "X-A[*]",
    "X-A.p",
    "X-B.p",
    "X-B[1].p",
    "X-B.q",
    "X-None",
    "Contact",
    "Supported[1]",
    "Allow[-2]",
    "Contact.expires",
    "X-B[1].none",
    "Supported",
    "x-b",
];
const LIST_NAMES: [&str; 10] = ["X-A", "x-b", "X-None", "Supported", "k", "Allow", "Accept", "Require", "Contact", "Record-Route"];
const CREDENTIALS: [&str; 4] = ["Authorization.realm", "Authorization.nonce", "Authorization.none", "Authorization[1].uri"];
const INDEXED_PLAIN: [&str; 8] = ["X-A", "X-A[1]", "X-A[2]", "X-A[-1]", "X-A[5]", "X-None", "Contact[1]", "Allow[-2]"];
const INDEXED_ONE: [&str; 12] =
    ["X-A", "X-A[1]", "X-A[2]", "X-A[-1]", "X-A[5]", "X-A.p", "X-B.q", "X-B[1].p", "X-None", "Contact.expires", "Allow[-2]", "Supported"];
const HEADER_VALUES: [&str; 9] = ["new", "one", "100rel", "BYE", "two", "\\\"q s\\\"", "v;p=2", "", "$rm"];
const METHODS: [&str; 6] = ["OPTIONS", "MESSAGE|INFO", "INVITE", "NOTIFY|SUBSCRIBE", "PUBLISH", "INVITE|OPTIONS"];
const PRIVACY: [&str; 6] = ["id", "none", "user", "session", "header", "critical"];
const OPTION_TAGS: [&str; 5] = ["100rel", "timer", "path", "gruu", "outbound"];
const GLOBS: [&str; 7] = ["al*", "*", "?ne", "[a-h]*", "HELLO*", "*ali?e", "\\\\*"];
const STATUSES: [&str; 6] = ["200", "299", "183", "404", "99", "700"];
const OPERATORS: [&str; 5] = ["eq", "ne", "re", "in", "ex"];
const CAPTURES: [&str; 5] = ["([a-z]+) ([a-z]+)", "(al)(i)", "([0-9]+)", "nothing", "(x"];

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
        out.push_str(choice(random, hole));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn choice(random: &mut Random, hole: &str) -> &'static str {
    match hole {
        "h" => random.choose(&HEADER_NAMES),
        "l" => random.choose(&LINES),
        "r" => random.choose(&PATTERNS),
        "a" => random.choose(&ANCHORED),
        "n" => random.choose(&NAME_PATTERNS),
        "t" => random.choose(&TEXTS),
        "w" => random.choose(&WORDS),
        "e" => random.choose(&SUBSTITUTIONS),
        "v" => random.choose(&VALUES),
        "i" => random.choose(&["0", "1", "2", "3", "-1", "-2", "9"]),
        "k" => random.choose(&["0", "1", "2", "9"]),
        "u" => random.choose(&URIS),
        "lu" => random.choose(&LITERAL_URIS),
        "p" => random.choose(&PARAMETERS),
        "par" => random.choose(&ADDED_PARAMETERS),
        "c" => random.choose(&TYPES),
        "ct" => random.choose(&TYPES_ASKED),
        "b" => random.choose(&CONTENTS),
        "hex" => random.choose(&HEX),
        "x" => random.choose(&INDEXED),
        "list" => random.choose(&LIST_NAMES),
        "credential" => random.choose(&CREDENTIALS),
        "xi" => random.choose(&INDEXED_PLAIN),
        "xp" => random.choose(&INDEXED_ONE),
        "val" => random.choose(&HEADER_VALUES),
        "m" => random.choose(&METHODS),
        "priv" => random.choose(&PRIVACY),
        "opt" => random.choose(&OPTION_TAGS),
        "glob" => random.choose(&GLOBS),
        "status" => random.choose(&STATUSES),
        "op" => random.choose(&OPERATORS),
        "g" => random.choose(&CAPTURES),
        "af" => random.choose(&["a", "f"]),
        "afl" => random.choose(&["a", "f", "l"]),
        _ => "",
    }
}
