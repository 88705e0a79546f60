"""Encrypts one field of a record and reads it back: `python encrypt_field.py KEY`.

Endpoint, region and access key come from the environment, as for any program that uses boto3.
"""

import base64
import sys

import boto3
from botocore.exceptions import ClientError

kms = boto3.client("kms")


def place(row):
    """Where the field lies. It is bound to the ciphertext and is not secret."""
    return {"table": "patients", "field": "tax_number", "row": row}


def protect(key, row, value):
    """What to store instead of the value: text that fits any column."""
    answer = kms.encrypt(KeyId=key, Plaintext=value.encode(), EncryptionContext=place(row))
    return base64.b64encode(answer["CiphertextBlob"]).decode()


def reveal(row, stored):
    """The value. The ciphertext names its key, so nothing else has to be stored."""
    blob = base64.b64decode(stored)
    return kms.decrypt(CiphertextBlob=blob, EncryptionContext=place(row))["Plaintext"].decode()


stored = protect(sys.argv[1], "17", "85 073 003 328")
print("stored", len(stored), "characters")
print("read", reveal("17", stored))
try:
    reveal("18", stored)
except ClientError as refused:
    print("in another row", refused.response["Error"]["Code"])
