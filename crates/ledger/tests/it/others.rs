//! The same logs, notes and proofs with the crates `signed_note` and `tlog_tiles`.
//!
//! Invariant: neither side is taken for right; where they differ, one of them is not C2SP.

use keystead_crypto::{NoteKey, Secret};
use keystead_ledger::{
    Checkpoint, Hash, Head, Note, NoteSignature, Origin, TileLevel, TileName, VerifierKey,
    hashes_from_tiles, leaf_hash, new_tiles, prove_consistency, prove_inclusion, tile_root,
    verify_consistency, verify_inclusion,
};
use signed_note::{StandardSigner, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::{HashReader, Tile};

const SEED: [u8; 32] = [5; 32];
const MOST: u64 = 140;

fn origin() -> Origin {
    Origin::new("ins_01/inc_02/nod_03").expect("lawful")
}

fn key() -> NoteKey {
    NoteKey::from_seed(Secret::from_slice(&SEED).expect("lawful"))
}

fn checkpoint(size: u64, root: Hash) -> Checkpoint {
    Checkpoint::new(Head { origin: origin(), size, root }).expect("lawful")
}

/// The hashes of a log of numbers, as theirs are stored and ours are asked for.
struct Hashes(Vec<tlog_tiles::Hash>);

impl Hashes {
    fn new(size: u64) -> Self {
        let mut made = Self(Vec::new());
        for at in 0..size {
            let new = tlog_tiles::stored_hashes(at, &at.to_be_bytes(), &made).expect("lawful");
            made.0.extend(new);
        }
        made
    }

    fn ours(&self, height: u8, index: u64) -> Option<Hash> {
        let at = tlog_tiles::stored_hash_index(height, index);
        self.0.get(usize::try_from(at).expect("lawful")).map(|hash| hash.0)
    }
}

impl HashReader for Hashes {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes.iter().map(|at| self.0[usize::try_from(*at).expect("lawful")]).collect())
    }
}

#[test]
fn their_verifier_takes_our_checkpoint_and_reads_the_same() {
    let made = checkpoint(300, [8; 32]);
    let note = made.sign(&key()).to_string();
    let theirs = signed_note::Note::from_bytes(note.as_bytes()).unwrap();
    let by = VerifierKey::of_log(&origin(), key().public()).to_string();
    let verifier = StandardVerifier::new(&by).unwrap();
    let known = VerifierList::new(vec![Box::new(verifier)]);
    let (verified, unverified) = theirs.verify(&known).unwrap();
    assert_eq!((verified.len(), unverified.len()), (1, 0));
    assert_eq!(theirs.to_bytes(), note.as_bytes());
    let read = tlog_tiles::Checkpoint::from_bytes(theirs.text()).unwrap();
    assert_eq!((read.origin(), read.size(), read.hash().0), (made.origin().as_str(), 300, [8; 32]));
    assert_eq!(read.to_bytes(), made.text().as_bytes());
}

#[test]
fn their_signer_makes_the_very_line_that_ours_makes() {
    let text = checkpoint(300, [8; 32]).text();
    let by = VerifierKey::of_log(&origin(), key().public());
    // Base64 of 0x01 and the seed, all of whose bytes are 5.
    let data = format!("AQUF{}", "BQUF".repeat(10));
    let signer = format!("PRIVATE+KEY+{}+{:08x}+{data}", origin(), by.id());
    let signer = StandardSigner::new(&signer).unwrap();
    let mut theirs = signed_note::Note::new(text.as_bytes(), &[]).unwrap();
    theirs.add_sigs(&[&signer]).unwrap();
    let ours = Note::new(&text, NoteSignature::sign(&text, (&origin()).into(), &key())).unwrap();
    assert_eq!(String::from_utf8(theirs.to_bytes()).unwrap(), ours.to_string());
}

#[test]
fn both_take_and_refuse_the_same_notes() {
    let line = checkpoint(3, [8; 32]).sign(&key()).signatures()[0].to_string();
    let note = format!("a\n\n{line}\n");
    for at in 0..note.len() {
        for byte in [b'\n', b' ', b'+', b'=', b'\r', 0, 0x7f, 0xff, b'A'] {
            let mut bytes = note.clone().into_bytes();
            bytes[at] = byte;
            let (ours, theirs) = (Note::parse(&bytes), signed_note::Note::from_bytes(&bytes));
            assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?}", String::from_utf8_lossy(&bytes));
        }
        let cut = &note.as_bytes()[..at];
        assert_eq!(Note::parse(cut).is_ok(), signed_note::Note::from_bytes(cut).is_ok(), "{at}");
    }
}

#[test]
fn roots_and_proofs_are_the_same() {
    let hashes = Hashes::new(MOST);
    let root = |size| tlog_tiles::tree_hash(size, &hashes).unwrap();
    let proof =
        |theirs: Vec<tlog_tiles::Hash>| theirs.iter().map(|hash| hash.0).collect::<Vec<_>>();
    for size in 1..=MOST {
        for at in 0..size {
            let ours = prove_inclusion(|h, i| hashes.ours(h, i), at, size).unwrap();
            let theirs = tlog_tiles::prove_record(size, at, &hashes).unwrap();
            assert_eq!(ours, proof(theirs.clone()), "{at} in {size}");
            let leaf = leaf_hash(&at.to_be_bytes());
            assert_eq!(verify_inclusion(&leaf, at, size, &root(size).0, &ours), Ok(()));
            let (their_leaf, their_root) = (tlog_tiles::Hash(leaf), root(size));
            tlog_tiles::check_record(&theirs, size, their_root, at, their_leaf).unwrap();
            let (older, was) = (at + 1, root(at + 1));
            let ours = prove_consistency(|h, i| hashes.ours(h, i), older, size).unwrap();
            let theirs = tlog_tiles::prove_tree(size, older, &hashes).unwrap();
            assert_eq!(ours, proof(theirs.clone()), "{older} to {size}");
            let taken = verify_consistency(older, &was.0, size, &their_root.0, &ours);
            assert_eq!(taken, Ok(()), "{older} to {size}");
            tlog_tiles::check_tree(&theirs, size, their_root, older, was).unwrap();
        }
    }
}

#[test]
fn tiles_have_the_same_names_bytes_and_growth() {
    let names = |older, size| {
        let hashes = |tile: &TileName| tile.level() != TileLevel::Entries;
        new_tiles(older, size).filter(hashes).map(|tile| tile.to_string()).collect::<Vec<_>>()
    };
    // Theirs have the height in their paths, as Go's do.
    let theirs = |tile: &Tile| tile.path().replace("tile/8/", "tile/");
    let sizes = [0u64, 1, 255, 256, 257, 1000, 65_535, 65_536, 70_000, 16_777_217];
    for (older, size) in sizes.iter().flat_map(|one| sizes.map(|other| (*one, other))) {
        if older <= size && size - older < 100_000 {
            let wanted: Vec<_> = Tile::new_tiles(8, older, size).iter().map(theirs).collect();
            assert_eq!(names(older, size), wanted, "{older} to {size}");
        }
    }
    for index in [0, 7, 999, 1000, 1_234_067, 999_999_999_999] {
        for width in [1u16, 255, 256] {
            let tile = TileName::new(TileLevel::Hashes(1), index, width).unwrap();
            let other = Tile::new(8, 1, index, width.into(), false);
            assert_eq!(tile.to_string(), theirs(&other));
        }
    }
    let hashes = Hashes::new(600);
    for other in Tile::new_tiles(8, 0, 600) {
        let tile: TileName = theirs(&other).parse().unwrap();
        let bytes = other.read_data(&hashes).unwrap();
        let read = tile.read_hashes(&bytes).unwrap();
        if tile.width() == 256 {
            let above = hashes.ours(8 * (other.level() + 1), tile.index());
            assert_eq!(Some(tile_root(&read)), above, "{tile}");
        }
    }
    let from_tiles = hashes_from_tiles(600, |tile| {
        let TileLevel::Hashes(level) = tile.level() else { return None };
        let other = Tile::new(8, level, tile.index(), tile.width().into(), false);
        tile.read_hashes(&other.read_data(&hashes).ok()?).ok()
    });
    let proof = prove_consistency(&from_tiles, 200, 600).unwrap();
    let theirs = tlog_tiles::prove_tree(600, 200, &hashes).unwrap();
    assert_eq!(proof, theirs.iter().map(|hash| hash.0).collect::<Vec<_>>());
}

#[test]
fn a_verifier_key_has_the_id_that_theirs_has() {
    let by = VerifierKey::of_log(&origin(), key().public());
    let theirs = StandardVerifier::new(&by.to_string()).unwrap();
    assert_eq!((theirs.name(), theirs.key_id()), (by.name().as_str(), by.id()));
}
