//! All files below folders, to show that nothing changed.

use std::{collections::BTreeMap, fs, path::Path};

/// Path to bytes of every file; folders and links by their names. A vault's staging folder is left
/// out: what a killed put left there is no object, and whoever opens the vault takes it away.
pub(crate) fn tree(folders: &[&Path]) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    folders.iter().for_each(|folder| add(folder, &mut found));
    found
}

fn add(path: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
    if path.file_name().is_some_and(|name| name == ".tmp") {
        return;
    }
    let metadata = path.symlink_metadata().unwrap();
    let bytes = if metadata.is_file() { fs::read(path).unwrap() } else { Vec::new() };
    found.insert(path.display().to_string(), bytes);
    if metadata.is_dir() {
        fs::read_dir(path).unwrap().for_each(|entry| add(&entry.unwrap().path(), found));
    }
}

/// Asserts that two trees are equal, and names what differs rather than its bytes.
#[track_caller]
pub(crate) fn assert_unchanged(
    before: &BTreeMap<String, Vec<u8>>,
    after: &BTreeMap<String, Vec<u8>>,
) {
    let changed: Vec<_> = before
        .keys()
        .chain(after.keys())
        .filter(|path| before.get(*path) != after.get(*path))
        .collect();
    assert!(changed.is_empty(), "changed: {changed:?}");
}
