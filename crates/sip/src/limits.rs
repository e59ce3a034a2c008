//! The bounds on everything a peer can make large (invariant A6).

/// Bounds checked by `Message::parse` and `Framer`. Sizes in bytes, counts in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Longest start line without its line end.
    pub start_line_bytes_max: u32,
    /// Longest header name.
    pub header_name_bytes_max: u32,
    /// Longest trimmed header value, folding included.
    pub header_value_bytes_max: u32,
    /// Most header lines.
    pub headers_max: u32,
    /// Most Via elements over all Via headers.
    pub vias_max: u32,
    /// Most Route elements over all Route headers.
    pub routes_max: u32,
    /// Largest body.
    pub body_bytes_max: u32,
    /// Largest start line plus headers on a stream before the empty line must have come.
    pub head_bytes_max: u32,
}

/// Largest body in one datagram.
pub const DATAGRAM_BODY_BYTES_MAX: u32 = 64 * 1024;
/// Largest body on a stream.
pub const STREAM_BODY_BYTES_MAX: u32 = 1024 * 1024;
/// Most texts or deletions one edit list holds.
pub const EDITS_MAX: usize = 4096;
/// Most text bytes one edit list holds.
pub const EDIT_TEXT_BYTES_MAX: usize = 2 * 1024 * 1024;
/// Most edit lists that are merged without building a joined one.
pub const EDIT_LISTS_MAX: usize = 8;
/// Most parameters looked at in one parameter list, comma list or credential list.
pub const LIST_ELEMENTS_MAX: usize = 16_384;

impl Limits {
    /// Bounds for a message that came in one datagram.
    pub const fn datagram() -> Limits {
        Limits {
            start_line_bytes_max: 8 * 1024,
            header_name_bytes_max: 256,
            header_value_bytes_max: 16 * 1024,
            headers_max: 256,
            vias_max: 70,
            routes_max: 64,
            body_bytes_max: DATAGRAM_BODY_BYTES_MAX,
            head_bytes_max: 64 * 1024,
        }
    }

    /// Bounds for a message that came on a stream: same head, larger body.
    pub const fn stream() -> Limits {
        let mut limits = Limits::datagram();
        limits.body_bytes_max = STREAM_BODY_BYTES_MAX;
        limits
    }
}

impl Default for Limits {
    fn default() -> Limits {
        Limits::datagram()
    }
}
