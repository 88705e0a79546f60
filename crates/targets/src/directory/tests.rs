//! Breaks a vault folder in the ways in which folders break, and puts in the middle.
//!
//! Starts no process: a fork would inherit the locks by which a living put is told from a dead one.

use super::folder::{Folder, STAGING};
use super::put::{Place, Staged};
use super::*;
use crate::{Absence, Inline, wait};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use rustix::mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount};
use rustix::process::Uid;
use std::ffi::CString;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::thread;
use tempfile::TempDir;

struct Threads;

impl Blocking for Threads {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        thread::spawn(job);
    }
}

fn name(text: &str) -> ObjectName {
    text.parse().unwrap()
}

fn url(folder: &Path) -> VaultUrl {
    VaultUrl::directory(folder).unwrap()
}

fn open(folder: &Path) -> Result<DirectoryVault, VaultError> {
    wait(DirectoryVault::open(url(folder), Arc::new(Inline)))
}

fn put(vault: &DirectoryVault, text: &str, bytes: &[u8]) -> Result<PutNew, VaultError> {
    wait(vault.put_new(&name(text), bytes))
}

fn read(vault: &DirectoryVault, text: &str) -> Result<Option<Vec<u8>>, VaultError> {
    wait(vault.read(&name(text)))
}

/// A folder and its vault with the object `i/a`.
fn with_object() -> (TempDir, DirectoryVault) {
    let folder = TempDir::new().unwrap();
    let vault = open(folder.path()).unwrap();
    assert_eq!(put(&vault, "i/a", b"first").unwrap(), PutNew::Created);
    (folder, vault)
}

fn leftovers(folder: &Path) -> usize {
    fs::read_dir(folder.join(STAGING)).unwrap().count()
}

/// Asserts that no operation takes the vault for an empty one, and gives the reason.
fn absence(vault: &DirectoryVault) -> Absence {
    let reason = |error| match error {
        VaultError::Away { source, .. } => source,
        other => panic!("away was expected: {other:?}"),
    };
    reason(read(vault, "i/a").unwrap_err());
    reason(read(vault, "i/absent").unwrap_err());
    reason(put(vault, "i/b", b"2").unwrap_err());
    reason(wait(vault.list("")).unwrap_err());
    reason(wait(vault.list("absent/")).unwrap_err())
}

#[test]
fn conformance_on_the_callers_thread() {
    let folders = TempDir::new().unwrap();
    conformance(&folders, &(Arc::new(Inline) as Arc<dyn Blocking>));
}

#[test]
fn conformance_on_many_threads() {
    let folders = TempDir::new().unwrap();
    conformance(&folders, &(Arc::new(Threads) as Arc<dyn Blocking>));
}

fn conformance(folders: &TempDir, blocking: &Arc<dyn Blocking>) {
    wait(crate::conformance::run(async || {
        let folder = TempDir::new_in(folders).unwrap().keep();
        DirectoryVault::open(url(&folder), Arc::clone(blocking)).await.unwrap()
    }));
}

#[test]
fn two_vaults_on_one_folder_fence_each_other() {
    let (folder, first) = with_object();
    let second = open(folder.path()).unwrap();
    assert_eq!(put(&second, "i/a", b"other").unwrap(), PutNew::Exists);
    assert_eq!(put(&second, "i/b", b"second").unwrap(), PutNew::Created);
    assert_eq!(put(&first, "i/b", b"first").unwrap(), PutNew::Exists);
    assert_eq!(read(&first, "i/b").unwrap().unwrap(), b"second");
}

#[test]
fn files_and_folders_are_for_their_owner_alone() {
    let (folder, _vault) = with_object();
    let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().mode() & 0o7777;
    assert_eq!((mode("i/a"), mode("i"), mode(STAGING)), (0o600, 0o700, 0o700));
    let links = fs::metadata(folder.path().join("i/a")).unwrap().nlink();
    assert_eq!((links, leftovers(folder.path())), (1, 0), "the staging name is gone");
}

#[test]
fn the_domain_is_the_declared_one_or_the_device() {
    let (folder, vault) = with_object();
    let device = fs::metadata(folder.path()).unwrap().dev();
    assert_eq!(vault.domain().unwrap(), FailureDomain::device(device));
    let declared = url(folder.path()).with_domain("cellar").unwrap();
    let vault = wait(DirectoryVault::open(declared, Arc::new(Inline))).unwrap();
    assert_eq!(vault.domain().unwrap(), FailureDomain::declared("cellar"));
}

#[test]
fn a_missing_folder_or_a_file_is_away_at_open_and_nothing_is_made() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("file"), b"").unwrap();
    for missing in ["absent", "absent/below", "file"] {
        let away = open(&folder.path().join(missing)).unwrap_err();
        assert!(matches!(away, VaultError::Away { source: Absence::Unreachable(_), .. }));
        assert!(away.hint().contains("mount"), "{}", away.hint());
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_removed_a_swapped_and_an_emptied_folder_are_away() {
    let (parent, folder) = (TempDir::new().unwrap(), "vault");
    let path = parent.path().join(folder);
    fs::create_dir(&path).unwrap();
    let vault = open(&path).unwrap();
    put(&vault, "i/a", b"first").unwrap();

    fs::rename(&path, parent.path().join("moved")).unwrap();
    assert!(matches!(absence(&vault), Absence::Unreachable(_)));
    fs::create_dir(&path).unwrap();
    assert!(matches!(absence(&vault), Absence::Replaced));
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0, "nothing was written there");
    fs::remove_dir(&path).unwrap();
    fs::rename(parent.path().join("moved"), &path).unwrap();
    assert_eq!(read(&vault, "i/a").unwrap().unwrap(), b"first", "it came back");

    fs::remove_dir_all(path.join("i")).unwrap();
    fs::remove_dir_all(path.join(STAGING)).unwrap();
    assert!(matches!(absence(&vault), Absence::Emptied));
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0, "nothing was written there");
}

#[test]
fn foreign_files_are_neither_listed_nor_followed() {
    let (folder, vault) = with_object();
    let at = |path: &str| folder.path().join(path);
    fs::create_dir(at("lost+found")).unwrap();
    fs::write(at("lost+found/x"), b"x").unwrap();
    fs::write(at("i/.DS_Store"), b"x").unwrap();
    fs::write(at(".tmp/left"), b"x").unwrap();
    symlink("/etc", at("i/etc")).unwrap();
    symlink("/etc/hostname", at("i/link")).unwrap();
    symlink(at("i/a"), at("i/own")).unwrap();
    mknodat(CWD, at("i/pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let listed: Vec<String> =
        wait(vault.list("")).unwrap().into_iter().map(|listed| listed.name.to_string()).collect();
    assert_eq!(listed, ["i/a"]);
    assert_eq!(wait(vault.list("i/etc/")).unwrap(), []);
    assert_eq!(read(&vault, "i/etc/hostname").unwrap(), None);
    for text in ["i/link", "i/own", "i/pipe"] {
        assert!(matches!(read(&vault, text), Err(VaultError::Corrupt { .. })), "{text}");
        assert!(matches!(put(&vault, text, b"1"), Err(VaultError::Corrupt { .. })), "{text}");
    }
    let through = put(&vault, "i/etc/keystead", b"1").unwrap_err();
    assert!(matches!(through, VaultError::Clash { .. }), "{through:?}");
}

#[test]
fn no_name_is_both_an_object_and_a_folder() {
    let (_folder, vault) = with_object();
    for text in ["i", "i/a/b", "i/a/b/c"] {
        let clash = put(&vault, text, b"1").unwrap_err();
        assert!(matches!(clash, VaultError::Clash { .. }), "{text}: {clash:?}");
        assert_eq!(read(&vault, text).unwrap(), None);
    }
}

/// How far a put came before its process died.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Reached {
    Nothing,
    Folders,
    Created,
    HalfWritten,
    Written,
    Synced,
    Linked,
    Settled,
}

const MATRIX: [Reached; 8] = [
    Reached::Nothing,
    Reached::Folders,
    Reached::Created,
    Reached::HalfWritten,
    Reached::Written,
    Reached::Synced,
    Reached::Linked,
    Reached::Settled,
];

/// The steps of a put up to a point, and no clean-up after it.
fn die_at(path: &Path, text: &str, bytes: &[u8], last: Reached) {
    let folder = Folder::open(url(path)).unwrap();
    let object = name(text);
    if last < Reached::Folders {
        return;
    }
    let place = Place::make(&folder, &object).unwrap();
    if last < Reached::Created {
        return;
    }
    let staged = Staged::create(&folder).unwrap();
    let written = match last {
        Reached::Created => 0,
        Reached::HalfWritten => bytes.len() / 2,
        _ => bytes.len(),
    };
    staged.write(&bytes[..written]).unwrap();
    if last >= Reached::Synced {
        staged.sync().unwrap();
    }
    if last >= Reached::Linked {
        assert_eq!(place.link(&staged).unwrap(), PutNew::Created);
    }
    if last >= Reached::Settled {
        assert_eq!(place.settle().unwrap(), PutNew::Created);
    }
}

#[test]
fn a_put_that_dies_anywhere_leaves_a_whole_object_or_none() {
    let bytes = vec![0xC3; 70_000];
    for last in MATRIX {
        let folder = TempDir::new().unwrap();
        die_at(folder.path(), "i/x/a", &bytes, last);
        let staged = folder.path().join(STAGING);
        let left = if staged.exists() { leftovers(folder.path()) } else { 0 };
        assert_eq!(left, usize::from(last >= Reached::Created), "{last:?}");

        let vault = open(folder.path()).unwrap();
        assert_eq!(leftovers(folder.path()), 0, "{last:?}: leftovers are removed at open");
        let is_there = last >= Reached::Linked;
        assert_eq!(read(&vault, "i/x/a").unwrap(), is_there.then(|| bytes.clone()), "{last:?}");
        assert_eq!(wait(vault.list("")).unwrap().len(), usize::from(is_there), "{last:?}");

        let again = if is_there { PutNew::Exists } else { PutNew::Created };
        assert_eq!(put(&vault, "i/x/a", &bytes).unwrap(), again, "{last:?}");
        assert_eq!(read(&vault, "i/x/a").unwrap().unwrap(), bytes, "{last:?}");
    }
}

#[test]
fn leftovers_of_a_living_put_stay_and_it_completes() {
    let folder = TempDir::new().unwrap();
    let first = Folder::open(url(folder.path())).unwrap();
    let object = name("i/a");
    let place = Place::make(&first, &object).unwrap();
    let staged = Staged::create(&first).unwrap();
    staged.write(b"first").unwrap();
    let second = open(folder.path()).unwrap();
    assert_eq!(leftovers(folder.path()), 1, "opening removes no file that a put holds");
    assert_eq!(wait(second.list("")).unwrap(), []);
    staged.sync().unwrap();
    assert_eq!(place.link(&staged).unwrap(), PutNew::Created);
    place.settle().unwrap();
    staged.discard();
    assert_eq!(read(&second, "i/a").unwrap().unwrap(), b"first");
}

#[test]
fn a_staging_file_that_somebody_removed_fails_the_put_and_nothing_else() {
    let folder = TempDir::new().unwrap();
    let opened = Folder::open(url(folder.path())).unwrap();
    let object = name("i/a");
    let place = Place::make(&opened, &object).unwrap();
    let staged = Staged::create(&opened).unwrap();
    for entry in fs::read_dir(folder.path().join(STAGING)).unwrap() {
        fs::remove_file(entry.unwrap().path()).unwrap();
    }
    let failed = place.link(&staged).unwrap_err();
    assert!(matches!(failed, VaultError::Failed { .. }), "{failed:?}");
    assert_eq!(put(&open(folder.path()).unwrap(), "i/a", b"1").unwrap(), PutNew::Created);
}

struct Forgetful;

impl Blocking for Forgetful {
    fn run(&self, job: Box<dyn FnOnce() + Send>) {
        drop(job);
    }
}

#[test]
fn work_that_was_dropped_is_unknown_for_a_put_and_failed_for_the_rest() {
    let (folder, vault) = with_object();
    let vault = DirectoryVault { folder: vault.folder, blocking: Arc::new(Forgetful) };
    assert!(matches!(put(&vault, "i/b", b""), Err(VaultError::Unknown { .. })));
    assert!(matches!(read(&vault, "i/a"), Err(VaultError::Failed { .. })));
    assert!(matches!(wait(vault.list("")), Err(VaultError::Failed { .. })));
    let opened = wait(DirectoryVault::open(url(folder.path()), Arc::new(Forgetful)));
    assert!(matches!(opened, Err(VaultError::Failed { .. })));
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Runs `body` on a thread that lacks root's power over permissions.
fn unprivileged<T: Send>(body: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let run = scope.spawn(|| {
            if is_root() {
                rustix::thread::set_thread_uid(Uid::from_raw(65534)).unwrap();
            }
            body()
        });
        run.join().unwrap()
    })
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn what_may_not_be_written_is_denied_and_what_may_not_be_read_is_away() {
    let folder = TempDir::new().unwrap();
    chmod(folder.path(), 0o777);
    let vault = unprivileged(|| {
        let vault = open(folder.path()).unwrap();
        put(&vault, "i/a", b"first").unwrap();
        vault
    });
    chmod(&folder.path().join("i"), 0o500);
    let denied = unprivileged(|| put(&vault, "i/b", b"2")).unwrap_err();
    assert!(matches!(denied, VaultError::Denied { .. }), "{denied:?}");
    assert!(denied.hint().contains("write access"));
    assert_eq!(unprivileged(|| read(&vault, "i/a")).unwrap().unwrap(), b"first");
    assert_eq!(leftovers(folder.path()), 0, "the staged file is gone");

    chmod(&folder.path().join("i"), 0o000);
    let denied = unprivileged(|| wait(vault.list(""))).unwrap_err();
    assert!(matches!(denied, VaultError::Denied { .. }), "no shorter list: {denied:?}");
    for prefix in ["i/", "i/x/"] {
        let denied = unprivileged(|| wait(vault.list(prefix))).unwrap_err();
        assert!(matches!(denied, VaultError::Denied { .. }), "{prefix}: {denied:?}");
    }
    assert!(matches!(unprivileged(|| read(&vault, "i/a")), Err(VaultError::Denied { .. })));

    chmod(folder.path(), 0o000);
    assert!(matches!(unprivileged(|| absence(&vault)), Absence::Unreachable(_)));
    let away = unprivileged(|| open(folder.path())).unwrap_err();
    assert!(matches!(away, VaultError::Away { .. }));
}

#[test]
fn a_folder_that_cannot_be_written_is_opened_for_reading() {
    let folder = TempDir::new().unwrap();
    fs::create_dir(folder.path().join("i")).unwrap();
    fs::write(folder.path().join("i/a"), b"first").unwrap();
    for (path, mode) in [("i/a", 0o444), ("i", 0o555), (".", 0o555)] {
        chmod(&folder.path().join(path), mode);
    }
    let vault = unprivileged(|| open(folder.path())).unwrap();
    assert_eq!(unprivileged(|| read(&vault, "i/a")).unwrap().unwrap(), b"first");
    assert_eq!(unprivileged(|| wait(vault.list(""))).unwrap().len(), 1);
    let denied = unprivileged(|| put(&vault, "i/b", b"2")).unwrap_err();
    assert!(matches!(denied, VaultError::Denied { .. }), "{denied:?}");
    assert!(!folder.path().join(STAGING).exists());
    chmod(folder.path(), 0o777);
    chmod(&folder.path().join("i"), 0o777);
    assert_eq!(unprivileged(|| put(&vault, "i/b", b"2")).unwrap(), PutNew::Created);
}

/// A file system of its own, for as long as the test runs.
struct Mounted {
    at: PathBuf,
    _parent: TempDir,
}

impl Mounted {
    /// Nothing where this system lets us mount nothing.
    fn tmpfs(size: &str) -> Option<Mounted> {
        let parent = TempDir::new().unwrap();
        let at = parent.path().join("disk");
        fs::create_dir(&at).unwrap();
        let mounted = Mounted { at, _parent: parent };
        mounted.mount(size).then_some(mounted)
    }

    fn mount(&self, size: &str) -> bool {
        let options = CString::new(format!("size={size},mode=0700")).unwrap();
        let mounted = mount("none", &self.at, "tmpfs", MountFlags::empty(), &*options).is_ok();
        if !mounted {
            eprintln!("SKIPPED: this system mounts no tmpfs for a test; run it as root");
        }
        mounted
    }

    fn unmount(&self) -> bool {
        unmount(&self.at, UnmountFlags::empty()).is_ok()
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        self.unmount();
    }
}

#[test]
fn a_full_disk_is_full_and_shows_no_part_of_the_object() {
    let Some(disk) = Mounted::tmpfs("256k") else { return };
    let vault = open(&disk.at).unwrap();
    put(&vault, "i/a", b"first").unwrap();
    for round in 0..3 {
        let full = put(&vault, "i/large", &vec![1; 1 << 20]).unwrap_err();
        assert!(matches!(full, VaultError::Full { .. }), "{full:?}");
        assert!(full.hint().contains("free space"));
        assert_eq!(read(&vault, "i/large").unwrap(), None);
        assert_eq!(wait(vault.list("")).unwrap().len(), 1);
        assert_eq!(leftovers(&disk.at), 0, "round {round}: the space is given back");
    }
    assert_eq!(put(&vault, "i/fits", &[1; 100_000]).unwrap(), PutNew::Created);
    let mut filled = 0;
    while put(&vault, &format!("fill/{filled}"), &[1; 4096]).is_ok() {
        filled += 1;
    }
    assert!(filled > 3, "{filled}");
    let reopened = open(&disk.at).unwrap();
    assert_eq!(read(&reopened, "i/a").unwrap().unwrap(), b"first", "a full vault still reads");
    assert_eq!(wait(reopened.list("fill/")).unwrap().len(), filled);
    assert_eq!(put(&reopened, "i/a", b"first").unwrap(), PutNew::Exists);
}

#[test]
fn an_unmounted_disk_is_away_and_so_is_another_one_in_its_place() {
    let Some(disk) = Mounted::tmpfs("256k") else { return };
    let vault = open(&disk.at).unwrap();
    put(&vault, "i/a", b"first").unwrap();
    assert!(disk.unmount(), "no descriptor keeps an idle vault mounted");
    assert!(matches!(absence(&vault), Absence::Replaced));
    assert_eq!(fs::read_dir(&disk.at).unwrap().count(), 0, "the mount point stays empty");
    assert!(disk.mount("256k"));
    // The new file system may have the old one's numbers: then its lack of content gives it away.
    assert!(matches!(absence(&vault), Absence::Replaced | Absence::Emptied));
    assert_eq!(fs::read_dir(&disk.at).unwrap().count(), 0, "the other disk stays empty");
}

#[test]
fn a_read_only_disk_gives_back_and_takes_nothing() {
    let Some(disk) = Mounted::tmpfs("256k") else { return };
    let vault = open(&disk.at).unwrap();
    put(&vault, "i/a", b"first").unwrap();
    mount_remount(&disk.at, MountFlags::RDONLY, "").unwrap();
    for vault in [vault, open(&disk.at).unwrap()] {
        assert_eq!(read(&vault, "i/a").unwrap().unwrap(), b"first");
        assert_eq!(put(&vault, "i/a", b"first").unwrap(), PutNew::Exists);
        assert!(matches!(put(&vault, "i/b", b"2"), Err(VaultError::Denied { .. })));
    }
}
