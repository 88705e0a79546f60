//! The old node still runs while somebody restores: it is fenced, and nothing that it then says is
//! acknowledged.

use crate::world::{World, create_key, decrypt, encrypt, exception, list_keys};

#[test]
fn a_node_that_still_runs_during_a_restore_is_fenced_by_its_next_write() {
    let world = World::new();
    let old = world.serve();
    let key = create_key(&world.kms(&old)).unwrap();
    let blob = encrypt(&world.kms(&old), &key, "before").unwrap();
    let restored = world.restored(&world.restore());
    assert_eq!(restored.answer["keys"], 1);
    let (status, code, message) = exception(create_key(&world.kms(&old)));
    assert_eq!(status, 500, "{code}: {message}");
    for use_ in [decrypt(&world.kms(&old), &blob), encrypt(&world.kms(&old), &key, "after")] {
        let (status, code, message) = exception(use_);
        assert_eq!((status, code.as_str()), (500, "KeyUnavailableException"));
        assert!(message.contains("this node is fenced"), "{message}");
    }
    let state = world.status(&old)["state"].as_str().unwrap().to_owned();
    assert!(state.starts_with("fenced: "), "{state}");
    assert_eq!(decrypt(&restored.kms(), &blob).unwrap(), "before");
    assert_eq!(list_keys(&restored.kms()), [key].into());
    old.kill();
    let none: [&str; 0] = [];
    let again = world.machine.serve(&world.at("one/data"), &world.at("one/passphrase"), &none);
    let refused = again.unwrap_err().to_string();
    assert!(refused.contains("hint: another node took over"), "{refused}");
    create_key(&restored.kms()).unwrap();
}
