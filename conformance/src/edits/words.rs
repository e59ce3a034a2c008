//! What the holes of statements are filled with: good, empty and odd arguments.

use super::random::Random;

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
    "b[aeiou]b",
    "[0-9]+ [A-Z]",
    "X-A",
    "^X-",
    "one",
    "hello .*",
    "dog",
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
    "/[0-9]+/7/",
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
const URI_SUBSTITUTIONS: [&str; 5] = ["/bob/carol/", "/example/other/g", "/nothing/x/", "/^sip:/sips:/", "/;.*//"];
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
const PARAMETERS: [&str; 12] = ["foo", "transport", "alias", "lr", "rport", "branch", "none", "foo", "b", "user", "x", "gr"];
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

/// One text for a hole; empty for a name that is unknown.
pub fn choice(random: &mut Random, hole: &str) -> &'static str {
    match hole {
        "h" => random.choose(&HEADER_NAMES),
        "l" => random.choose(&LINES),
        "r" => random.choose(&PATTERNS),
        "a" => random.choose(&ANCHORED),
        "n" => random.choose(&NAME_PATTERNS),
        "t" => random.choose(&TEXTS),
        "w" => random.choose(&WORDS),
        "e" => random.choose(&SUBSTITUTIONS),
        "eu" => random.choose(&URI_SUBSTITUTIONS),
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
