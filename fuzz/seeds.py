"""Writes the seed corpora: `python -B fuzz/seeds.py`, in the environment of tests/reference.

What vectors exist for is taken from tests/vectors; the rest is written here, small and readable.
Every seed is what its parser takes, or is one step away from it.
"""

import base64
import datetime
import hashlib
import hmac
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests" / "reference"))

from keystead_reader import codec, envelope, frame, hpke, segment  # noqa: E402
from keystead_reader.codec import prefixed, u8, u16, u32, u64  # noqa: E402

MADE_AT = 1_763_780_400_000_000
CONFIG = """[instance]
data_dir = "/var/lib/keystead"
passphrase = "file:/etc/keystead/passphrase"

[serve]
listen = "127.0.0.1:7700"
max_unfenced = "1h"
arena = "4MiB"

[log]
level = "info"
"""


def vectors(name, group="vectors"):
    return json.loads((HERE.parent / "tests" / "vectors" / f"{name}.json").read_text())[group]


def good(name, group="vectors"):
    return [case for case in vectors(name, group) if not case.get("refused")]


def write(target, **seeds):
    folder = HERE / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in seeds.items():
        file = folder / name.replace("_", "-")
        file.write_bytes(data.encode() if isinstance(data, str) else data)


def raw(number, length=16):
    return bytes([number]) * length


def i64(number):
    return number.to_bytes(8, signed=True)


def listed(items):
    return u32(len(items)) + b"".join(items)


def text(value):
    return prefixed(value.encode())


def archive():
    copy, table = good("key-copy")[0], good("slot-table")[0]
    part, point = good("segment")[0], good("recovery-point")[1]
    objects = {"key_copy": copy["object"], "slot_table": table["object"],
               "epoch": table["epoch_record"], "segment": part["object"], "point": point["object"]}
    objects = {name: bytes.fromhex(data) for name, data in objects.items()}
    objects["certificate"] = certificate(objects["key_copy"])
    opening = raw(1) + raw(2) + u64(2) + u8(1) + raw(3) + u64(9) + raw(4, 32) + i64(MADE_AT)
    closing = raw(1) + raw(2) + u64(10) + raw(5) + i64(MADE_AT)
    vault = raw(1) + raw(6) + text("device:7") + i64(MADE_AT)
    recipient = u8(2) + raw(7) + raw(8, 32) + text("safe")
    records = {"opening": (9, opening), "closing": (10, closing), "vault": (2, vault),
               "recipients": (4, raw(1) + u64(1) + listed([recipient]))}
    for name, (number, header) in records.items():
        objects[name] = signed(number, header)
    write("vault-object", **objects)
    kit = bytes.fromhex(good("kit")[0]["kit"])
    write("kit", whole=kit, without_checksum=kit[:-32],
          body=frame.parse(kit, frame.KIT).body[:-32])
    write("kit-qr", whole=base45(kit), short="UJCLQE7W581")
    printed = vectors("kit", "printed")
    write("printed-secret", **{case["name"].replace(" ", "_"): case["text"] for case in printed})
    entries = {"entry": entry(part), "point_entry": entry(point), "list": content(part)}
    write("segment-entry", **entries)
    instance, incarnation = "ins_" + "01" * 16, "inc_" + "02" * 16
    names = ["vault", f"epoch/epo_{'03' * 16}", f"recipients/{7:020}",
             f"slots/epo_{'03' * 16}/{2:020}", f"{incarnation}/opening", f"{incarnation}/{17:020}",
             f"key/key_{'04' * 16}/ver_{'05' * 8}/epo_{'03' * 16}",
             f"{incarnation}/point/{1:020}", f"{incarnation}/ledger/nod_{'06' * 16}/checkpoint/9"]
    write("object-name", **{f"n{at}": f"{instance}/{name}" for at, name in enumerate(names)})


def signed(number, header):
    signature = u16(1) + u8(0) + prefixed(raw(9, 64))
    return frame.MAGIC + u16(number) + u16(1) + prefixed(header) + listed([signature])


def certificate(key_copy):
    reader = frame.parse(key_copy, frame.KEY_COPY).header_reader()
    reader.raw(16 + 16 + 1 + 16 + 8 + 4 + 2 + 16 + 32 + 32 + 8)
    return reader.bytes()


def opened(case):
    sealed = segment.read(bytes.fromhex(case["object"]), bytes.fromhex(case["root_key"]))
    key = hpke.open_box(bytes.fromhex(case["epoch_seed"]), hpke.CONTENT_KEY,
                        sealed.content_key_place, sealed.content_key)
    return sealed, envelope.open_stream(key, sealed.frame.binding_hash, sealed.frame.body)


def content(case):
    return opened(case)[1]


def entry(case):
    """The plaintext of the last tenant's entry."""
    sealed, listing = opened(case)
    reader = codec.Reader(listing)
    tenant, inner = reader.list(lambda: (reader.raw(16), reader.bytes()))[-1]
    named = envelope.named_version(inner)
    key = next(key for key in case["backup_keys"] if bytes.fromhex(key["key"]) == named[0])
    kind = "segment" if sealed.header.kind == segment.SEGMENT else "point"
    header = sealed.header
    row = header.instance + header.incarnation + u64(header.sequence)
    aad = envelope.sealed_aad(tenant, kind, row, 0)
    return envelope.open_envelope(inner, envelope.ENTRY, bytes.fromhex(key["raw"]), *named, aad)


def base45(data):
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
    out = ""
    for at in range(0, len(data), 2):
        pair = data[at:at + 2]
        value = int.from_bytes(pair)
        for _ in range(len(pair) + 1):
            out += alphabet[value % 45]
            value //= 45
    return out


def crypto():
    message = bytes.fromhex(good("ciphertext", "messages")[1]["ciphertext"])
    value = bytes.fromhex(good("ciphertext", "sealed_values")[0]["sealed"])
    box = vectors("ciphertext", "boxes")[0]
    stream = vectors("ciphertext", "streams")["short"][1]["sealed"]
    write("sealed", message=message, value=value, box=bytes.fromhex(box["sealed"]),
          public=bytes.fromhex(box["public"]), stream=bytes.fromhex(stream))
    header = b"KSTDSEAL" + u16(1) + raw(1) + u32(65_536) + u32(3) + u32(1) + raw(2, 32)
    roots = raw(3) + raw(4, 8) + raw(5, 32) + raw(6, 32) + listed([raw(7) + raw(8, 32)])
    slot = header + raw(9, 107 + len(roots))
    write("seal-slot", whole=slot + hashlib.sha256(slot).digest(), without_checksum=slot,
          roots=roots)
    write("request", post=request("POST", "/", '{"KeyId":"alias/a"}'),
          get=request("GET", "/v1/keys?after=a%20b&limit=9", ""),
          bare="GET /v1/status\nhost:127.0.0.1:7700\n\n")


def request(method, target, body):
    """A request as the oracle reads one, signed with a key that nobody has."""
    path, _, query = target.partition("?")
    now = datetime.datetime(2026, 11, 22, 3).strftime("%Y%m%dT%H%M%SZ")
    headers = {"host": "127.0.0.1:7700", "x-amz-date": now}
    hashed = hashlib.sha256(body.encode()).hexdigest()
    lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
    canonical = f"{method}\n{path}\n{query}\n{lines}\nhost;x-amz-date\n{hashed}"
    scope = f"{now[:8]}/eu-1/kms/aws4_request"
    signature = hmac.digest(b"nobody's", canonical.encode(), "sha256").hex()
    line = (f"authorization:AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/{scope}, "
            f"SignedHeaders=host;x-amz-date, Signature={signature}\n")
    return f"{method} {target}\n{lines}{line}\n{body}"


def domain():
    key_id, version_id = "key_" + "0a" * 16, "ver_" + "0b" * 8
    write("id", key=key_id, version=version_id)
    write("time", seconds="2026-11-22T03:00:00Z", micros="2026-11-22T03:00:00.000001Z",
          zone="2026-11-22T03:00:00+01:00", first="-009999-01-02T01:59:59Z")
    uuid = "0a0a0a0a-0a0a-0a0a-0a0a-0a0a0a0a0a0a"
    arn = "arn:aws:kms:eu-1:123456789012"
    write("key-name", id=key_id, uuid=uuid, arn=f"{arn}:key/{uuid}", alias="alias/app/db",
          alias_arn=f"{arn}:alias/app/db", account="123456789012")
    version = raw(1, 8) + u32(1) + i64(MADE_AT) + raw(2) + raw(3, 32) + raw(4, 32)
    own = raw(5) + listed([version])
    vaults = listed([raw(6) + text("dir:///a"), raw(7) + text("dir:///b")])
    instance = (u16(1) + raw(1) + text("123456789012") + raw(8, 32) + raw(2) + u64(1) + raw(3)
                + raw(4) + raw(5) + u32(2) + vaults + raw(0, 32))
    key = (u16(1) + raw(9) + raw(4) + u16(1) + text("PHI") + text("patients") + i64(MADE_AT)
           + u8(1) + i64(MADE_AT) + u8(1) + i64(MADE_AT) + listed([version, version])
           + listed([text("team") + text("a")]) + u8(1) + u16(365) + i64(MADE_AT)
           + listed([u32(2)]))
    alias = (u16(1) + raw(1) + raw(4) + text("alias/app/db") + raw(9) + i64(MADE_AT)
             + i64(MADE_AT))
    access = (u16(1) + text("AKIDEXAMPLEEXAMPLE00") + raw(1) + text("admin") + raw(2)
              + i64(MADE_AT) + raw(3, 8))
    kit = (u16(1) + raw(1) + prefixed(raw(2, 64)) + raw(3, 32) + i64(MADE_AT) + u8(0)
           + u8(1) + raw(4) + i64(MADE_AT))
    tenant = u16(1) + raw(1) + text("default") + i64(MADE_AT) + 4 * own
    write("body", instance=instance, key=key, access_key=access, kit=kit, tenant=tenant,
          alias=alias)


def ledger():
    cases = [case for case in vectors("ledger-leaf", "cases") if "error" not in case]
    short = {case["name"]: bytes.fromhex(case["bytes"]) for case in cases
             if len(case["bytes"]) < 1_000}
    write("leaf", **short)
    origin = f"ins_{'01' * 16}/inc_{'02' * 16}/nod_{'03' * 16}"
    tree = u64(5) + listed([raw(1, 32), raw(2, 32)])
    write("head", head=text(origin) + u64(5) + raw(1, 32), tree=tree, origin=origin)
    log()
    proofs()
    leaves = [short["node_started_with_every_option_absent"],
              short["state_first_commit_first_event"]]
    header = (b"keystead-journal" + u8(1) + text(origin) + u64(0) + u32(0) + u64(0)
              + u16(65_535) + bytes(32))
    write("journal-file", header=chained(header, []), whole=chained(header, leaves))
    node, state = short_node(), short_state()
    write("journal-entries",
          node=u8(2 + 4 * len(node)) + node + u8(0 + 4 * 1) + b"1",
          state=u8(2 + 4 * len(state)) + state, torn=u8(1 + 4 * 3) + b"abc")


def log():
    """Checkpoints, tiles and proofs: the shortest of what the vectors take."""
    note = good("ledger", "notes")[0]["note"]
    checkpoint = good("ledger", "checkpoints")[0]["note"]
    keys = good("ledger", "verifier_keys")
    write("note", note=note, checkpoint=checkpoint, text=checkpoint.split("\n\n")[0] + "\n",
          cosigned=good("ledger", "cosignatures")[1]["note"], line=note.split("\n")[-2],
          verifier_key=keys[0]["text"], witness_key=keys[1]["text"])
    files = {f"{kind}": case["name"].encode() + b"\n" + bytes.fromhex(case["bytes"])
             for kind, group in (("hashes", "hash_tiles"), ("bundle", "bundles"))
             for case in good("ledger", group)}
    names = {f"n{at}": case["name"] for at, case in enumerate(good("ledger", "names"))}
    write("tile", **files, **names, checkpoint="checkpoint/300")
    for group, number in (("inclusion", "index"), ("consistency", "older_size")):
        for at, case in enumerate(good("ledger", group)):
            hashes = b"".join(bytes.fromhex(each) for each in case["proof"])
            write("log-proof", **{f"{group}_{at}": u64(case[number]) + u64(case["size"]) + hashes})


def proofs():
    """A proof of one event, its extra data, and an export of one event."""
    base = json.loads((HERE.parent / "tests" / "vectors" / "ledger.json").read_text())["base"]
    entry, note = bytes.fromhex(base["entries"][0]), base["newer"]
    certificate = b"certificate"
    plain = u8(1) + prefixed(entry) + prefixed(certificate) + u8(0)
    older = (u8(1) + prefixed(entry) + prefixed(certificate) + u8(1)
             + prefixed(base["older"].encode()) + prefixed(certificate) + listed([raw(1, 32)]))

    def proof(extra):
        hashes = "".join(base64.b64encode(raw(at, 32)).decode() + "\n" for at in (1, 2))
        extra = base64.b64encode(extra).decode()
        return f"c2sp.org/tlog-proof@v1\nextra {extra}\nindex 0\n{hashes}\n{note}"
    write("tlog-proof", plain=proof(plain), older=proof(older), extra=older)
    write("witness", request=f"old 0\n\n{note}", answer=note.split("\n\n")[-1],
          proof="old 5\n" + base64.b64encode(raw(1, 32)).decode() + f"\n\n{note}")
    head = text(base["origin"]) + u64(9) + raw(3, 32)
    state = b"keystead-witness" + u8(1) + text("w.example") + raw(4, 32) + listed([head])
    write("witness-state", one=state + hashlib.sha256(state).digest())
    lines = [{"format": "keystead-audit-export", "version": 1, "root_public_key": "07" * 32,
              "whole": True, "logs": 1},
             {"log": base["origin"], "entries": 1, "checkpoint": note,
              "certificate": base64.b64encode(certificate).decode(), "events": 1},
             {"index": 0, "leaf": base64.b64encode(entry).decode(),
              "event": {"kind": "node"}}, {"end": True, "events": 1}]
    lines = [json.dumps(line, separators=(",", ":"), ensure_ascii=False) for line in lines]
    write("audit-export", whole="\n".join(lines) + "\n", first=lines[0] + "\n",
          log="\n".join(lines[:2]) + "\n")


def short_node():
    return (u8(1) + u8(3) + i64(MADE_AT) + u8(0) + u8(0) + u8(0) + u8(3) + text("A") + u8(0) + u8(0)
            + u8(0) + u8(0) + u32(0))


def short_state():
    return (u8(1) + u8(2) + u64(1) + u16(0) + i64(MADE_AT) + u8(1) + raw(1) + u8(0) + u8(0) + u8(2)
            + text("A") + u8(0) + u8(0) + u8(0) + u8(0) + u32(0))


def chained(header, leaves):
    """A journal file whose checks are right."""
    check = hashlib.sha256(header).digest()
    data = header + check
    for leaf in leaves:
        inner = hashlib.sha256(b"\x00" + leaf).digest()
        check = hashlib.sha256(check + b"\x01" + inner).digest()
        data += b"\x01" + prefixed(leaf) + check
    mark = u64(len(leaves))
    return data + b"\x02" + mark + check + hashlib.sha256(check + b"\x02" + mark).digest()


def store():
    sealed = u8(1) + u16(1) + raw(1) + raw(2, 8) + raw(3, 80)
    aggregate = u16(3) + raw(4)
    put = aggregate + raw(5) + u8(1) + u64(1) + prefixed(sealed) + listed([u8(1) + text("alias/a")])
    delete = u16(4) + raw(6) + raw(5) + u64(2)
    guard = aggregate + u8(0)
    change = (u16(1) + raw(7) + i64(MADE_AT) + listed([put]) + listed([delete]) + listed([guard])
              + listed([prefixed(b"event")]) + listed([text("ship") + prefixed(b"now")])
              + listed([raw(8, 8)]))
    write("change-set", whole=change, empty=u16(1) + raw(7) + i64(MADE_AT) + 6 * u32(0))


def targets():
    write("vault-url", plain="dir:///var/vault", domain="dir:///a?domain=site%20b",
          escaped="dir:///a%25b/c%3Fd", slash="dir:///a/")
    write("vault-name", name="ins_01/inc_02/00000000000000000001", declared="declared:site b",
          device="device:2049", dots="a/.b/../c")
    log = HERE.parent / "crates/targets/src/access_log/tests/audit.log"
    at = "msg=audit(1795668236.913:14):"
    write("access-log", real=log.read_bytes(),
          small=f'type=SYSCALL {at} arch=c000003e syscall=257 success=yes a0=4 a2=241 uid=1 '
                f'exe="/a" key="vault"\ntype=CWD {at} cwd="/"\n'
                f'type=PATH {at} name=2F7661756C742F78 nametype=CREATE\ntype=EOE {at}\n',
          ended=f'type=CONFIG_CHANGE {at} auid=1 op=remove_rule key="vault" list=4 res=1')


def server():
    write("json", object='{"a":[1,2.5,null,true],"b":{"c":"\\u00e4"}}', twice='{"a":1,"a":2}',
          deep="[" * 9 + "]" * 9, text='"a"')
    write("form", form="Action=GetCallerIdentity&Version=2011-06-15", escaped="a=%C3%A4&b=c+d",
          twice="a=1&a=2")
    write("aws",
          create='{"Description":"d","Tags":[{"TagKey":"a","TagValue":"b"}]}',
          encrypt='{"KeyId":"alias/a","Plaintext":"aGk=","EncryptionContext":{"a":"b"}}',
          decrypt='{"CiphertextBlob":"aGk=","EncryptionContext":{},"GrantTokens":[]}',
          data_key='{"KeyId":"key_' + "0a" * 16 + '","KeySpec":"AES_256","DryRun":true}',
          list='{"Limit":100,"Marker":"bWFya2Vy"}',
          sts="Action=GetCallerIdentity&Version=2011-06-15")
    key = "key_" + "0a" * 16
    proof = '{"challenge":"' + "00" * 32 + '","answer":"' + "00" * 64 + '"}'
    write("api", list=f"/v1/keys?limit=9&after={key}\n",
          create='/v1/keys\n{"description":"d","purpose":"PHI","tags":{"a":"b"}}',
          encrypt=f'/v1/keys/{key}/encrypt\n{{"plaintext":"aGk=","context":{{"a":"b"}}}}',
          decrypt=f'/v1/keys/{key}/decrypt\n{{"ciphertext":"aGk="}}',
          prove=f"/v1/kits/kit_{'0b' * 16}/proofs\n{proof}")


def binary():
    write("head-text", first=f"inc_{'01' * 16}.0.{'ab' * 16}",
          later=f"inc_{'01' * 16}.17.{'cd' * 16}")
    exports = {case["name"]: case["file"] for case in good("wrap-export")}
    write("wrap-export", a_line=exports["six records"].splitlines()[1],
          **{name.replace(" ", "_"): exports[name] for name in ("six records", "no record",
                                                                "one record")})
    write("config", whole=CONFIG, wrong='[serve]\nlisten = 7700\n', umlaut='[log]\nlevel = "\u00e4')


def main():
    for area in (archive, crypto, domain, ledger, store, targets, server, binary):
        area()


if __name__ == "__main__":
    main()
