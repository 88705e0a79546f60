//! A tar archive whose bytes depend on names and contents alone (POSIX ustar).
//!
//! Invariant: entries in the order of their names, owner root, one time for all.

use crate::dist::content::Entry;

const BLOCK: usize = 512;

/// The archive, with everything below the folder `top`.
pub(super) fn archive(top: &str, time: u64, entries: &[Entry]) -> Vec<u8> {
    let mut sorted: Vec<&Entry> = entries.iter().collect();
    sorted.sort_by(|a, b| a.path.cmp(&b.path));
    let mut out = Vec::new();
    for entry in sorted {
        let path = format!("{top}/{}", entry.path);
        out.extend_from_slice(&header(&path, entry.mode, entry.bytes.len(), time));
        out.extend_from_slice(&entry.bytes);
        out.resize(out.len().next_multiple_of(BLOCK), 0);
    }
    out.resize(out.len() + 2 * BLOCK, 0);
    out
}

fn header(path: &str, mode: u32, len: usize, time: u64) -> [u8; BLOCK] {
    assert!(path.len() <= 100, "the names in a release are short: {path}");
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| block[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, path.as_bytes());
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, format!("{len:011o}").as_bytes());
    put(136, format!("{time:011o}").as_bytes());
    // The checksum counts its own field as spaces.
    put(148, b"        ");
    put(156, b"0");
    put(257, b"ustar\x0000");
    put(265, b"root");
    put(297, b"root");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    fn entry(path: &str, bytes: &[u8], mode: u32) -> Entry {
        Entry { path: path.to_owned(), mode, bytes: bytes.to_vec() }
    }

    #[test]
    fn the_order_in_which_files_were_found_does_not_show() {
        let (a, b) = (entry("a", b"1", 0o644), entry("b/c", &[7; 600], 0o755));
        let one = archive("top", 5, &[a, b]);
        let (a, b) = (entry("a", b"1", 0o644), entry("b/c", &[7; 600], 0o755));
        assert_eq!(one, archive("top", 5, &[b, a]));
        assert_eq!(one.len() % BLOCK, 0);
    }

    #[test]
    fn tar_lists_what_was_put_in() {
        let bytes = archive("top", 86_400, &[entry("bin/x", &[1; 513], 0o755)]);
        let path = std::env::temp_dir().join(format!("keystead-tar-{}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        let mut tar = Command::new("tar");
        tar.args(["--utc", "--numeric-owner", "-tvf"]).arg(&path).stderr(Stdio::inherit());
        let listed = String::from_utf8(tar.output().unwrap().stdout).unwrap();
        std::fs::remove_file(&path).unwrap();
        let words: Vec<&str> = listed.split_whitespace().collect();
        assert_eq!(words, ["-rwxr-xr-x", "0/0", "513", "1970-01-02", "00:00", "top/bin/x"]);
    }
}
