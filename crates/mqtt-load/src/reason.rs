//! What a broker's codes mean, in words.

/// Why a CONNECT was refused: return codes of MQTT 3.1.1 (table 3.1), reason codes of MQTT 5.
pub(crate) fn connack_words(code: u8) -> &'static str {
    // A broker answers a version that it does not speak in its own: each has the other's codes.
    match code {
        1 => "unacceptable protocol version",
        2 => "identifier rejected",
        3 => "server unavailable",
        4 => "bad user name or password",
        5 => "not authorized",
        code => reason_words(code),
    }
}

/// A reason code of MQTT 5 (table 2-6); those of success are told too, as DISCONNECT may carry them.
pub(crate) fn reason_words(code: u8) -> &'static str {
    match code {
        0x00 => "normal disconnection",
        0x10 => "no matching subscribers",
        0x80 => "unspecified error",
        0x81 => "malformed packet",
        0x82 => "protocol error",
        0x83 => "implementation specific error",
        0x84 => "unsupported protocol version",
        0x85 => "client identifier not valid",
        0x86 => "bad user name or password",
        0x87 => "not authorized",
        0x88 => "server unavailable",
        0x89 => "server busy",
        0x8a => "banned",
        0x8b => "server shutting down",
        0x8c => "bad authentication method",
        0x8d => "keep alive timeout",
        0x8e => "session taken over",
        0x8f => "topic filter invalid",
        0x90 => "topic name invalid",
        0x91 => "packet identifier in use",
        0x92 => "packet identifier not found",
        0x93 => "receive maximum exceeded",
        0x94 => "topic alias invalid",
        0x95 => "packet too large",
        0x96 => "message rate too high",
        0x97 => "quota exceeded",
        0x98 => "administrative action",
        0x99 => "payload format invalid",
        0x9a => "retain not supported",
        0x9b => "QoS not supported",
        0x9c => "use another server",
        0x9d => "server moved",
        0x9e => "shared subscriptions not supported",
        0x9f => "connection rate exceeded",
        0xa0 => "maximum connect time",
        0xa1 => "subscription identifiers not supported",
        0xa2 => "wildcard subscriptions not supported",
        _ => "a code that MQTT does not know",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_in_words() {
        let check = |code, expected: &str| assert_eq!(connack_words(code), expected);
        check(1, "unacceptable protocol version");
        check(4, "bad user name or password");
        check(5, "not authorized");
        check(0x84, "unsupported protocol version");
        check(0x86, "bad user name or password");
        check(0x87, "not authorized");
        check(0x7f, "a code that MQTT does not know");
    }
}
