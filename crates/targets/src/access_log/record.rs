//! One line of a Linux audit log: `type=T msg=audit(SECONDS.MILLIS:SERIAL): name=value …`.
//!
//! Invariant: what a stranger could choose (file names, programs) cannot be taken for a field: the
//! kernel writes it in quotes, or in hex where it has a space, a quote or a control character
//! (linux/kernel/audit.c, `audit_log_untrustedstring`).

use std::borrow::Cow;

/// Begins what auditd adds to a line when its `log_format` is `ENRICHED`.
const ENRICHED: u8 = 0x1d;

/// A line, its fields still unread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) sort: &'a str,
    pub(super) at_micros: i64,
    pub(super) serial: u64,
    rest: &'a str,
}

impl<'a> Record<'a> {
    /// Reads one line; `None` for what is no record.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let line = line.split(|byte| *byte == ENRICHED).next()?;
        let line = std::str::from_utf8(line).ok()?;
        // Lines that were sent over a network begin with their node.
        let line = match line.strip_prefix("node=") {
            Some(rest) => rest.split_once(' ')?.1,
            None => line,
        };
        let (sort, rest) = line.strip_prefix("type=")?.split_once(" msg=audit(")?;
        let (id, rest) = rest.split_once("):")?;
        let (time, serial) = id.split_once(':')?;
        let (seconds, fraction) = time.split_once('.')?;
        let millis = i64::from(fraction.parse::<u16>().ok().filter(|millis| *millis < 1000)?);
        let seconds: i64 = seconds.parse().ok()?;
        let at_micros = seconds.checked_mul(1_000_000)?.checked_add(millis * 1000)?;
        Some(Self { sort, at_micros, serial: serial.parse().ok()?, rest })
    }

    /// A field as it stands.
    pub(super) fn raw(&self, name: &str) -> Option<&'a str> {
        let mut fields = self.rest.split_ascii_whitespace();
        fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
    }

    /// A field that a stranger could choose: in quotes, or hex.
    pub(super) fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let raw = self.raw(name)?;
        if let Some(quoted) = raw.strip_prefix('"') {
            return quoted.strip_suffix('"').map(Cow::Borrowed);
        }
        let (pairs, odd) = raw.as_bytes().as_chunks::<2>();
        let digits: Option<Vec<u8>> = pairs.iter().map(|pair| hex_byte(*pair)).collect();
        let bytes = digits.filter(|bytes| odd.is_empty() && !bytes.is_empty())?;
        Some(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// A field in hex without a prefix, as system calls' arguments are.
    pub(super) fn hex(&self, name: &str) -> Option<u64> {
        u64::from_str_radix(self.raw(name)?, 16).ok()
    }

    /// A user's number; the highest one says that there is none.
    pub(super) fn user(&self, name: &str) -> Option<u32> {
        self.raw(name)?.parse().ok().filter(|uid| *uid != u32::MAX)
    }
}

fn hex_byte(pair: [u8; 2]) -> Option<u8> {
    let text = std::str::from_utf8(&pair).ok()?;
    u8::from_str_radix(text, 16).ok()
}
