"""The last resort on the command line: lists keys and decrypts, and writes no file.

Secrets come from files and never from arguments, which other users of the machine can read.
"""

import argparse
import base64
import datetime
import sys
from pathlib import Path

from . import kit, printed, records
from .codec import Refused, print_id
from .recover import Recovery
from .vaults import Vaults


def main(arguments=None):
    options = _parse(arguments)
    try:
        recovery, found = _recover(options)
        if options.list:
            _list(recovery, found)
        if options.decrypt:
            _decrypt(options, recovery, found)
    except (Refused, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


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
    options = parser.parse_args(arguments)
    if not options.list and not options.decrypt:
        parser.error("nothing to do: give --list or --decrypt FILE")
    return options


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


def _time(micros):
    epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    return (epoch + datetime.timedelta(microseconds=micros)).isoformat()


if __name__ == "__main__":
    sys.exit(main())
