//! What the broker's process has used, from /proc.

use std::fs;

/// CPU time and memory of a process.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Usage {
    /// User and system time since the process began, in seconds, in steps of 10 ms.
    pub cpu_seconds: f64,
    /// Resident memory, in KiB.
    pub resident_kib: f64,
}

impl Usage {
    /// Reads it; none when there is no such process, or no /proc.
    pub fn of(pid: u32) -> Option<Self> {
        let read = |file: &str| fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
        Some(Self { cpu_seconds: cpu_seconds(&read("stat"))?, resident_kib: resident_kib(&read("status"))? })
    }

    /// CPU time since an earlier reading, in microseconds.
    pub fn cpu_micros_since(&self, before: &Self) -> f64 {
        (self.cpu_seconds - before.cpu_seconds) * 1e6
    }
}

/// Fields 14 and 15 of proc(5)'s stat, in ticks; the name before them may hold anything, even a bracket.
fn cpu_seconds(stat: &str) -> Option<f64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut ticks = fields.split_whitespace().skip(11).map(str::parse::<f64>);
    Some((ticks.next()?.ok()? + ticks.next()?.ok()?) / TICKS_A_SECOND)
}

fn resident_kib(status: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// `getconf CLK_TCK` on Linux.
const TICKS_A_SECOND: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proc_files_are_read_as_the_manual_says() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 150 50 0 0 20 0 1 0";
        assert_eq!(cpu_seconds(stat), Some(2.0));
        assert_eq!(cpu_seconds(""), None);
        assert_eq!(resident_kib("VmSize:\t 9 kB\nVmRSS:\t  1234 kB\n"), Some(1234.0));
        assert_eq!(resident_kib("VmSize: 9"), None);
    }

    #[test]
    fn this_process_has_used_memory_and_no_process_is_none() {
        assert!(Usage::of(std::process::id()).unwrap().resident_kib > 100.0);
        // Above Linux's largest process id, 2^22.
        assert_eq!(Usage::of(1 << 30), None);
    }
}
