//! Bounds of the control room.

/// Longest BINRPC request body, bytes.
pub const BINRPC_REQUEST_BYTES_MAX: usize = 65_536;
/// Most records in one BINRPC request.
pub const BINRPC_RECORDS_MAX: usize = 1_024;
/// Longest BINRPC answer, bytes: its length stands in front, so all of it is in memory before the first byte leaves.
pub const BINRPC_ANSWER_BYTES_MAX: usize = 256 << 20;
/// Bytes of a BINRPC answer that are gathered into one part.
pub const BINRPC_PART_BYTES: usize = 64 << 10;
/// Longest JSON request, bytes.
pub const JSON_REQUEST_BYTES_MAX: usize = 65_536;
/// Most control connections at one time.
pub const CONNECTIONS_MAX: usize = 64;
/// Longest silence of a control connection, seconds.
pub const CONNECTION_IDLE_SECONDS: u64 = 300;
/// Most threads that serve one datagram socket.
pub const DATAGRAM_WORKERS_MAX: usize = 16;
/// Longest datagram read or written, bytes.
pub const DATAGRAM_BYTES_MAX: usize = 65_507;
/// Longest JSON request in a FIFO, bytes (spec proxy-core 13.3).
pub const FIFO_REQUEST_BYTES_MAX: usize = 8_192;
/// Longest HTTP head of a JSON-RPC request, bytes.
pub const HTTP_HEAD_BYTES_MAX: usize = 8_192;
/// Longest answer to JSON-RPC over HTTP on a SIP port, bytes: SIP shares the thread and the queues behind it.
pub const SIP_PORT_ANSWER_BYTES_MAX: usize = 4 << 20;
/// How often the reply FIFO of a caller is tried, and the pause between, milliseconds.
pub const FIFO_REPLY_TRIES: u32 = 4;
pub const FIFO_REPLY_PAUSE_MILLISECONDS: u64 = 80;
/// How often a reader may leave a FIFO full during one answer, and the pause then, milliseconds: one that reads slowly or not
/// at all holds the others up for five seconds.
pub const FIFO_WRITE_PAUSES_MAX: u32 = 500;
pub const FIFO_WRITE_PAUSE_MILLISECONDS: u64 = 10;
/// How long a door rests after it could not accept or receive, milliseconds: without file descriptors it would spin.
pub const DOOR_REST_MILLISECONDS: u64 = 100;
