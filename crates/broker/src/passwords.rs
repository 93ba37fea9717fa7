//! Configured users: names, hashes of passwords, and what each may do.
//!
//! A hash is an Argon2id PHC string. Checking one is slow and takes memory on purpose, so the door does it apart from
//! the connections' own threads and bounds how many are checked at once. Unknown users cost the same as wrong passwords.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use argon2::password_hash::phc::{Output, PasswordHash};
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params};
use names::{CertificateId, limits};
use policy::{Document, MalformedPolicy, PolicySet};

use crate::anonymous::Anonymous;

/// A configured user's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserName(Arc<str>);

/// A user as configured.
#[derive(Clone)]
pub struct UserConfig {
    /// The user name in CONNECT.
    pub name: String,
    /// The Argon2id PHC string of the password, as [`hash_password`] makes it.
    pub password_hash: String,
    /// An IoT policy document; everything without one.
    pub policy_document: Option<String>,
}

/// Why users cannot be used as configured, or a password cannot be hashed.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The name is empty, too long, holds control characters, or could be taken for another kind of principal.
    #[error("user name {0:?}: 1 to {max} bytes without control characters, not a certificate id, not `anonymous`", max = limits::USER_NAME_BYTES_MAX)]
    Name(String),
    /// Two users have one name.
    #[error("user {0:?} is configured twice")]
    Twice(String),
    /// The hash is no Argon2id PHC string, or asks for more memory than the bound.
    #[error("user {name:?}: password_hash: {problem}; `althing hash-password` makes one")]
    Hash {
        /// Whose.
        name: String,
        /// What is wrong.
        problem: String,
    },
    /// The policy document is not valid.
    #[error("user {name:?}: policy_document: {problem}")]
    Policy {
        /// Whose.
        name: String,
        /// What is wrong.
        problem: MalformedPolicy,
    },
    /// The salt or the password cannot be used.
    #[error("the password cannot be hashed: {0}")]
    Hashing(String),
}

/// All configured users.
#[derive(Default)]
pub struct Passwords {
    users: HashMap<UserName, User>,
    /// What the password of an unknown user is checked against, in vain.
    dummy: Option<PasswordHash>,
}

struct User {
    hash: PasswordHash,
    policies: Arc<PolicySet>,
}

impl Passwords {
    /// Reads the configured users.
    ///
    /// # Errors
    /// [`PasswordError`] names the first user who cannot be used, and why.
    pub fn from_config(configured: impl IntoIterator<Item = UserConfig>) -> Result<Self, PasswordError> {
        let mut passwords = Self::default();
        for UserConfig { name, password_hash, policy_document } in configured {
            let user_name = UserName::new(&name)?;
            let hash = read_hash(&name, &password_hash)?;
            let policies = match policy_document {
                Some(document) => policies(&name, &document)?,
                None => everything(),
            };
            passwords.dummy.get_or_insert_with(|| without_password(&hash));
            if passwords.users.insert(user_name, User { hash, policies }).is_some() {
                return Err(PasswordError::Twice(name));
            }
        }
        Ok(passwords)
    }

    /// Whether there is any user.
    pub fn is_configured(&self) -> bool {
        !self.users.is_empty()
    }

    /// The user whose password this is. Blocks for as long as the hash was made to take, for unknown users too.
    pub fn verify(&self, user_name: &str, password: &[u8]) -> Option<UserName> {
        let user = self.users.get_key_value(user_name);
        let hash = user.map(|(_, user)| &user.hash).or(self.dummy.as_ref())?;
        // Compares in constant time.
        let is_right = Argon2::default().verify_password(password, hash).is_ok();
        user.filter(|_| is_right).map(|(name, _)| name.clone())
    }

    /// What a user may do.
    pub(crate) fn policies_of(&self, name: &UserName) -> Arc<PolicySet> {
        self.users.get(name).map_or_else(|| Arc::new(PolicySet::new([])), |user| Arc::clone(&user.policies))
    }
}

impl UserName {
    fn new(name: &str) -> Result<Self, PasswordError> {
        let is_long = name.len() > limits::USER_NAME_BYTES_MAX;
        // Rules and events see certificate ids, user names and `anonymous` in one place.
        let is_ambiguous = name == "anonymous" || CertificateId::from_hex(&name.to_ascii_lowercase()).is_ok();
        if name.is_empty() || is_long || is_ambiguous || name.chars().any(char::is_control) {
            return Err(PasswordError::Name(name.to_owned()));
        }
        Ok(Self(Arc::from(name)))
    }

    /// The name's text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl std::borrow::Borrow<str> for UserName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The Argon2id PHC string of a password, with the memory, time and lanes that OWASP's cheat sheet on password storage
/// names first: 19 MiB, 2 rounds, 1 lane. The salt is random, at least 8 bytes.
///
/// # Errors
/// [`PasswordError::Hashing`].
pub fn hash_password(password: &[u8], salt: &[u8]) -> Result<String, PasswordError> {
    let failed = |error: argon2::password_hash::Error| PasswordError::Hashing(error.to_string());
    let hash: PasswordHash = Argon2::default().hash_password_with_salt(password, salt).map_err(failed)?;
    Ok(hash.to_string())
}

/// Policies that allow everything that is not the server's alone.
pub(crate) fn everything() -> Arc<PolicySet> {
    let document = Document::parse(Anonymous::EVERYTHING).expect("the built-in document is valid: a test reads it");
    Arc::new(PolicySet::new([(Arc::from("everything"), Arc::new(document))]))
}

fn policies(name: &str, document: &str) -> Result<Arc<PolicySet>, PasswordError> {
    let malformed = |problem| PasswordError::Policy { name: name.to_owned(), problem };
    let document = Arc::new(Document::parse(document).map_err(malformed)?);
    Ok(Arc::new(PolicySet::new([(Arc::from("policy_document"), document)])))
}

fn read_hash(name: &str, text: &str) -> Result<PasswordHash, PasswordError> {
    let wrong = |problem: String| PasswordError::Hash { name: name.to_owned(), problem };
    let hash = PasswordHash::new(text).map_err(|error| wrong(format!("not a PHC string ({error})")))?;
    if hash.algorithm.as_str() != Algorithm::Argon2id.as_str() {
        return Err(wrong(format!("the algorithm is {}, not argon2id", hash.algorithm)));
    }
    if hash.salt.is_none() || hash.hash.is_none() {
        return Err(wrong("the salt or the hash is missing".to_owned()));
    }
    let params = Params::try_from(&hash).map_err(|error| wrong(error.to_string()))?;
    if params.m_cost() > limits::PASSWORD_MEMORY_KIB_MAX || params.t_cost() > ROUNDS_MAX {
        let problem = format!("more than {} KiB or {ROUNDS_MAX} rounds", limits::PASSWORD_MEMORY_KIB_MAX);
        return Err(wrong(problem));
    }
    Ok(hash)
}

/// Ours: with more, one check would outlast the time for CONNECT.
const ROUNDS_MAX: u32 = 32;

/// As costly to check as `hash`, and nobody's: no password is known to have this output.
fn without_password(hash: &PasswordHash) -> PasswordHash {
    let length = hash.hash.as_ref().map_or(0, Output::len);
    PasswordHash { hash: Output::new(&vec![0; length]).ok(), ..hash.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, password_hash: &str) -> UserConfig {
        UserConfig { name: name.to_owned(), password_hash: password_hash.to_owned(), policy_document: None }
    }

    /// The reference implementation (phc-winner-argon2), test.c: Argon2id, password "password", salt "somesalt",
    /// 2 rounds, 64 MiB, 1 lane.
    const REFERENCE: &str = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";

    #[test]
    fn a_hash_of_the_reference_implementation_is_understood() {
        let passwords = Passwords::from_config([user("lamp", REFERENCE)]).unwrap();
        assert!(passwords.is_configured());
        assert_eq!(passwords.verify("lamp", b"password").as_ref().map(UserName::as_str), Some("lamp"));
        for (name, password) in [("lamp", "passwore"), ("lamp", ""), ("Lamp", "password"), ("", "password")] {
            assert_eq!(passwords.verify(name, password.as_bytes()), None, "{name} {password}");
        }
    }

    #[test]
    fn a_hashed_password_is_the_same_password() {
        let hash = hash_password("pa\u{0}ss ".as_bytes(), b"0123456789abcdef").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        let passwords = Passwords::from_config([user("a", &hash)]).unwrap();
        assert!(passwords.verify("a", "pa\u{0}ss ".as_bytes()).is_some());
        assert!(passwords.verify("a", b"pa\0ss").is_none());
    }

    #[test]
    fn nobody_is_let_in_without_users() {
        let passwords = Passwords::default();
        assert!(!passwords.is_configured());
        assert_eq!(passwords.verify("", b""), None);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let check = |users: &[UserConfig], expected: &str| {
            let error = Passwords::from_config(users.to_vec()).err().expect(expected).to_string();
            assert!(error.contains(expected), "{error}");
        };
        check(&[user("", REFERENCE)], "user name \"\"");
        check(&[user("a\nb", REFERENCE)], "user name \"a\\nb\"");
        check(&[user("anonymous", REFERENCE)], "user name \"anonymous\"");
        check(&[user(&"Ab".repeat(32), REFERENCE)], "not a certificate id");
        check(&[user(&"x".repeat(129), REFERENCE)], "1 to 128 bytes");
        check(&[user("a", REFERENCE), user("a", REFERENCE)], "\"a\" is configured twice");
        check(&[user("a", "secret")], "user \"a\": password_hash: not a PHC string");
        check(&[user("a", &REFERENCE.replace("2id", "2i"))], "the algorithm is argon2i, not argon2id");
        check(&[user("a", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ")], "the salt or the hash is missing");
        check(&[user("a", &REFERENCE.replace("65536", "2000000"))], "more than 262144 KiB");
        let malformed = UserConfig { policy_document: Some("{}".to_owned()), ..user("a", REFERENCE) };
        check(&[malformed], "user \"a\": policy_document: ");
    }
}
