//! The documents, what they become, and how many of them come back.
//!
//! Invariant: the bytes that are compared in the end are those that were read in the beginning. A
//! sealed document is one JSON file that both clients write and read: `ciphertext` is what KMS made
//! of a small document; of a large one it is nonce ‖ AES-256-GCM ciphertext ‖ tag under the data
//! key that `data_key` holds encrypted, with the path as additional data.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt, fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::failure::Failure;

/// The most that KMS encrypts by itself, in bytes; what is larger takes a data key.
pub(crate) const DIRECT_BYTES: usize = 4096;

/// What one client brought back: document number to bytes.
pub(crate) type Recovered = BTreeMap<usize, Vec<u8>>;

/// A document under a key.
pub(crate) struct Document {
    /// Its number.
    pub(crate) number: usize,
    /// Its path in the repository: the encryption context.
    pub(crate) path: String,
    /// What it was when this began.
    pub(crate) bytes: Vec<u8>,
    /// The key's id.
    pub(crate) key: String,
    /// Which client encrypts it.
    pub(crate) is_for_boto3: bool,
    /// A copy for the other client.
    pub(crate) plain: PathBuf,
    /// What is kept of it.
    pub(crate) sealed: PathBuf,
}

impl Document {
    /// Every `.md` that git tracks below the working folder, spread over keys and clients.
    pub(crate) fn tracked(keys: &[String], folder: &Path) -> Result<Vec<Self>, Failure> {
        let mut documents = Vec::new();
        for path in tracked_paths()? {
            // One that is deleted and not yet committed as such is no document.
            let Ok(bytes) = fs::read(&path) else { continue };
            let number = documents.len();
            let plain = folder.join(format!("{number}.plain"));
            fs::write(&plain, &bytes).map_err(Failure::file(&plain))?;
            documents.push(Self {
                number,
                path,
                bytes,
                key: keys[number % keys.len()].clone(),
                // The shift gives both clients documents under every key.
                is_for_boto3: (number + number / keys.len()) % 2 == 1,
                plain,
                sealed: folder.join(format!("{number}.json")),
            });
        }
        if documents.len() < keys.len() {
            return Err(Failure::TooFew { documents: documents.len(), keys: keys.len() });
        }
        Ok(documents)
    }

    /// Where it lies encrypted under the registry's data key: nonce ‖ ciphertext ‖ tag.
    pub(crate) fn wrapped(&self) -> PathBuf {
        self.sealed.with_extension("wrapped")
    }
}

/// What came back, of what there was.
#[derive(Debug, PartialEq)]
pub(crate) struct Outcome {
    keys: usize,
    all_keys: usize,
    documents: usize,
    all_documents: usize,
}

impl Outcome {
    /// A document came back where every client gave its bytes; a key came back where it is listed,
    /// has documents, and every one of them came back.
    pub(crate) fn compare(
        keys: &[String],
        listed: &BTreeSet<String>,
        documents: &[Document],
        clients: &[Recovered],
    ) -> Self {
        let is_back = |document: &&Document| {
            clients.iter().all(|back| back.get(&document.number) == Some(&document.bytes))
        };
        let back: Vec<&Document> = documents.iter().filter(is_back).collect();
        let of = |all: &[&Document], key: &String| all.iter().filter(|d| d.key == *key).count();
        let all: Vec<&Document> = documents.iter().collect();
        let is_whole = |key: &&String| {
            listed.contains(*key) && of(&all, key) > 0 && of(&back, key) == of(&all, key)
        };
        Self {
            keys: keys.iter().filter(is_whole).count(),
            all_keys: keys.len(),
            documents: back.len(),
            all_documents: documents.len(),
        }
    }

    /// Whether nothing is missing.
    pub(crate) fn is_complete(&self) -> bool {
        self.keys == self.all_keys && self.documents == self.all_documents
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { keys, all_keys, documents, all_documents } = self;
        write!(f, "recovered: {keys} of {all_keys} keys, {documents} of {all_documents} documents")
    }
}

fn tracked_paths() -> Result<Vec<String>, Failure> {
    let failed = |said: String| Failure::Program { program: "git ls-files", said };
    let listed = Command::new("git").args(["ls-files", "-z", "*.md"]).output();
    let listed = listed.map_err(|source| failed(source.to_string()))?;
    if !listed.status.success() {
        return Err(failed(String::from_utf8_lossy(&listed.stderr).into_owned()));
    }
    let text = String::from_utf8(listed.stdout);
    let text = text.map_err(|_| failed("a path that is not UTF-8".to_owned()))?;
    Ok(text.split('\0').filter(|path| !path.is_empty()).map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(number: usize, key: &str) -> Document {
        Document {
            number,
            path: format!("{number}.md"),
            bytes: vec![0, 1, u8::try_from(number).unwrap()],
            key: key.to_owned(),
            is_for_boto3: false,
            plain: PathBuf::new(),
            sealed: PathBuf::new(),
        }
    }

    fn recovered(documents: &[Document]) -> Recovered {
        documents.iter().map(|d| (d.number, d.bytes.clone())).collect()
    }

    #[test]
    fn only_what_every_client_gave_back_byte_for_byte_counts() {
        let keys = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let all = || keys.iter().cloned().collect::<BTreeSet<_>>();
        let documents = [document(0, "a"), document(1, "a"), document(2, "b"), document(3, "c")];
        let whole = recovered(&documents);
        let outcome = |listed: &BTreeSet<String>, other: Recovered| {
            Outcome::compare(&keys, listed, &documents, &[whole.clone(), other])
        };
        let complete = outcome(&all(), whole.clone());
        assert!(complete.is_complete());
        assert_eq!(complete.to_string(), "recovered: 3 of 3 keys, 4 of 4 documents");
        let mut one_less = whole.clone();
        one_less.remove(&1);
        let lost = outcome(&all(), one_less);
        assert_eq!(lost.to_string(), "recovered: 2 of 3 keys, 3 of 4 documents");
        assert!(!lost.is_complete());
        let mut altered = whole.clone();
        altered.insert(2, vec![0]);
        assert_eq!(outcome(&all(), altered).documents, 3);
        let mut unlisted = all();
        unlisted.remove("c");
        let outcome = outcome(&unlisted, whole.clone());
        assert_eq!(outcome.to_string(), "recovered: 2 of 3 keys, 4 of 4 documents");
        assert!(!outcome.is_complete());
    }

    #[test]
    fn a_key_without_documents_is_not_proven() {
        let keys = ["a".to_owned(), "b".to_owned()];
        let listed = keys.iter().cloned().collect();
        let documents = [document(0, "a")];
        let outcome = Outcome::compare(&keys, &listed, &documents, &[recovered(&documents)]);
        assert_eq!(outcome.to_string(), "recovered: 1 of 2 keys, 1 of 1 documents");
    }
}
