//! The SIP methods a proxy tells apart.

macro_rules! methods {
    ($($variant:ident $name:literal),* $(,)?) => {
        /// A request method. Names are case-sensitive (RFC 3261 §7.1).
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Method {
            $($variant,)*
            /// Any other token; its spelling is in the message.
            Other,
        }

        impl Method {
            /// The method spelled exactly `text`, else `Other`.
            pub fn from_bytes(text: &[u8]) -> Method {
                $(if text == $name.as_bytes() { return Method::$variant; })*
                Method::Other
            }

            /// Spelling on the wire; empty for `Other`.
            pub fn name(self) -> &'static str {
                match self { $(Method::$variant => $name,)* Method::Other => "" }
            }

            /// Every method that has a name.
            pub const ALL: &'static [Method] = &[$(Method::$variant),*];
        }
    };
}

methods! {
    Invite "INVITE", Ack "ACK", Bye "BYE", Cancel "CANCEL", Options "OPTIONS", Register "REGISTER", Prack "PRACK",
    Update "UPDATE", Info "INFO", Subscribe "SUBSCRIBE", Notify "NOTIFY", Refer "REFER", Message "MESSAGE",
    Publish "PUBLISH", Kdmq "KDMQ",
}

impl Method {
    /// One bit per method, for sets of methods.
    pub fn bit(self) -> u32 {
        1u32.wrapping_shl(u32::from(self as u8))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_leads_back_to_its_method_and_bits_differ() {
        let mut bits = 0;
        for &method in Method::ALL {
            assert_eq!(Method::from_bytes(method.name().as_bytes()), method);
            assert_eq!(bits & method.bit(), 0);
            bits |= method.bit();
        }
        assert_eq!(Method::from_bytes(b"invite"), Method::Other);
        assert_eq!(bits & Method::Other.bit(), 0);
    }
}
