//! When a key gets its next version by itself, and which versions somebody asked for.
//!
//! Invariant: a schedule names the very instant of the next rotation; a version made on demand
//! does not move it, as with AWS KMS.

use keystead_crypto::bytes::{Malformed, Reader, Writer};

use crate::Timestamp;

const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// A key's automatic rotation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RotationSchedule {
    /// 90 to 2,560.
    pub period_days: u16,
    /// When the next version is due.
    pub next: Timestamp,
}

impl RotationSchedule {
    /// The period where nobody names one.
    pub const DEFAULT_DAYS: u16 = 365;
    /// The shortest period.
    pub const MIN_DAYS: u16 = 90;
    /// The longest period.
    pub const MAX_DAYS: u16 = 2560;

    /// A schedule that begins at `now`; nothing where no schedule has this period.
    #[must_use]
    pub fn starting(period_days: u16, now: Timestamp) -> Option<Self> {
        let lawful = (Self::MIN_DAYS..=Self::MAX_DAYS).contains(&period_days);
        lawful.then(|| Self { period_days, next: now.plus_ms(i64::from(period_days) * DAY_MS) })
    }

    /// The schedule after the rotation that was due and is made at `now`.
    #[must_use]
    pub fn rotated(self, now: Timestamp) -> Self {
        Self { next: now.plus_ms(i64::from(self.period_days) * DAY_MS), ..self }
    }

    /// Appends period and next instant.
    pub fn write(self, w: &mut Writer) {
        w.u16(self.period_days).i64(self.next.as_micros());
    }

    /// Takes what [`Self::write`] appended.
    ///
    /// # Errors
    /// [`Malformed`] for a period that no schedule has.
    pub fn read(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (period_days, next) = (r.u16()?, Timestamp::from_micros(r.i64()?));
        let lawful = (Self::MIN_DAYS..=Self::MAX_DAYS).contains(&period_days);
        lawful
            .then_some(Self { period_days, next })
            .ok_or(Malformed::BadValue { field: "rotation period" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(5);

    #[test]
    fn a_period_has_its_bounds() {
        assert_eq!(RotationSchedule::starting(89, NOW), None);
        assert_eq!(RotationSchedule::starting(2561, NOW), None);
        let least = RotationSchedule::starting(90, NOW).unwrap();
        assert_eq!(least.next.ms_since(NOW), 90 * DAY_MS);
        let later = least.next.plus_ms(1);
        assert_eq!(least.rotated(later).next.ms_since(later), 90 * DAY_MS);
    }

    #[test]
    fn a_schedule_reads_back_and_an_unlawful_one_does_not() {
        for days in [89, 90, 2560, 2561] {
            let schedule = RotationSchedule { period_days: days, next: NOW };
            let mut w = Writer::new();
            schedule.write(&mut w);
            let read = RotationSchedule::read(&mut Reader::new(w.as_slice()));
            assert_eq!(read.is_ok(), (90..=2560).contains(&days), "{days}");
        }
    }
}
