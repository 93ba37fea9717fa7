//! The rows of the table: what is measured, and what it should be.

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contender {
    /// The least work that system calls allow.
    Floor,
    /// The server, on one core.
    Althing,
    /// The well-known broker.
    Mosquitto,
}

impl Contender {
    /// The name that messages use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::Althing => "althing",
            Self::Mosquitto => "mosquitto",
        }
    }
}

/// One row.
#[derive(Debug)]
pub struct Row {
    /// For `--only`, and in JSON.
    pub name: &'static str,
    /// For people.
    pub title: &'static str,
    /// Of the figure.
    pub unit: &'static str,
    /// Who takes part.
    pub contenders: &'static [Contender],
    /// Arguments of `althing bench`.
    pub load: &'static [&'static str],
    /// The figure of its report, and what makes the row's unit of it.
    pub figure: (&'static str, f64),
    /// Through TLS with client certificates.
    pub is_tls: bool,
    /// The server's worker threads.
    pub workers: usize,
    /// The server's setting: `sync`, or `os` for a disk that is not waited for.
    pub durability: &'static str,
    /// What the server should reach.
    pub goal: Goal,
}

/// What a figure should be.
#[derive(Debug, Clone, Copy)]
pub enum Goal {
    /// At most this many times the floor's figure of the row, or of another row.
    OfFloor(f64, Option<&'static str>),
    /// At most this many times the server's own figure of another row.
    OfRow(f64, &'static str),
    /// No more than this.
    AtMost(f64),
    /// No less than this; its ratio is to what the bare store does.
    OfStore(f64),
}

impl Goal {
    /// The row that this one is compared with.
    pub fn base(self) -> Option<&'static str> {
        match self {
            Self::OfFloor(_, base) => base,
            Self::OfRow(_, base) => Some(base),
            Self::AtMost(_) | Self::OfStore(_) => None,
        }
    }
}

/// The rows of those names, and those that they are compared with.
pub fn with_bases(names: &[String]) -> Result<Vec<&'static Row>, String> {
    if let Some(unknown) = names.iter().find(|name| !ROWS.iter().any(|row| row.name == **name)) {
        let known: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        return Err(format!("no row {unknown:?}; there are {}", known.join(", ")));
    }
    let is_asked = |row: &&Row| names.is_empty() || names.iter().any(|name| name == row.name);
    let bases: Vec<&str> = ROWS.iter().filter(is_asked).filter_map(|row| row.goal.base()).collect();
    Ok(ROWS.iter().filter(|row| is_asked(row) || bases.contains(&row.name)).collect())
}

const ALL: &[Contender] = &[Contender::Floor, Contender::Althing, Contender::Mosquitto];
/// The floor knows exact topics only, no TLS, and no sessions.
const BROKERS: &[Contender] = &[Contender::Althing, Contender::Mosquitto];
const SERVER: &[Contender] = &[Contender::Althing];
const PER_MESSAGE: (&str, f64) = ("broker_cpu_us_per_message", 1.0);

const PAIR: Row = Row {
    name: "pair-0",
    title: "pair, QoS 0",
    unit: "us CPU/message",
    contenders: ALL,
    load: &["pair", "--qos", "0"],
    figure: PER_MESSAGE,
    is_tls: false,
    workers: 1,
    durability: "sync",
    goal: Goal::OfFloor(2.0, None),
};

/// 50 devices, each with five updates of its own shadow under way.
const SHADOW: Row = Row {
    name: "shadow",
    title: "accepted shadow update, fsync",
    unit: "us CPU/update",
    contenders: SERVER,
    load: &[
        "echo",
        "--clients",
        "50",
        "--window",
        "5",
        "--topic",
        "$aws/things/bench{i}/shadow/update",
        "--await",
        "$aws/things/bench{i}/shadow/update/accepted",
        "--body",
        r#"{"state":{"reported":{"n":{seq}}}}"#,
    ],
    goal: Goal::AtMost(25.0),
    ..PAIR
};

/// All rows, in the order in which they are measured and printed.
pub(crate) const ROWS: &[Row] = &[
    PAIR,
    Row { name: "pair-1", title: "pair, QoS 1", load: &["pair", "--qos", "1"], goal: Goal::OfFloor(2.2, None), ..PAIR },
    Row {
        name: "fan-out",
        title: "fan-out 1:500, window 4",
        load: &["fan-out", "--clients", "500", "--window", "4"],
        goal: Goal::OfFloor(1.0, None),
        ..PAIR
    },
    Row {
        name: "fan-in",
        title: "fan-in 50:1",
        contenders: BROKERS,
        load: &["fan-in"],
        goal: Goal::OfFloor(1.8, Some("pair-0")),
        ..PAIR
    },
    Row {
        name: "filters",
        title: "pair beside 100,000 filters",
        contenders: BROKERS,
        load: &["pair", "--qos", "0", "--filters", "100000", "--stall", "60"],
        goal: Goal::OfRow(1.1, "pair-0"),
        ..PAIR
    },
    Row {
        name: "connect",
        title: "connect",
        unit: "us CPU/connection",
        load: &["connect"],
        figure: ("broker_cpu_us_per_connect", 1.0),
        goal: Goal::OfFloor(1.5, None),
        ..PAIR
    },
    Row {
        name: "connect-tls",
        title: "connect, mutual TLS, P-256",
        unit: "ms CPU/connection",
        contenders: BROKERS,
        load: &["connect"],
        figure: ("broker_cpu_us_per_connect", 0.001),
        is_tls: true,
        goal: Goal::AtMost(0.8),
        ..PAIR
    },
    Row {
        name: "idle",
        title: "idle connection of 10,000",
        unit: "KiB",
        load: &["idle", "--clients", "10000", "--seconds", "2"],
        figure: ("broker_kib_per_connection", 1.0),
        goal: Goal::AtMost(4.0),
        ..PAIR
    },
    Row {
        name: "idle-tls",
        title: "idle connection of 2,000, mutual TLS",
        unit: "KiB",
        contenders: BROKERS,
        load: &["idle", "--clients", "2000", "--seconds", "2", "--stall", "60"],
        figure: ("broker_kib_per_connection", 1.0),
        is_tls: true,
        goal: Goal::AtMost(14.0),
        ..PAIR
    },
    Row {
        name: "pair-tls",
        title: "pair, QoS 0, mutual TLS",
        contenders: BROKERS,
        is_tls: true,
        goal: Goal::OfRow(1.3, "pair-0"),
        ..PAIR
    },
    Row {
        name: "offline",
        title: "QoS 1 to sessions that are away, fsync",
        unit: "messages/s",
        contenders: SERVER,
        load: &["offline", "--clients", "50", "--window", "20"],
        figure: ("messages_per_second", 1.0),
        goal: Goal::OfStore(40_000.0),
        ..PAIR
    },
    SHADOW,
    Row {
        name: "shadow-os",
        title: "accepted shadow update, no fsync",
        durability: "os",
        goal: Goal::AtMost(18.0),
        ..SHADOW
    },
    Row {
        name: "threads-0",
        title: "pair, QoS 0, two workers",
        contenders: SERVER,
        workers: 2,
        goal: Goal::OfRow(1.2, "pair-0"),
        ..PAIR
    },
    Row {
        name: "threads-1",
        title: "pair, QoS 1, two workers",
        contenders: SERVER,
        load: &["pair", "--qos", "1"],
        workers: 2,
        goal: Goal::OfRow(1.2, "pair-1"),
        ..PAIR
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_brings_what_it_is_compared_with() {
        let check = |names: &[&str], expected: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            let rows: Vec<&str> = with_bases(&names).unwrap().iter().map(|row| row.name).collect();
            assert_eq!(rows, expected);
        };
        check(&["connect"], &["connect"]);
        check(&["fan-in"], &["pair-0", "fan-in"]);
        check(&["threads-1", "idle"], &["pair-1", "idle", "threads-1"]);
        assert_eq!(with_bases(&[]).unwrap().len(), ROWS.len());
        assert!(with_bases(&["pair".to_owned()]).unwrap_err().contains("no row \"pair\"; there are pair-0, "));
    }

    #[test]
    fn bases_are_rows_and_stand_before() {
        for (at, row) in ROWS.iter().enumerate() {
            let Some(base) = row.goal.base() else { continue };
            assert!(ROWS[..at].iter().any(|earlier| earlier.name == base), "{}", row.name);
        }
    }
}
