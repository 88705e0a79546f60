//! The table of all configuration fields: name, form, default, and who would change it.
//!
//! Invariant: what `config explain` prints, what the environment is checked against and what files
//! may say is this table; a default is written in the same text form as a value and is lawful.
//!
//! Why so few: a knob that nobody would turn is a way to be wrong.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use keystead_service::AuditDurability;
use tracing_subscriber::filter::LevelFilter;

use crate::config::values::{
    Bounds, ValueInvalid, durability, duration, format, level, loopback, path, reference, size,
    witnesses,
};
use crate::config::{Config, LogFormat};

/// One field.
pub(crate) struct Field {
    /// `section.field`.
    pub(crate) name: &'static str,
    /// What a value looks like.
    pub(crate) form: &'static str,
    /// The default as text, where there is one.
    pub(crate) default: Option<&'static str>,
    /// What it does.
    pub(crate) about: &'static str,
    /// Who would change it, and why.
    pub(crate) changed_by: &'static str,
    /// Takes a text as the value.
    pub(super) set: fn(&mut Config, &str) -> Result<(), ValueInvalid>,
}

const UNFENCED: Bounds = Bounds { range: 60_000..=86_400_000, least: "1m", most: "24h" };
const ARENA: Bounds = Bounds { range: 1 << 20..=1 << 30, least: "1MiB", most: "1GiB" };
const POINTS: Bounds = Bounds { range: HOUR_MS..=168 * HOUR_MS, least: "1h", most: "168h" };
const INTEGRITY: Bounds = Bounds { range: HOUR_MS..=24 * HOUR_MS, least: "1h", most: "24h" };
const RECOVERY: Bounds = Bounds { range: HOUR_MS..=720 * HOUR_MS, least: "1h", most: "720h" };
const HOUR_MS: u64 = 3_600_000;
const TIMEOUT: Bounds = Bounds { range: 1000..=600_000, least: "1s", most: "10m" };

/// Every field, in the order in which `config explain` shows them.
pub(crate) const FIELDS: [Field; 15] = [
    Field {
        name: "instance.data_dir",
        form: "a folder",
        default: None,
        about: "where the instance lives: database, ledger, seal slot",
        changed_by: "everybody sets it once, here or by --data-dir",
        set: |config, text| path(text).map(|value| config.data_dir = Some(value)),
    },
    Field {
        name: "instance.passphrase",
        form: "file:PATH, env:NAME, credential:NAME, fd:N or -",
        default: None,
        about: "where the passphrase lies that opens the instance",
        changed_by: "who starts the server without a person at the terminal",
        set: |config, text| reference(text).map(|value| config.passphrase = Some(value)),
    },
    Field {
        name: "serve.listen",
        form: "HOST:PORT on loopback",
        default: Some("127.0.0.1:7700"),
        about: "where the server answers; port 0 takes a free one",
        changed_by: "who runs two instances on one machine",
        set: |config, text| loopback(text).map(|value| config.listen = value),
    },
    Field {
        name: "serve.metrics_listen",
        form: "HOST:PORT on loopback",
        default: None,
        about: "where /metrics, /livez and /readyz are answered without a signature; unset is \
                nowhere for metrics",
        changed_by: "who watches the node with Prometheus or a supervisor on the same machine",
        set: |config, text| loopback(text).map(|value| config.metrics_listen = Some(value)),
    },
    Field {
        name: "serve.max_unfenced",
        form: "a duration, 1m to 24h",
        default: Some("1h"),
        about: "how long uses go on while too few vaults answer to exclude that another node took \
                over",
        changed_by: "who would rather stop sooner (two sites), or later (one site, poor network)",
        set: |config, text| duration(text, &UNFENCED).map(|value| config.max_unfenced = value),
    },
    Field {
        name: "serve.arena",
        form: "a size, 1MiB to 1GiB",
        default: Some("4MiB"),
        about: "locked memory for opened keys; RLIMIT_MEMLOCK must allow it",
        changed_by: "who uses more than some ten thousand keys at the same time",
        set: |config, text| size(text, &ARENA).map(|value| config.arena_bytes = value),
    },
    Field {
        name: "audit.durability",
        form: "local or vaulted",
        default: Some("local"),
        about: "where an event must be before its request is answered: synced on this disk (the \
                vaults have it a second later), or in as many vaults as must confirm",
        changed_by: "who must not lose one use event with the machine, and can wait for vaults",
        set: |config, text| durability(text).map(|value| config.audit_durability = value),
    },
    Field {
        name: "audit.witnesses",
        form: "a list of \"VERIFIER-KEY URL\", or one text with commas",
        default: None,
        about: "who is asked each second to cosign the ledger's newest checkpoint (C2SP \
                tlog-witness): the key as the witness prints it, and the prefix of its address, \
                http://HOST:PORT",
        changed_by: "who must show that nobody was shown another history",
        set: |config, text| witnesses(text).map(|value| config.witnesses = value),
    },
    Field {
        name: "backup.points_every",
        form: "a duration, 1h to 168h",
        default: Some("24h"),
        about: "how often a full recovery point is made, where anything changed; a restore reads \
                only the segments behind the newest one",
        changed_by: "who changes so much that a day of segments takes long to read",
        set: |config, text| duration(text, &POINTS).map(|value| config.points_every = value),
    },
    Field {
        name: "backup.integrity_every",
        form: "a duration, 1h to 24h",
        default: Some("24h"),
        about: "how often a seventh of all bytes in the vaults is read and verified",
        changed_by: "who wants each byte read more often than once a week",
        set: |config, text| duration(text, &INTEGRITY).map(|value| config.integrity_every = value),
    },
    Field {
        name: "backup.recovery_every",
        form: "a duration, 1h to 720h",
        default: Some("168h"),
        about: "how often the way back is walked: every key copy is opened and put beside the \
                running key",
        changed_by: "who must show that every key was proven in the last day",
        set: |config, text| duration(text, &RECOVERY).map(|value| config.recovery_every = value),
    },
    Field {
        name: "log.level",
        form: "off, error, warn, info, debug or trace",
        default: Some("info"),
        about: "how much goes to standard error; the log is not the audit record",
        changed_by: "who looks for a fault",
        set: |config, text| level(text).map(|value| config.log_level = value),
    },
    Field {
        name: "log.format",
        form: "auto, text or json",
        default: Some("auto"),
        about: "auto is text on a terminal and one JSON object a line elsewhere",
        changed_by: "who reads the log of a service by eye",
        set: |config, text| format(text).map(|value| config.log_format = value),
    },
    Field {
        name: "client.profile",
        form: "a file",
        default: None,
        about: "endpoint and access key of the server to ask; \
                unset is $XDG_CONFIG_HOME/keystead/profile.toml",
        changed_by: "who works with more than one instance",
        set: |config, text| path(text).map(|value| config.profile = Some(value)),
    },
    Field {
        name: "client.timeout",
        form: "a duration, 1s to 10m",
        default: Some("30s"),
        about: "how long a command waits for the server's answer",
        changed_by: "whose vaults are slow to confirm",
        set: |config, text| duration(text, &TIMEOUT).map(|value| config.timeout = value),
    },
];

impl Field {
    /// The environment variable that sets it.
    pub(crate) fn variable(&self) -> String {
        format!("KEYSTEAD__{}", self.name.replace('.', "__").to_uppercase())
    }
}

/// All defaults; a test holds them to the table.
impl Default for Config {
    fn default() -> Self {
        Self {
            data_dir: None,
            passphrase: None,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 7700)),
            metrics_listen: None,
            max_unfenced: Duration::from_secs(3600),
            arena_bytes: keystead_arena::DEFAULT_REGION_BYTES,
            audit_durability: AuditDurability::Local,
            points_every: Duration::from_secs(24 * 3600),
            integrity_every: Duration::from_secs(24 * 3600),
            recovery_every: Duration::from_secs(168 * 3600),
            witnesses: Vec::new(),
            log_level: LevelFilter::INFO,
            log_format: LogFormat::Auto,
            profile: None,
            timeout: Duration::from_secs(30),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_lawful_and_changes_nothing() {
        let mut config = Config::default();
        for field in &FIELDS {
            if let Some(default) = field.default {
                (field.set)(&mut config, default).unwrap();
            }
        }
        assert_eq!(format!("{config:?}"), format!("{:?}", Config::default()));
    }

    #[test]
    fn every_name_is_section_and_field_and_occurs_once() {
        for (place, field) in FIELDS.iter().enumerate() {
            assert_eq!(field.name.split('.').count(), 2, "{}", field.name);
            assert!(FIELDS[..place].iter().all(|other| other.name != field.name));
        }
        assert_eq!(FIELDS[0].variable(), "KEYSTEAD__INSTANCE__DATA_DIR");
    }
}
