//! Edits and reads of the request: its URI, next hop, flags and headers, and what functions say of it.

use super::statement::Writer;

/// Edits and reads of the request.
pub fn edit(writer: &mut Writer) {
    let action = writer.pick(&[
        "$rU = \"carol\";",
        "$rU = $null;",
        "$rd = \"other.example.org\";",
        "$rp = 5090;",
        "$ru = \"sip:dave:pw@h.example.com:5062;transport=udp;lr?H=1\";",
        "$ru = \"sip:example.net\";",
        "$du = \"sip:10.0.0.9:5099;transport=tcp\";",
        "$du = $null;",
        "prefix(\"00\");",
        "strip(2);",
        "strip_tail(1);",
        "setuser(\"eve\");",
        "sethost(\"h2.example.com\");",
        "setport(\"5071\");",
        "revert_uri();",
        "append_hf(\"X-List: added\\r\\n\"); msg_apply_changes();",
        "remove_hf(\"X-List\"); msg_apply_changes();",
        "insert_hf(\"X-New: $rU\\r\\n\"); msg_apply_changes();",
        "subst(\"/^X-Param: (.*)$/X-Param: <\\1>/\"); msg_apply_changes();",
        "subst_user(\"/o/0/g\");",
        "subst_uri(\"/^sip:([^@]*)@(.*)$/sip:\\1.x@\\2/\");",
        "setflag(3);",
        "resetflag(3);",
        "$fs = \"udp:@PROXY@\";",
    ]);
    writer.line(action);
    writer
        .print("$ru|$rU|$rd|$rp|$du|$dd|$dp|$mf|$hdr(X-List)|$(hdr(X-List)[-1])|$(hdr(X-List)[*])|$hdrc(X-List)|$hdr(X-New)|$hdr(x-param)");
    let question = writer.pick(&[
        "is_method(\"INVITE|BYE\")",
        "is_method(\"BYE\")",
        "search(\"^X-List:.*b\")",
        "search_body(\"audio\")",
        "is_present_hf(\"X-Param\")",
        "has_body(\"application/sdp\")",
        "has_totag()",
        "isflagset(3)",
        "is_user(\"alice\")",
        "is_numeric(\"$rU\")",
        "pv_isset(\"$du\")",
        "starts_with(\"$ru\", \"sip:b\")",
        "in_list(\"$rU\", \"bob,carol\", \",\")",
        "cmp_uri(\"$ru\", \"sip:bob@example.com\")",
        "is_uri(\"$ru\")",
        "uri_param(\"lr\")",
    ]);
    writer.line(&format!("$var(f) = {question};"));
    writer.print("$var(f)|$rc");
}
