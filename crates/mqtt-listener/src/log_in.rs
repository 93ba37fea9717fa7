//! Who a client is that the transport does not identify: its user name and password, where users are configured.
//!
//! The door has to know before the broker sees the first byte, because checking a password takes long and must not hold
//! up the threads that all connections share. So CONNECT is read here a first time, and then handed on as it came.

use std::sync::Arc;

use broker::{Identity, Passwords};
use bytes::BytesMut;
use mqtt_codec::{Packet, Protocol, decode, packet_bytes};
use names::limits;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::Semaphore;
use tracing::warn;

/// What a client is whom neither certificate nor signature identifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unidentified {
    /// Anonymous, unless it names a user: then it must prove it.
    Anonymous,
    /// Refused, unless it names a user and proves it.
    Refused,
}

/// Where passwords are checked: a few at a time, for all doors together.
pub struct LogIns {
    passwords: Arc<Passwords>,
    permits: Arc<Semaphore>,
}

impl LogIns {
    /// Over the configured users.
    pub fn new(passwords: Arc<Passwords>) -> Self {
        Self { passwords, permits: Arc::new(Semaphore::new(limits::PASSWORD_CHECKS_MAX)) }
    }

    /// Whether there is anybody to log in.
    pub fn is_configured(&self) -> bool {
        self.passwords.is_configured()
    }

    /// Reads CONNECT into `input` and finds out who sends it; none when the client is gone before. Bytes that are no
    /// CONNECT are the broker's to refuse.
    pub(crate) async fn identify(
        &self,
        stream: &mut (impl AsyncRead + Unpin),
        input: &mut BytesMut,
        unidentified: Unidentified,
    ) -> Option<Identity> {
        let claim = loop {
            match read_connect(input) {
                Connect::Unfinished if stream.read_buf(input).await.ok()? == 0 => return None,
                Connect::Unfinished => {}
                Connect::Without => break None,
                Connect::Claiming(claim) => break Some(claim),
            }
        };
        Some(match (claim, unidentified) {
            (Some(claim), _) => self.check(claim).await,
            (None, Unidentified::Anonymous) => Identity::Anonymous,
            (None, Unidentified::Refused) => Identity::Unproven,
        })
    }

    async fn check(&self, claim: Claim) -> Identity {
        let Ok(permit) = Arc::clone(&self.permits).acquire_owned().await else { return Identity::Unproven };
        let passwords = Arc::clone(&self.passwords);
        // The permit goes along: a client that leaves meanwhile does not make room for more.
        let checking = tokio::task::spawn_blocking(move || {
            let user = passwords.verify(&claim.user_name, &claim.password);
            drop(permit);
            user
        });
        match checking.await {
            Ok(Some(user)) => Identity::User(user),
            Ok(None) => Identity::Unproven,
            Err(error) => {
                warn!(%error, "a password could not be checked");
                Identity::Unproven
            }
        }
    }
}

/// What a client says that it is.
struct Claim {
    user_name: String,
    password: Vec<u8>,
}

enum Connect {
    Unfinished,
    /// No user name, or no CONNECT at all.
    Without,
    Claiming(Claim),
}

fn read_connect(input: &BytesMut) -> Connect {
    let length = match packet_bytes(input, Protocol::V311) {
        Ok(Some(length)) if length <= limits::CONNECT_BYTES_MAX => length,
        Ok(None) => return Connect::Unfinished,
        Ok(Some(_)) | Err(_) => return Connect::Without,
    };
    let Some(packet) = input.get(..length) else { return Connect::Unfinished };
    match decode(&mut BytesMut::from(packet), limits::CONNECT_BYTES_MAX, Protocol::V311) {
        Ok(Some(Packet::Connect(connect))) => match connect.user_name {
            Some(name) => Connect::Claiming(Claim {
                user_name: name.to_string(),
                password: connect.password.map(|password| password.to_vec()).unwrap_or_default(),
            }),
            None => Connect::Without,
        },
        _ => Connect::Without,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_connect_is_waited_for() {
        let check = |input: &[u8], waits: bool| {
            let read = read_connect(&BytesMut::from(input));
            assert_eq!(matches!(read, Connect::Unfinished), waits, "{input:x?}");
        };
        check(b"", true);
        check(b"\x10", true);
        check(b"\x10\x80", true);
        check(b"\x10\x7f\0\x04MQTT", true);
        check(b"GET / HTTP/1.1\r\n", false);
        check(b"\x10\xff\xff\xff\x7f", false);
        check(b"\x10\xff\xff\xff\xff", false);
        check(b"\x16\x03\x01", false);
    }
}
