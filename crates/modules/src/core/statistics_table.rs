//! The names of the statistics that the core declares.

use std::sync::atomic::Ordering;

use crate::registry::Statistic;

macro_rules! counter {
    ($name:literal, $place:literal) => {
        Statistic::new("core", $name, |node| node.states.core.counters.value($place))
            .resettable(|node| node.states.core.counters.reset($place))
    };
}

macro_rules! memory {
    ($name:literal, $read:expr) => {
        Statistic::new("shmem", $name, $read)
    };
}

macro_rules! stream {
    ($name:literal, $read:expr) => {
        Statistic::new("tcp", $name, |node| {
            let read: fn(crate::connections::StreamCounters) -> u64 = $read;
            signed(read(node.states.core.stream_counters()))
        })
    };
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

macro_rules! names {
    ($name:literal, $read:ident) => {
        Statistic::new("dns", $name, |node| signed(node.states.core.dns.$read().load(Ordering::Relaxed)))
            .resettable(|node| node.states.core.dns.$read().store(0, Ordering::Relaxed))
    };
}

/// Places are those of `statistics::place`.
pub(super) static TABLE: &[Statistic] = &[
    names!("failed_dns_request", failed),
    names!("slow_dns_request", slow),
    counter!("rcv_requests", 0),
    counter!("rcv_requests_invite", 1),
    counter!("rcv_requests_ack", 2),
    counter!("rcv_requests_bye", 3),
    counter!("rcv_requests_cancel", 4),
    counter!("rcv_requests_options", 5),
    counter!("rcv_requests_register", 6),
    counter!("rcv_requests_prack", 7),
    counter!("rcv_requests_update", 8),
    counter!("rcv_requests_info", 9),
    counter!("rcv_requests_subscribe", 10),
    counter!("rcv_requests_notify", 11),
    counter!("rcv_requests_refer", 12),
    counter!("rcv_requests_message", 13),
    counter!("rcv_requests_publish", 14),
    counter!("rcv_requests_kdmq", 15),
    counter!("unsupported_methods", 16),
    counter!("rcv_replies", 17),
    counter!("rcv_replies_18x", 18),
    counter!("rcv_replies_1xx", 19),
    counter!("rcv_replies_2xx", 20),
    counter!("rcv_replies_3xx", 21),
    counter!("rcv_replies_4xx", 22),
    counter!("rcv_replies_5xx", 23),
    counter!("rcv_replies_6xx", 24),
    counter!("rcv_replies_401", 25),
    counter!("rcv_replies_404", 26),
    counter!("rcv_replies_407", 27),
    counter!("rcv_replies_480", 28),
    counter!("rcv_replies_486", 29),
    counter!("rcv_replies_1xx_invite", 30),
    counter!("rcv_replies_1xx_cancel", 31),
    counter!("rcv_replies_1xx_bye", 32),
    counter!("rcv_replies_1xx_reg", 33),
    counter!("rcv_replies_1xx_message", 34),
    counter!("rcv_replies_1xx_prack", 35),
    counter!("rcv_replies_1xx_update", 36),
    counter!("rcv_replies_1xx_refer", 37),
    counter!("rcv_replies_2xx_invite", 38),
    counter!("rcv_replies_2xx_cancel", 39),
    counter!("rcv_replies_2xx_bye", 40),
    counter!("rcv_replies_2xx_reg", 41),
    counter!("rcv_replies_2xx_message", 42),
    counter!("rcv_replies_2xx_prack", 43),
    counter!("rcv_replies_2xx_update", 44),
    counter!("rcv_replies_2xx_refer", 45),
    counter!("rcv_replies_3xx_invite", 46),
    counter!("rcv_replies_3xx_cancel", 47),
    counter!("rcv_replies_3xx_bye", 48),
    counter!("rcv_replies_3xx_reg", 49),
    counter!("rcv_replies_3xx_message", 50),
    counter!("rcv_replies_3xx_prack", 51),
    counter!("rcv_replies_3xx_update", 52),
    counter!("rcv_replies_3xx_refer", 53),
    counter!("rcv_replies_4xx_invite", 54),
    counter!("rcv_replies_4xx_cancel", 55),
    counter!("rcv_replies_4xx_bye", 56),
    counter!("rcv_replies_4xx_reg", 57),
    counter!("rcv_replies_4xx_message", 58),
    counter!("rcv_replies_4xx_prack", 59),
    counter!("rcv_replies_4xx_update", 60),
    counter!("rcv_replies_4xx_refer", 61),
    counter!("rcv_replies_5xx_invite", 62),
    counter!("rcv_replies_5xx_cancel", 63),
    counter!("rcv_replies_5xx_bye", 64),
    counter!("rcv_replies_5xx_reg", 65),
    counter!("rcv_replies_5xx_message", 66),
    counter!("rcv_replies_5xx_prack", 67),
    counter!("rcv_replies_5xx_update", 68),
    counter!("rcv_replies_5xx_refer", 69),
    counter!("rcv_replies_6xx_invite", 70),
    counter!("rcv_replies_6xx_cancel", 71),
    counter!("rcv_replies_6xx_bye", 72),
    counter!("rcv_replies_6xx_reg", 73),
    counter!("rcv_replies_6xx_message", 74),
    counter!("rcv_replies_6xx_prack", 75),
    counter!("rcv_replies_6xx_update", 76),
    counter!("rcv_replies_6xx_refer", 77),
    counter!("fwd_requests", 78),
    counter!("fwd_replies", 79),
    counter!("drop_requests", 80),
    counter!("drop_replies", 81),
    counter!("err_requests", 82),
    counter!("err_replies", 83),
    counter!("bad_URIs_rcvd", 84),
    counter!("bad_msg_hdr", 85),
    Statistic::new("core", "overload_refused", |node| signed(node.states.core.overload.count()))
        .resettable(|node| node.states.core.overload.reset()),
    Statistic::new("core", "overload", |node| i64::from(node.states.core.overload.is_refusing())),
    stream!("con_reset", |streams| streams.resets),
    stream!("con_timeout", |streams| streams.connect_timeouts),
    stream!("connect_failed", |streams| streams.connect_failures),
    stream!("connect_success", |streams| streams.connected),
    stream!("current_opened_connections", |streams| streams.open),
    stream!("current_write_queue_size", |streams| streams.queued),
    stream!("established", |streams| streams.passive_open + streams.connected),
    stream!("local_reject", |streams| streams.refused),
    stream!("passive_open", |streams| streams.passive_open),
    stream!("send_timeout", |streams| streams.send_timeouts),
    stream!("sendq_full", |streams| streams.queue_full),
    memory!("total_size", |node| signed(node.states.core.memory.read().total)),
    memory!("used_size", |node| signed(node.states.core.memory.read().used)),
    memory!("real_used_size", |node| signed(node.states.core.memory.read().used)),
    memory!("max_used_size", |node| signed(node.states.core.memory.read().most_used)),
    memory!("free_size", |node| signed(node.states.core.memory.read().free())),
    memory!("fragments", |_| 0),
];
