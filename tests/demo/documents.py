"""Encrypts or decrypts the demo's documents with boto3: `documents.py encrypt|decrypt < jobs.json`.

A small document goes to KMS as it is; a large one is encrypted here under a data key. Endpoint,
region and access key come from the environment, as for any program that uses boto3. Ends with 1
where any document failed, and goes on with the others.
"""

import base64
import json
import os
import pathlib
import sys

import boto3
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

DIRECT_BYTES = 4096
NONCE_BYTES = 12


def encrypt(kms, job):
    plaintext = pathlib.Path(job["plain"]).read_bytes()
    context = {"path": job["path"]}
    if 0 < len(plaintext) <= DIRECT_BYTES:
        made = kms.encrypt(KeyId=job["key"], Plaintext=plaintext, EncryptionContext=context)
        sealed = {"ciphertext": text(made["CiphertextBlob"])}
    else:
        made = kms.generate_data_key(
            KeyId=job["key"], KeySpec="AES_256", EncryptionContext=context
        )
        nonce = os.urandom(NONCE_BYTES)
        aad = job["path"].encode()
        ciphertext = nonce + AESGCM(made["Plaintext"]).encrypt(nonce, plaintext, aad)
        sealed = {"data_key": text(made["CiphertextBlob"]), "ciphertext": text(ciphertext)}
    pathlib.Path(job["sealed"]).write_text(json.dumps(sealed))


def decrypt(kms, job):
    sealed = json.loads(pathlib.Path(job["sealed"]).read_text())
    ciphertext = base64.b64decode(sealed["ciphertext"])
    blob = base64.b64decode(sealed["data_key"]) if "data_key" in sealed else ciphertext
    opened = kms.decrypt(CiphertextBlob=blob, EncryptionContext={"path": job["path"]})
    plaintext = opened["Plaintext"]
    if "data_key" in sealed:
        nonce, rest = ciphertext[:NONCE_BYTES], ciphertext[NONCE_BYTES:]
        plaintext = AESGCM(plaintext).decrypt(nonce, rest, job["path"].encode())
    pathlib.Path(job["plain"]).write_bytes(plaintext)


def text(data):
    return base64.b64encode(data).decode()


def main():
    task = {"encrypt": encrypt, "decrypt": decrypt}[sys.argv[1]]
    kms = boto3.client("kms")
    failed = 0
    for job in json.load(sys.stdin):
        try:
            task(kms, job)
        except Exception as error:  # each document counts for itself
            print(f"error: `{job['path']}`: {error!r}", file=sys.stderr)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
