"""Encrypts a document under a data key of its own: `wrap_document.py seal|open SUBJECT IN OUT`.

The subject is the document's name for good. It finds the data key again and is bound to the bytes,
so that one document is never taken for another.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def data_key(command, subject):
    """From a file that nobody else can read, in a folder that is gone at once."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "data-key"
        subprocess.run(["keystead", "wrap", command, subject, "--data-key-out", file],
                       check=True, stdout=subprocess.DEVNULL)
        return file.read_bytes()


def seal(subject, document):
    """`put` makes the data key, or finds the one of an earlier attempt."""
    nonce = os.urandom(12)
    return nonce + AESGCM(data_key("put", subject)).encrypt(nonce, document, subject.encode())


def unseal(subject, stored):
    key = AESGCM(data_key("unwrap", subject))
    return key.decrypt(stored[:12], stored[12:], subject.encode())


act = {"seal": seal, "open": unseal}[sys.argv[1]]
Path(sys.argv[4]).write_bytes(act(sys.argv[2], Path(sys.argv[3]).read_bytes()))
