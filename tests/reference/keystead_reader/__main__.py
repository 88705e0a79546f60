"""The last resort on the command line: lists keys, decrypts, verifies ledgers; writes no file.

Secrets come from files and never from arguments, which other users of the machine can read.
"""

import argparse
import base64
import datetime
import sys
from pathlib import Path

from . import audit, kit, ledger, note, printed, records, wraps
from .codec import Refused, print_id, require
from .recover import Recovery
from .vaults import Vaults


def main(arguments=None):
    options = _parse(arguments)
    try:
        options.act(options)
    except (Refused, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _run_ledger(options):
    name, kind, key = note.verifier_key(options.key)
    require(kind == note.LOG, "malformed", "not the key of a log")
    older = None
    if options.older:
        older = note.checkpoint(Path(options.older).read_bytes(), name, key)
    newest, entries = ledger.verify_folder(options.log, name, key, older)
    print(f"{newest.origin}: {len(entries)} entries give the root {newest.root.hex()}")
    for head in ledger.succession(name, entries[0]) if entries else []:
        unknown = ", what came after is not known" if head["tail_unknown"] else ""
        print(f"follows {head['origin']} at {head['size']} entries{unknown}")


def _parse(arguments):
    parser = argparse.ArgumentParser(prog="python -m keystead_reader")
    commands = parser.add_subparsers(required=True)
    recover = commands.add_parser("recover", help="open vaults with a kit")
    recover.add_argument("--vault", action="append", required=True, metavar="DIR",
                         help="the folder of a vault; give as many as there are")
    recover.add_argument("--kit", required=True, metavar="FILE")
    recover.add_argument("--kit-passphrase-file", required=True, metavar="FILE")
    recover.add_argument("--kit-secret-file", required=True, metavar="FILE",
                         help="the words of the printed secret")
    recover.add_argument("--list", action="store_true", help="list every key")
    recover.add_argument("--decrypt", metavar="FILE", help="a ciphertext, raw or in Base64")
    recover.add_argument("--context", action="append", default=[], metavar="NAME=VALUE",
                         help="the encryption context of the ciphertext")
    recover.add_argument("--unwrap", metavar="SUBJECT", help="the data key of a wrap record, raw")
    recover.add_argument("--wraps", metavar="FILE",
                         help="verify an export of wrap records and open each data key")
    recover.set_defaults(act=_use)
    verify = commands.add_parser("verify-wraps", help="verify an export of wrap records")
    verify.add_argument("export", metavar="FILE")
    verify.add_argument("--root-public-key", required=True, metavar="HEX")
    verify.set_defaults(act=_verify_wraps)
    for name, act, what in (("verify-export", _verify_export, "an export of the record"),
                            ("verify-proof", _verify_proof, "a proof of one event")):
        command = commands.add_parser(name, help=f"verify {what}")
        command.add_argument("file", metavar="FILE")
        command.add_argument("--root-public-key", required=True, metavar="HEX")
        command.set_defaults(act=act)
    log = commands.add_parser("ledger", help="verify a node's ledger")
    log.add_argument("--log", required=True, metavar="DIR",
                     help="the folder with checkpoint/ and tile/")
    log.add_argument("--key", required=True, help="the log's verifier key: NAME+ID+KEY")
    log.add_argument("--older", metavar="FILE", help="a checkpoint that was seen before")
    log.set_defaults(act=_run_ledger)
    options = parser.parse_args(arguments)
    if options.act is _use and not any(
            (options.list, options.decrypt, options.unwrap, options.wraps)):
        parser.error("nothing to do: give --list, --decrypt, --unwrap or --wraps")
    return options


def _use(options):
    recovery, found = _recover(options)
    if options.list:
        _list(recovery, found)
    if options.wraps:
        _open_wraps(options, recovery, found)
    if options.decrypt:
        _decrypt(options, recovery, found)
    if options.unwrap:
        _unwrap(options, recovery, found)


def _recover(options):
    found = kit.read(Path(options.kit).read_bytes())
    named, secret = printed.read(Path(options.kit_secret_file).read_text("utf-8"))
    passphrase = Path(options.kit_passphrase_file).read_bytes().removesuffix(b"\n")
    seed = kit.open_seed(found, passphrase, secret, named)
    recovery = Recovery(Vaults(options.vault), found.statement, seed)
    return recovery, recovery.run()


def _list(recovery, found):
    print(f"instance     {print_id('instance', found.opening.instance)}")
    print(f"incarnation  {print_id('incarnation', found.opening.incarnation)}")
    if found.segments:
        print(f"alive until  {_time(found.segments[-1].at)} (segment {len(found.segments)})")
    for epoch in found.closed_epochs:
        print(f"closed       {print_id('epoch', epoch)}: this kit has no slot in it")
    for sequence, tenant in found.skipped:
        print(f"skipped      {print_id('tenant', tenant)} in {sequence}: its backup key is gone")
    failed = 0
    for key in found.keys():
        print(f"\n{print_id('key', key.key)}  {key.state} since {_time(key.since)}  "
              f"{records.SPECS[key.spec]}  {key.description}")
        for version in key.versions:
            proof = _proof(recovery, key, version)
            failed += proof != "opened" and key.state != "destroyed"
            print(f"  {print_id('version', version.version)}  {version.number}  "
                  f"check {version.key_check.hex()}  {proof}")
    if failed:
        raise Refused("incomplete", f"{failed} key versions do not open")


def _proof(recovery, key, version):
    """Opens the copy: a row in a list proves nothing."""
    try:
        recovery.material(key, version)
    except Refused as refused:
        return str(refused)
    return "opened"


def _decrypt(options, recovery, found):
    data = Path(options.decrypt).read_bytes()
    if data[:3] != b"\x01\x00\x01":
        try:
            data = base64.b64decode(data, validate=False)
        except ValueError:
            raise Refused("malformed", "neither a ciphertext nor Base64") from None
    context = dict(pair.split("=", 1) for pair in options.context if "=" in pair)
    if len(context) != len(options.context):
        raise Refused("malformed", "--context is NAME=VALUE, each name once")
    sys.stdout.buffer.write(recovery.decrypt(found, data, context))


def _unwrap(options, recovery, found):
    wrap = next((one for one in found.wraps() if one.subject == options.unwrap), None)
    if not wrap:
        raise Refused("unknown subject", options.unwrap)
    sys.stdout.buffer.write(recovery.data_key(wrap))


def _open_wraps(options, recovery, found):
    """Opens every data key of an export: its chain does not prove that they open."""
    with open(options.wraps, "rb") as file:
        _, exported = wraps.read_export(file, recovery.root_key)
    for wrap in exported:
        recovery.data_key(wrap)
        print(f"{wrap.sequence:>8}  opened  {wrap.subject}")
    later = len(found.wraps()) - len(exported)
    print(f"{len(exported)} of the export opened; the vaults hold {later} more")


def _root_key(options):
    try:
        return bytes.fromhex(options.root_public_key)
    except ValueError:
        raise Refused("malformed", "--root-public-key is 64 hex digits") from None


def _verify_export(options):
    with open(options.file, "rb") as file:
        whole, logs = audit.read_export(file, _root_key(options))
    for head, events in logs:
        print(f"{head.origin}: {len(events)} of {head.size} entries, root {head.root.hex()}")
    print("every event is there" if whole else "each event is in its log; others may be left out")


def _verify_proof(options):
    proven = audit.read_proof(Path(options.file).read_bytes(), _root_key(options))
    print(f"{proven.head.origin}: entry {proven.index} of {proven.head.size}")
    event = audit.shown(proven.event)
    print(f"{event['at']} {event['operation']} {event['outcome']}")
    if proven.older:
        print(f"goes on from the checkpoint of {proven.older.size} entries")


def _verify_wraps(options):
    root_key = _root_key(options)
    with open(options.export, "rb") as file:
        statement, _ = wraps.read_export(file, root_key)
    print(f"{statement.count} records, none missing, none altered")
    print(f"chain        {statement.chain.hex()}")
    print(f"instance     {print_id('instance', statement.instance)}")
    print(f"stated       {_time(statement.at)}")


def _time(micros):
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (epoch + datetime.timedelta(microseconds=micros)).isoformat()


if __name__ == "__main__":
    sys.exit(main())
