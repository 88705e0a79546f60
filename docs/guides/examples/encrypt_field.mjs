// Encrypts one field of a record and reads it back: `node encrypt_field.mjs KEY`.
//
// Endpoint, region and access key come from the environment, as for any program that uses the SDK.

import { DecryptCommand, EncryptCommand, KMSClient } from "@aws-sdk/client-kms";

const kms = new KMSClient();

// Where the field lies. It is bound to the ciphertext and is not secret.
const place = (row) => ({ table: "patients", field: "tax_number", row });

// What to store instead of the value: text that fits any column.
async function protect(key, row, value) {
  const answer = await kms.send(
    new EncryptCommand({
      KeyId: key,
      Plaintext: Buffer.from(value),
      EncryptionContext: place(row),
    }),
  );
  return Buffer.from(answer.CiphertextBlob).toString("base64");
}

// The value. The ciphertext names its key, so nothing else has to be stored.
async function reveal(row, stored) {
  const answer = await kms.send(
    new DecryptCommand({
      CiphertextBlob: Buffer.from(stored, "base64"),
      EncryptionContext: place(row),
    }),
  );
  return Buffer.from(answer.Plaintext).toString();
}

const stored = await protect(process.argv[2], "17", "85 073 003 328");
console.log("stored", stored.length, "characters");
console.log("read", await reveal("17", stored));
try {
  await reveal("18", stored);
} catch (refused) {
  console.log("in another row", refused.name);
}
