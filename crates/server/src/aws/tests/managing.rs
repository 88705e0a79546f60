//! What the management of keys parses, refuses and writes.

use keystead_domain::{Alias, AliasId, BadKeyName, RotationSchedule};
use keystead_service::{AliasChange, AliasPage, KeyAspect, KeyChange, Run};

use super::*;
use crate::aws::{aliases, manage, members::Paging, policies, rotation, tags};

fn text(body: &Value) -> Vec<u8> {
    body.to_string().into_bytes()
}

fn paging(limit: usize, marker: Option<&str>) -> Paging {
    Paging { limit, marker: marker.map(str::to_owned) }
}

#[test]
fn management_takes_an_id_or_an_arn_and_no_alias() {
    let parse = |body: &[u8]| manage::simple(body, &account(), KeyChange::Enable);
    none_accepts(parse);
    for name in [KEY.to_owned(), arn()] {
        let command = parse(&text(&json!({"KeyId": name}))).unwrap();
        assert_eq!((command.key, command.change), (KeyName::Id(key_id()), KeyChange::Enable));
    }
    let alias = "arn:aws:kms:eu-central-1:123456789012:alias/phi";
    all_refused(
        parse,
        &[
            (json!({}), VALIDATION, "Value null at 'keyId'"),
            (json!({"KeyId": "alias/phi"}), NOT_FOUND, "Invalid keyId 'alias/phi'"),
            (json!({"KeyId": alias}), NOT_FOUND, "Invalid keyId 'arn:"),
        ],
    );
    let refused = manage::managed("alias/phi", &account()).unwrap_err();
    assert_eq!(refused, Unread::KeyName(BadKeyName::Malformed { text: "alias/phi".into() }));
}

#[test]
fn a_window_and_a_period_have_defaults_and_bounds() {
    let deletion = |body: &[u8]| manage::schedule_deletion(body, &account());
    let rotation = |body: &[u8]| manage::enable_rotation(body, &account());
    let bare = text(&json!({"KeyId": KEY}));
    let default = KeyChange::ScheduleDeletion { window_days: 30 };
    assert_eq!(deletion(&bare).unwrap().change, default);
    let default = KeyChange::EnableRotation { period_days: 365 };
    assert_eq!(rotation(&bare).unwrap().change, default);
    let days = |name: &str, days: i64| json!({"KeyId": KEY, name: days});
    for (days, lawful) in [(6, false), (7, true), (30, true), (31, false), (i64::MIN, false)] {
        let body = text(&json!({"KeyId": KEY, "PendingWindowInDays": days}));
        assert_eq!(deletion(&body).is_ok(), lawful, "{days}");
    }
    all_refused(
        rotation,
        &[
            (days("RotationPeriodInDays", 89), VALIDATION, "greater than or equal to 90"),
            (days("RotationPeriodInDays", 2561), VALIDATION, "less than or equal to 2560"),
            (json!({"KeyId": KEY, "RotationPeriodInDays": "90"}), SERIALIZATION, "STRING_VALUE"),
        ],
    );
}

#[test]
fn tags_are_read_whole_or_refused() {
    let tag = |body: &[u8]| manage::tag(body, &account());
    let untag = |body: &[u8]| manage::untag(body, &account());
    let body = json!({"KeyId": KEY, "Tags": [{"TagKey": "a", "TagValue": ""}]});
    let tags = [("a".to_owned(), String::new())].into();
    assert_eq!(tag(&text(&body)).unwrap().change, KeyChange::Tag { tags });
    let body = json!({"KeyId": KEY, "TagKeys": ["a", "b"]});
    let names = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(untag(&text(&body)).unwrap().change, KeyChange::Untag { names });
    all_refused(
        tag,
        &[
            (json!({"KeyId": KEY}), VALIDATION, "Value null at 'tags'"),
            (json!({"KeyId": KEY, "Tags": null}), VALIDATION, "Value null at 'tags'"),
            (json!({"KeyId": KEY, "Tags": [{"TagKey": "a"}]}), VALIDATION, "tagValue"),
        ],
    );
    all_refused(
        untag,
        &[
            (json!({"KeyId": KEY}), VALIDATION, "Value null at 'tagKeys'"),
            (json!({"KeyId": KEY, "TagKeys": [""]}), VALIDATION, "tagKeys.1.member"),
            (json!({"KeyId": KEY, "TagKeys": [1]}), SERIALIZATION, "NUMBER_VALUE"),
        ],
    );
}

#[test]
fn a_page_of_tags_begins_behind_its_marker() {
    let mut view = view(Vaulted::Yes);
    view.key.tags = ["a", "b", "ø"].map(|name| (name.to_owned(), name.to_owned())).to_vec();
    let first = read(tags::page(&view, &place(), &paging(2, None)));
    assert_eq!(
        (first["Tags"][1]["TagKey"].as_str(), &first["Truncated"]),
        (Some("b"), &json!(true))
    );
    let marker = first["NextMarker"].as_str().unwrap();
    let body = text(&json!({"KeyId": KEY, "Limit": 2, "Marker": marker}));
    let (command, next) = tags::list(&body, &account()).unwrap();
    assert_eq!(command.aspect, KeyAspect::Tags);
    let last = read(tags::page(&view, &place(), &next));
    assert_eq!(last, json!({"Tags": [{"TagKey": "ø", "TagValue": "ø"}], "Truncated": false}));
    let body = text(&json!({"KeyId": KEY, "Marker": "?"}));
    assert_eq!(refused(tags::list(&body, &account())).0, "InvalidMarkerException");
}

#[test]
fn an_alias_names_a_key_and_no_alias() {
    let create = |target| AliasChange::Create { target };
    let parse = |body: &[u8]| aliases::target(body, &account(), create);
    none_accepts(parse);
    let command = parse(&text(&json!({"AliasName": "alias/phi", "TargetKeyId": arn()}))).unwrap();
    assert_eq!(
        (command.name.as_str(), command.change),
        ("alias/phi", create(KeyName::Id(key_id())))
    );
    all_refused(
        parse,
        &[
            (json!({}), VALIDATION, "2 validation errors detected"),
            (
                json!({"AliasName": "a b", "TargetKeyId": KEY}),
                VALIDATION,
                "pattern: ^[a-zA-Z0-9:/_-]+$",
            ),
            (json!({"AliasName": "x".repeat(257), "TargetKeyId": KEY}), VALIDATION, "to 256"),
            (
                json!({"AliasName": "alias/a", "TargetKeyId": "alias/b"}),
                VALIDATION,
                "Aliases must refer to keys. Not aliases",
            ),
        ],
    );
    assert_eq!(aliases::delete(br#"{"AliasName":"alias/a"}"#).unwrap().change, AliasChange::Delete);
    let marker = json!({"Marker": "x"});
    assert_eq!(refused(aliases::list(&text(&marker), &account())).0, "InvalidMarkerException");
    let at = Timestamp::from_micros(1_763_780_400_250_000);
    let alias = Alias {
        id: AliasId::from_bytes([1; 16]),
        tenant: TenantId::from_bytes([4; 16]),
        name: "alias/phi".parse().unwrap(),
        target: key_id(),
        created_at: at,
        updated_at: at,
    };
    let page = AliasPage { aliases: vec![alias], next: Some("alias/phi".into()) };
    let want = json!({
        "Aliases": [{
            "AliasName": "alias/phi", "TargetKeyId": KEY,
            "AliasArn": "arn:aws:kms:eu-central-1:123456789012:alias/phi",
            "CreationDate": 1_763_780_400.25, "LastUpdatedDate": 1_763_780_400.25,
        }],
        "NextMarker": "alias/phi", "Truncated": true,
    });
    assert_eq!(read(aliases::page(&page, &place())), want);
}

#[test]
fn rotations_are_named_by_their_material_and_kind() {
    let mut view = view(Vaulted::Yes);
    let second = KeyVersion { number: 2, key_check: [2; 32], ..view.key.versions[0].clone() };
    let third = KeyVersion { number: 3, key_check: [3; 32], ..second.clone() };
    view.key.versions.extend([second, third]);
    view.key.on_demand = vec![3];
    let body = text(&json!({"KeyId": KEY, "IncludeKeyMaterial": "ALL_KEY_MATERIAL", "Limit": 2}));
    let (_, page, shown) = rotation::list(&body, &account()).unwrap();
    let all = read(rotation::rotations(&view, &place(), (&page, shown)));
    assert_eq!(all["NextMarker"], json!("2"));
    assert_eq!(all["Rotations"][0].get("RotationType"), None, "the first version is no rotation");
    assert_eq!(all["Rotations"][1]["RotationType"], json!("AUTOMATIC"));
    let (_, page, shown) = rotation::list(&text(&json!({"KeyId": KEY})), &account()).unwrap();
    let made = read(rotation::rotations(&view, &place(), (&page, shown)));
    let kinds: Vec<_> = made["Rotations"].as_array().unwrap().iter().collect();
    assert_eq!((kinds.len(), &kinds[1]["RotationType"]), (2, &json!("ON_DEMAND")));
    assert_eq!(
        (&kinds[0]["KeyMaterialState"], &kinds[1]["KeyMaterialState"]),
        (&json!("NON_CURRENT"), &json!("CURRENT"))
    );
    let marker = json!({"KeyId": KEY, "Marker": "two"});
    assert_eq!(refused(rotation::list(&text(&marker), &account())).0, "InvalidMarkerException");
}

#[test]
fn a_key_on_its_way_out_does_not_rotate() {
    let mut view = view(Vaulted::Yes);
    let off = json!({"KeyId": arn(), "KeyRotationEnabled": false});
    assert_eq!(read(rotation::rotation_status(&view, &place())), off);
    view.key.rotation = RotationSchedule::starting(90, Timestamp::from_micros(0));
    let on = read(rotation::rotation_status(&view, &place()));
    assert_eq!(
        (&on["RotationPeriodInDays"], &on["NextRotationDate"]),
        (&json!(90), &json!(7_776_000.0))
    );
    view.key.state = KeyState::Doomed { due: Timestamp::from_micros(5_000_000) };
    assert_eq!(read(rotation::rotation_status(&view, &place())), off);
    let change = KeyChange::ScheduleDeletion { window_days: 7 };
    let scheduled = json!({
        "KeyId": arn(), "KeyState": "PendingDeletion", "DeletionDate": 5.0, "PendingWindowInDays": 7,
    });
    assert_eq!(read(manage::scheduled(&view, &place(), &change)), scheduled);
}

#[test]
fn the_policy_is_the_default_one() {
    let policy = read(policies::policy(&view(Vaulted::Yes), &place()));
    let document: Value = serde_json::from_str(policy["Policy"].as_str().unwrap()).unwrap();
    let root = json!({"AWS": "arn:aws:iam::123456789012:root"});
    assert_eq!(document["Statement"][0]["Principal"], root);
    let read = |body: Value| policies::read(&text(&body), &account());
    let named = KeyAspect::Policy { name: "x".into() };
    assert_eq!(read(json!({"KeyId": KEY, "PolicyName": "x"})).unwrap().aspect, named);
    let marker = text(&json!({"KeyId": KEY, "Marker": "x"}));
    assert_eq!(refused(policies::list(&marker, &account())).0, "InvalidMarkerException");
}

#[test]
fn re_encrypt_reads_both_sides() {
    let parse = |body: &[u8]| uses::re_encrypt(body, &account());
    none_accepts(parse);
    let body = json!({
        "CiphertextBlob": "AA==", "SourceEncryptionContext": {"a": "1"}, "SourceKeyId": KEY,
        "DestinationKeyId": "alias/phi", "DestinationEncryptionContext": {"b": "2"}, "DryRun": true,
    });
    let command = parse(&text(&body)).unwrap();
    assert_eq!((command.source, command.run), (Some(KeyName::Id(key_id())), Run::Dry));
    assert_eq!(command.destination, KeyName::Alias("alias/phi".into()));
    assert_eq!((command.source_context.len(), command.destination_context["b"].as_str()), (1, "2"));
    all_refused(
        parse,
        &[
            (json!({}), VALIDATION, "2 validation errors detected"),
            (
                json!({"CiphertextBlob": "AA==", "DestinationKeyId": KEY, "GrantTokens": ["t"]}),
                "InvalidGrantTokenException",
                "",
            ),
        ],
    );
    let random = uses::generate_random;
    assert_eq!(random(br#"{"NumberOfBytes":1024}"#).unwrap().bytes, 1024);
    all_refused(
        random,
        &[
            (json!({}), VALIDATION, "Value null at 'numberOfBytes'"),
            (json!({"NumberOfBytes": 1025}), VALIDATION, "less than or equal to 1024"),
            (json!({"NumberOfBytes": 1, "CustomKeyStoreId": "x"}), UNSUPPORTED, "key stores"),
        ],
    );
}
