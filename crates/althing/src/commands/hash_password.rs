//! `althing hash-password`: a password in, its hash for the configuration out. The password is neither shown nor kept.

use std::io::{BufRead, IsTerminal, Read};

use anyhow::{Context, bail};

/// Asks at a terminal, twice and without echo; reads the first line of anything else.
pub(crate) fn run() -> anyhow::Result<()> {
    let stdin = std::io::stdin();
    let password = if stdin.is_terminal() { ask()? } else { read_line(&mut stdin.lock())? };
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| anyhow::anyhow!("{error}")).context("no random bytes to be had")?;
    println!("{}", broker::hash_password(password.as_bytes(), &salt)?);
    Ok(())
}

fn ask() -> anyhow::Result<String> {
    let password = rpassword::prompt_password("Password: ").context("cannot read the password")?;
    if rpassword::prompt_password("Again: ").context("cannot read the password")? != password {
        bail!("the two are not the same");
    }
    check(password)
}

fn read_line(input: &mut impl BufRead) -> anyhow::Result<String> {
    let mut line = String::new();
    input.take(PASSWORD_BYTES_MAX + 2).read_line(&mut line).context("cannot read the password")?;
    let line = line.strip_suffix('\n').unwrap_or(&line);
    check(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

fn check(password: String) -> anyhow::Result<String> {
    match u64::try_from(password.len()) {
        Ok(1..=PASSWORD_BYTES_MAX) => Ok(password),
        _ => bail!("a password has 1 to {PASSWORD_BYTES_MAX} bytes"),
    }
}

/// What CONNECT can carry (MQTT 3.1.1, 3.1.3.5).
const PASSWORD_BYTES_MAX: u64 = 65_535;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_the_password() {
        let check = |input: &[u8], expected: Option<&str>| {
            assert_eq!(read_line(&mut &*input).ok().as_deref(), expected, "{input:?}");
        };
        check(b"secret\n", Some("secret"));
        check(b"secret\r\nmore", Some("secret"));
        check(b" s ", Some(" s "));
        check(b"\n", None);
        check(b"", None);
        check(&[b'x'; 65_535], Some(&"x".repeat(65_535)));
        check(&[b'x'; 65_536], None);
    }
}
