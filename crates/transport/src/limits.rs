//! Every bound of this room in one place: slots, queues, connections and times.

use std::time::Duration;

/// Datagrams taken by one receive call. At 64 a nap of 1 ms fits 64 000 packets/s.
pub const RECEIVE_SLOTS: usize = 64;

/// Room for one datagram; a UDP payload never exceeds 65 507 bytes (spec proxy-core 1.4: 65 535).
pub const DATAGRAM_BYTES_MAX: usize = 65_536;

/// What the kernel is asked to hold of datagrams that nobody has taken yet: some thousand messages, which a worker at its limit
/// takes in less than a tenth of a second. It gives `net.core.rmem_max` at most. Bursts, and moments in which the system runs
/// something else, then cost no message.
pub const UDP_RECEIVE_BYTES: usize = 4 << 20;

/// What the kernel is asked to hold of datagrams on their way out.
pub const UDP_SEND_BYTES: usize = 262_144;

/// Datagrams handed to the kernel by one send call.
pub const SEND_SLOTS: usize = 64;

/// Datagrams that wait in an outbox before it is flushed although the batch is not finished.
pub const OUTBOX_DATAGRAMS_MAX: usize = 512;

/// Bytes that wait in an outbox before it is flushed although the batch is not finished.
pub const OUTBOX_BYTES_MAX: usize = 1 << 20;

/// How often a full socket buffer is waited for before the datagram is given up.
pub const SEND_RETRIES_MAX: u32 = 3;

/// How long one such wait may last.
pub const SEND_RETRY_WAIT: Duration = Duration::from_millis(10);

/// Longest sleep of a worker that has no timer: a net under a lost wake-up, not a mechanism.
pub const IDLE_WAIT_MAX: Duration = Duration::from_secs(1);

/// How often the deputy looks whether the leader still makes progress.
pub const WATCH_PERIOD: Duration = Duration::from_millis(100);

/// Workers of one crew; `children` above it is capped.
pub const WORKERS_MAX: usize = 64;

/// Places that calls share while several workers keep their messages in order.
pub const ORDER_PLACES: usize = 4_096;

/// How long a message waits at most for an earlier one of its call that another worker holds.
pub const ORDER_WAIT_MAX: Duration = WATCH_PERIOD;

/// Default of the longest gather nap (anchor: 1 ms costs 11 µs per packet at 5 000 packets/s instead of 41 µs).
pub const GATHER_MAX_DEFAULT: Duration = Duration::from_millis(1);

/// Highest configurable gather nap.
pub const GATHER_MAX_LIMIT: Duration = Duration::from_millis(5);

/// Shortest nap that pays for its own wake-up.
pub const GATHER_MIN: Duration = Duration::from_micros(250);

/// Packets that a nap waits for. More per wake costs less, until the longest nap bounds it.
pub const GATHER_PACKETS: f64 = 16.0;

/// The same while messages wait for something else anyway, so that the delay counts for less.
pub const GATHER_PACKETS_PATIENT: f64 = 32.0;

/// Packets that must be expected within the longest nap. Measured with evenly spaced arrivals: at 1.3 a nap costs as much
/// as it saves, at 2 it saves a third, at 3.5 half.
pub const GATHER_EXPECTED_MIN: f64 = 1.5;

/// Time constant of the moving average of the arrival rate.
pub const GATHER_RATE_WINDOW: Duration = Duration::from_millis(50);

/// Keepalives of TCP; 0: what the system has (`tcp_keepalive`, `tcp_keepidle`, `tcp_keepintvl`, `tcp_keepcnt`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keepalive {
    /// Silence before the first.
    pub idle: Duration,
    pub interval: Duration,
    /// Unanswered ones that end the connection.
    pub count: u32,
}

/// Bounds and manners of the stream side. Names of Kamailio's core parameters stand behind each.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// Open connections (`tcp_max_connections`).
    pub connections_max: usize,
    /// Connections are opened, not only accepted (`tcp_no_connect=0`).
    pub connects: bool,
    /// CRLF pings are answered (`tcp_crlf_ping`).
    pub answers_pings: bool,
    /// None: no keepalives (`tcp_keepalive=0`).
    pub keepalive: Option<Keepalive>,
    /// Open connections accepted from one address (`tcp_accept_iplimit`).
    pub connections_per_source_max: usize,
    /// A connection without traffic is closed after this (`tcp_connection_lifetime`).
    pub lifetime: Duration,
    /// A message that is not complete after this closes the connection (`tcp_msg_read_timeout`).
    pub read_timeout: Duration,
    /// A connect that is not finished after this fails (`tcp_connect_timeout`).
    pub connect_timeout: Duration,
    /// A peer that accepts no byte of a waiting write for this long is cut off (`tcp_send_timeout`).
    pub send_timeout: Duration,
    /// Bytes that wait to be written on one connection (`tcp_conn_wq_max`).
    pub write_queue_bytes_max: usize,
    /// Bytes that wait to be written on all connections (`tcp_wq_max`).
    pub write_queues_bytes_max: usize,
    /// Largest message on a stream (`tcp_rd_buf_size` is 16 384 there; spec proxy-core 1.4 allows 65 535).
    pub message_bytes_max: usize,
}

impl Default for StreamLimits {
    fn default() -> StreamLimits {
        StreamLimits {
            connections_max: 2048,
            connects: true,
            answers_pings: true,
            keepalive: Some(Keepalive::default()),
            connections_per_source_max: 1024,
            lifetime: Duration::from_secs(120),
            read_timeout: Duration::from_secs(20),
            connect_timeout: Duration::from_secs(10),
            send_timeout: Duration::from_secs(10),
            write_queue_bytes_max: 32_768,
            write_queues_bytes_max: 10 << 20,
            message_bytes_max: 65_535,
        }
    }
}

/// Commands of other threads that wait for the stream thread.
pub const STREAM_COMMANDS_MAX: usize = 16_384;

/// Bytes inside those commands.
pub const STREAM_COMMAND_BYTES_MAX: usize = 10 << 20;

/// Connections taken from one listener before other work gets its turn.
pub const ACCEPTS_PER_ROUND: usize = 64;

/// Bytes read from one connection before other connections get their turn.
pub const STREAM_READ_BYTES_PER_ROUND: usize = 65_536;

/// Extra ports under which one connection may be found (`;alias`).
pub const ALIASES_PER_CONNECTION_MAX: usize = 12;

/// Sockets that become ready in one look of the stream thread.
pub const STREAM_EVENTS_PER_ROUND: usize = 256;

/// How often the stream thread looks for connections that ran out of time.
pub const STREAM_SWEEP_PERIOD: Duration = Duration::from_secs(1);

/// Waiting connections of a listener.
pub const LISTEN_BACKLOG: i32 = 1024;

/// Different questions under way at one time.
pub const RESOLVER_QUESTIONS_MAX: usize = 1024;

/// Tickets that wait for the same question.
pub const RESOLVER_TICKETS_PER_NAME_MAX: usize = 1024;

/// Name servers asked, all at once.
pub const RESOLVER_SERVERS_MAX: usize = 4;

/// How often one question is sent at most, whatever `dns_retr_no` says.
pub const RESOLVER_TRIES_MAX: u32 = 10;

/// Records taken from one answer.
pub const RESOLVER_RECORDS_MAX: usize = 1_024;

/// Bytes taken from the texts of one TXT record.
pub const RESOLVER_TEXT_BYTES_MAX: usize = 4_096;

/// Longest host name (RFC 1035 §2.3.4).
pub const HOST_NAME_BYTES_MAX: usize = 255;
