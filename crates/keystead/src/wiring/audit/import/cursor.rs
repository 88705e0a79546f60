//! How far the imports of one log have come: a line that names its last event, as auditd does.
//!
//! Invariant: the file is replaced whole, once all before it is on record.

use std::{fs, io, io::Write, path::Path};

use tempfile::NamedTempFile;

use crate::wiring::audit::AuditFailed;

/// Time in microseconds, and the log's own number.
pub(super) type Place = (i64, u64);

/// Where an earlier import stopped; `None` where there was none.
pub(super) fn read(path: &Path) -> Result<Option<Place>, AuditFailed> {
    match fs::read_to_string(path) {
        Ok(text) => match parse(&text) {
            Some(place) => Ok(Some(place)),
            None => Err(AuditFailed::Cursor { path: path.to_owned() }),
        },
        Err(absent) if absent.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(AuditFailed::Unreadable { path: path.to_owned(), source }),
    }
}

/// Notes where this one stopped.
pub(super) fn write(path: &Path, place: Place) -> Result<(), AuditFailed> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let put = || -> io::Result<()> {
        let mut staged = NamedTempFile::new_in(folder)?;
        staged.write_all(format!("{}\n", print(place)).as_bytes())?;
        staged.as_file().sync_all()?;
        staged.persist(path).map_err(|kept| kept.error)?;
        fs::File::open(folder)?.sync_all()
    };
    put().map_err(|source| AuditFailed::CursorUnwritten { path: path.to_owned(), source })
}

fn print((micros, serial): Place) -> String {
    format!("{}.{:06}:{serial}", micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000))
}

fn parse(text: &str) -> Option<Place> {
    let (time, serial) = text.strip_suffix('\n')?.split_once(':')?;
    let (seconds, fraction) = time.split_once('.')?;
    let fraction = fraction.parse::<i64>().ok().filter(|_| fraction.len() == 6)?;
    let micros = seconds.parse::<i64>().ok()?.checked_mul(1_000_000)?.checked_add(fraction)?;
    Some((micros, serial.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_reads_back_and_nothing_else_does() {
        for place in [(0, 0), (1_795_668_236_909_000, 4), (5, u64::MAX), (999_999, 1)] {
            assert_eq!(parse(&format!("{}\n", print(place))), Some(place));
        }
        for bad in ["", "1.5:3\n", "1.000000:3", "1.000000\n", "a.000000:3\n", "1.00000a:3\n"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_cursor_is_made_and_replaced_and_another_file_is_not_taken_for_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cursor");
        assert!(matches!(read(&path), Ok(None)));
        for place in [(7, 8), (9, 1)] {
            write(&path, place).unwrap();
            assert_eq!(read(&path).unwrap(), Some(place));
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        fs::write(&path, "key = 3\n").unwrap();
        assert!(matches!(read(&path), Err(AuditFailed::Cursor { .. })));
        let nowhere = folder.path().join("no/cursor");
        assert!(matches!(write(&nowhere, (1, 1)), Err(AuditFailed::CursorUnwritten { .. })));
    }
}
