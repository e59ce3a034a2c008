//! Turns what `listen` says (address, interface name, host name, nothing) into addresses to bind.

use std::net::{IpAddr, ToSocketAddrs};

use crate::batch::{InterfaceAddress, interface_addresses};
use crate::error::TransportError;

/// The addresses meant by one `listen` host: an IP literal (IPv6 with or without brackets), the name of an interface
/// (all its addresses), or a host name, in this order (spec proxy-core 2.1). Blocks while a host name is looked up.
pub fn addresses_of(host: &str) -> Result<Vec<IpAddr>, TransportError> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host);
    if let Ok(address) = bare.parse::<IpAddr>() {
        return Ok(vec![address]);
    }
    let all = interface_addresses().map_err(TransportError::Interfaces)?;
    let of_interface = addresses_named(&all, bare);
    if !of_interface.is_empty() {
        return Ok(of_interface);
    }
    let mut found: Vec<IpAddr> = Vec::new();
    if let Ok(answers) = (bare, 0u16).to_socket_addrs() {
        for answer in answers {
            if !found.contains(&answer.ip()) {
                found.push(answer.ip());
            }
        }
    }
    if found.is_empty() { Err(TransportError::NoSuchInterface(host.to_string())) } else { Ok(found) }
}

/// What to listen on when the configuration names nothing: every address of the interfaces that are up, loopback kept.
/// IPv6 only on request (`auto_bind_ipv6`), and never link-local addresses, which need a zone.
pub fn default_addresses(with_ipv6: bool) -> Result<Vec<IpAddr>, TransportError> {
    let all = interface_addresses().map_err(TransportError::Interfaces)?;
    Ok(usable(&all, with_ipv6))
}

/// Is `address` configured on this host now (for `virtual` sockets, spec proxy-core 2.8)?
pub fn is_configured(address: IpAddr) -> bool {
    interface_addresses().is_ok_and(|all| all.iter().any(|entry| entry.is_up && entry.address == address))
}

fn addresses_named(all: &[InterfaceAddress], name: &str) -> Vec<IpAddr> {
    all.iter().filter(|entry| entry.name == name && !is_link_local(entry.address)).map(|entry| entry.address).collect()
}

fn usable(all: &[InterfaceAddress], with_ipv6: bool) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for entry in all {
        let wanted = entry.is_up && !is_link_local(entry.address) && (with_ipv6 || entry.address.is_ipv4());
        if wanted && !found.contains(&entry.address) {
            found.push(entry.address);
        }
    }
    found
}

fn is_link_local(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(six) if six.is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, address: &str, is_up: bool) -> InterfaceAddress {
        InterfaceAddress { name: name.into(), address: address.parse().unwrap(), scope: 0, is_up, is_loopback: name == "lo" }
    }

    #[test]
    fn literals_are_taken_as_they_are() {
        assert_eq!(addresses_of("192.0.2.7").unwrap(), ["192.0.2.7".parse::<IpAddr>().unwrap()]);
        assert_eq!(addresses_of("[::1]").unwrap(), ["::1".parse::<IpAddr>().unwrap()]);
        assert_eq!(addresses_of("::").unwrap(), ["::".parse::<IpAddr>().unwrap()]);
    }

    #[test]
    fn the_loopback_interface_of_this_host_is_found_by_name() {
        assert!(addresses_of("lo").unwrap().contains(&"127.0.0.1".parse().unwrap()));
        assert!(default_addresses(false).unwrap().contains(&"127.0.0.1".parse().unwrap()));
        assert!(is_configured("127.0.0.1".parse().unwrap()));
        assert!(!is_configured("192.0.2.1".parse().unwrap()));
    }

    #[test]
    fn an_unknown_name_is_an_error_that_says_the_name() {
        let text = addresses_of("no-such-interface.invalid").unwrap_err().to_string();
        assert!(text.contains("no-such-interface.invalid"), "{text}");
    }

    #[test]
    fn without_listen_up_interfaces_count_and_link_local_does_not() {
        let all = [
            entry("lo", "127.0.0.1", true),
            entry("eth0", "192.0.2.1", true),
            entry("eth0", "fe80::1", true),
            entry("eth0", "2001:db8::1", true),
            entry("eth1", "198.51.100.1", false),
        ];
        let four: Vec<String> = usable(&all, false).iter().map(IpAddr::to_string).collect();
        assert_eq!(four, ["127.0.0.1", "192.0.2.1"]);
        let both: Vec<String> = usable(&all, true).iter().map(IpAddr::to_string).collect();
        assert_eq!(both, ["127.0.0.1", "192.0.2.1", "2001:db8::1"]);
        assert_eq!(addresses_named(&all, "eth1").len(), 1);
    }
}
