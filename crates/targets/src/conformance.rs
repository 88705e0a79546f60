//! What every form of vault must do: one suite that each form, here and in other crates, passes.
//!
//! Invariant: the suite uses nothing but the port, so a form that passes can replace any other.
//! Each check gets a fresh, empty vault.

use crate::{Listed, NameInvalid, ObjectName, PutNew, Vault, VaultError};
use futures_util::future::join_all;

/// Runs the whole suite; `make` gives a new empty vault each time (also an `Arc<dyn Vault>`).
///
/// # Panics
/// At the first promise that the form breaks.
pub async fn run<V: Vault>(make: impl AsyncFn() -> V) {
    an_empty_vault_lists_and_reads_nothing(&make().await).await;
    an_object_is_new_once(&make().await).await;
    several_objects_are_each_new_once(&make().await).await;
    what_was_put_reads_back(&make().await).await;
    a_listing_is_sorted_and_keeps_to_its_prefix(&make().await).await;
    a_listing_passes_over_the_folders_that_stand_apart(&make().await).await;
    what_lacks_is_named(&make().await).await;
    a_prefix_that_is_none_is_refused(&make().await).await;
    the_longest_names_are_held(&make().await).await;
    one_of_many_concurrent_puts_creates(&make().await).await;
    concurrent_puts_of_many_names_all_create(&make().await).await;
    the_vault_says_where_it_is(&make().await);
}

async fn an_empty_vault_lists_and_reads_nothing(vault: &dyn Vault) {
    assert_eq!(list(vault, "").await, []);
    assert_eq!(list(vault, "absent/folder/").await, []);
    assert_eq!(read(vault, "absent").await, None);
    assert_eq!(read(vault, "absent/folder/object").await, None);
}

async fn an_object_is_new_once(vault: &dyn Vault) {
    assert_eq!(put(vault, "i/a", b"first").await, PutNew::Created);
    assert_eq!(put(vault, "i/a", b"first").await, PutNew::Exists, "the same bytes again");
    assert_eq!(put(vault, "i/a", b"other").await, PutNew::Exists, "other bytes of one length");
    assert_eq!(put(vault, "i/a", b"").await, PutNew::Exists, "no bytes");
    assert_eq!(put(vault, "i/a", &[7; 100_000]).await, PutNew::Exists, "many bytes");
    assert_eq!(read(vault, "i/a").await.as_deref(), Some(&b"first"[..]), "unchanged");
    assert_eq!(list(vault, "").await, [listed("i/a", 5)], "and no second version");
}

async fn several_objects_are_each_new_once(vault: &dyn Vault) {
    let object = |name: &str, bytes: &[u8]| -> (ObjectName, std::sync::Arc<[u8]>) {
        (name.parse().expect("a name"), bytes.into())
    };
    let put_all = async |objects: &[_]| vault.put_all(objects).await.expect("all are put");
    assert_eq!(put_all(&[]).await, []);
    assert_eq!(put(vault, "i/b/2", b"before").await, PutNew::Created);
    let objects = [
        object("i/a", b"1"),
        object("i/b/1", &[7; 100_000]),
        object("i/b/2", b"2"),
        object("i/b/c/3", b""),
        object("i/a", b"again"),
    ];
    let puts = put_all(&objects).await;
    let (new, old) = (PutNew::Created, PutNew::Exists);
    assert_eq!(puts, [new, new, old, new, old], "each as if it were put alone");
    assert_eq!(read(vault, "i/a").await.as_deref(), Some(&b"1"[..]), "unchanged");
    assert_eq!(read(vault, "i/b/2").await.as_deref(), Some(&b"before"[..]), "unchanged");
    let all =
        [listed("i/a", 1), listed("i/b/1", 100_000), listed("i/b/2", 6), listed("i/b/c/3", 0)];
    assert_eq!(list(vault, "").await, all);
    assert_eq!(put_all(&objects).await, [old; 5], "and no second time");
}

async fn what_was_put_reads_back(vault: &dyn Vault) {
    let large: Vec<u8> = (0_u32..5 * 1024 * 1024 / 4).flat_map(u32::to_le_bytes).collect();
    let every_byte: Vec<u8> = (0..=255).collect();
    for (name, bytes) in [("i/none", &[][..]), ("i/each", &every_byte), ("i/large", &large)] {
        assert_eq!(put(vault, name, bytes).await, PutNew::Created);
        let back = read(vault, name).await;
        assert!(back.as_deref() == Some(bytes), "`{name}` reads back as it was put");
    }
    let all = [listed("i/each", 256), listed("i/large", 5 << 20), listed("i/none", 0)];
    assert_eq!(list(vault, "i/").await, all);
    assert_eq!(read(vault, "i/Large").await, None, "names are compared byte by byte");
}

async fn a_listing_is_sorted_and_keeps_to_its_prefix(vault: &dyn Vault) {
    let names = ["b/10", "b/9", "a-b", "a/x/2", "a/x/1", "ab/x", "a.b", "a/y", "B", "a/x-1"];
    for name in names {
        assert_eq!(put(vault, name, b"1").await, PutNew::Created);
    }
    for prefix in ["", "a/", "a/x/", "ab/", "b/", "x/", "a/x/1/", "A/"] {
        let mut expected: Vec<&str> = names.into_iter().filter(|n| n.starts_with(prefix)).collect();
        expected.sort_unstable();
        let expected: Vec<Listed> = expected.into_iter().map(|name| listed(name, 1)).collect();
        assert_eq!(list(vault, prefix).await, expected, "prefix `{prefix}`");
    }
}

async fn a_listing_passes_over_the_folders_that_stand_apart(vault: &dyn Vault) {
    for name in ["i/a", "i/b/log/1", "i/b/log/c/2", "i/b/logs/3", "i/b/4", "i/log"] {
        put(vault, name, b"1").await;
    }
    for (prefix, left) in [
        ("", &["i/a", "i/b/4", "i/b/logs/3", "i/log"][..]),
        ("i/b/", &["i/b/4", "i/b/logs/3"]),
        // Whoever names the folder itself wants what is in it.
        ("i/b/log/", &["i/b/log/1", "i/b/log/c/2"]),
    ] {
        let listed: Vec<String> = vault
            .list_apart(prefix, &["log"])
            .await
            .unwrap_or_else(|error| panic!("list of `{prefix}`: {error:?}"))
            .into_iter()
            .map(|listed| listed.name.to_string())
            .collect();
        assert_eq!(listed, left, "prefix `{prefix}`");
    }
    assert!(vault.list_apart("i", &["log"]).await.is_err(), "no prefix");
}

async fn what_lacks_is_named(vault: &dyn Vault) {
    for name in ["i/a", "i/b/c/1", "i/b/c/3", "i/d/1"] {
        put(vault, name, b"1").await;
    }
    let lacking = async |names: &[&str]| {
        let names: Vec<ObjectName> = names.iter().map(|name| named(name)).collect();
        vault.lacking(&names).await.expect("a vault that answers knows what it lacks")
    };
    assert_eq!(lacking(&[]).await, []);
    let held = ["i/a", "i/b/c/1", "i/b/c/3", "i/d/1"];
    assert_eq!(lacking(&held).await, []);
    let (asked, none) = (
        ["h/1", "i/a", "i/b", "i/b/c/1", "i/b/c/2", "i/b/c/3/4", "i/c/1", "i/d/1", "i/d/2"],
        ["h/1", "i/b", "i/b/c/2", "i/b/c/3/4", "i/c/1", "i/d/2"].map(named),
    );
    assert_eq!(lacking(&asked).await, none, "folders hold none, and no object is a folder");
    let (unsorted, none) = (["i/d/1", "i/x", "i/a", "i/b/c/0", "i/x"], ["i/x", "i/b/c/0", "i/x"]);
    assert_eq!(lacking(&unsorted).await, none.map(named), "in the order of the question");
}

async fn a_prefix_that_is_none_is_refused(vault: &dyn Vault) {
    assert_eq!(put(vault, "a/b", b"1").await, PutNew::Created);
    for prefix in ["a", "/", "a//", "../", "./", "a/../", ".tmp/", "a b/"] {
        let answer = vault.list(prefix).await;
        assert!(matches!(answer, Err(VaultError::PrefixInvalid { .. })), "prefix `{prefix}`");
    }
    let unended = vault.list("a").await;
    let Err(VaultError::PrefixInvalid { source: NameInvalid::PrefixUnended, .. }) = unended else {
        panic!("an unended prefix is named as such");
    };
}

async fn the_longest_names_are_held(vault: &dyn Vault) {
    let segment = "s".repeat(255);
    let longest = format!("{segment}/{}/x", &segment[..254]);
    for (name, size) in [("x", 0), (segment.as_str(), 1), ("-_.0/A..B", 2)] {
        let name = format!("n/{name}");
        assert_eq!(put(vault, &name, &[9; 2][..size]).await, PutNew::Created);
        assert_eq!(read(vault, &name).await.map(|bytes| bytes.len()), Some(size));
    }
    assert_eq!(put(vault, &longest, b"1").await, PutNew::Created);
    assert_eq!(list(vault, &format!("{segment}/")).await, [listed(&longest, 1)]);
}

async fn one_of_many_concurrent_puts_creates(vault: &dyn Vault) {
    for round in 0..8 {
        let text = format!("race/{round}/object");
        let bodies: Vec<Vec<u8>> = (0..8).map(|writer| vec![writer; 10_000]).collect();
        let outcomes = join_all(bodies.iter().map(|body| put(vault, &text, body))).await;
        let created: Vec<usize> =
            (0..8).filter(|writer| outcomes[*writer] == PutNew::Created).collect();
        assert_eq!(created.len(), 1, "exactly one of eight writers creates: {outcomes:?}");
        assert!(read(vault, &text).await.as_ref() == Some(&bodies[created[0]]), "and it is its");
    }
}

async fn concurrent_puts_of_many_names_all_create(vault: &dyn Vault) {
    let names: Vec<String> = (10..42).map(|n| format!("many/{}/{n}", n % 3)).collect();
    let outcomes = join_all(names.iter().map(|text| put(vault, text, text.as_bytes()))).await;
    assert!(outcomes.iter().all(|outcome| *outcome == PutNew::Created), "{outcomes:?}");
    let bodies = join_all(names.iter().map(|text| read(vault, text))).await;
    assert!(names.iter().zip(bodies).all(|(name, body)| body.as_deref() == Some(name.as_bytes())));
    assert_eq!(list(vault, "many/").await.len(), names.len());
}

fn the_vault_says_where_it_is(vault: &dyn Vault) {
    let url = vault.url().to_string();
    assert_eq!(url.parse().as_ref(), Ok(vault.url()), "its place is displayed so that it parses");
    let domain = vault.domain().expect("a vault that answers knows its failure domain");
    assert_eq!(domain.to_string().parse(), Ok(domain));
}

fn named(text: &str) -> ObjectName {
    text.parse().expect("the suite uses valid names")
}

fn listed(text: &str, bytes: u64) -> Listed {
    Listed { name: named(text), bytes, versions: 1 }
}

async fn put(vault: &dyn Vault, name: &str, bytes: &[u8]) -> PutNew {
    let answer = vault.put_new(&named(name), bytes).await;
    answer.unwrap_or_else(|error| panic!("put of `{name}`: {error:?}"))
}

async fn read(vault: &dyn Vault, name: &str) -> Option<Vec<u8>> {
    let answer = vault.read(&named(name)).await;
    answer.unwrap_or_else(|error| panic!("read of `{name}`: {error:?}"))
}

async fn list(vault: &dyn Vault, prefix: &str) -> Vec<Listed> {
    let answer = vault.list(prefix).await;
    answer.unwrap_or_else(|error| panic!("list of `{prefix}`: {error:?}"))
}
