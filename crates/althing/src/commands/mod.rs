//! The commands: one file each.

pub(crate) mod bench;
pub(crate) mod env;
pub(crate) mod hash_password;
pub(crate) mod serve;
pub(crate) mod shadow;

/// What `althing` can do.
#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Run the server (the default command)
    Serve(Box<crate::config::Flags>),
    /// Print the environment with which AWS clients reach this server, for `eval "$(althing env)"`
    Env(env::Flags),
    /// Read a password and print the hash that `password_hash` in `[[users]]` takes
    HashPassword,
    /// Read, change or follow a device shadow
    Shadow(Box<shadow::Flags>),
    /// Put load on an MQTT broker, this or another, and measure what it delivers and what that costs
    Bench(Box<bench::Flags>),
}
