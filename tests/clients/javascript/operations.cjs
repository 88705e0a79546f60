// Calls each operation that Keystead offers, through either release of the SDK.
//
// `call(name, parameters)` gives the answer; a refusal is thrown as `{name, message, status}`.
// What comes back is compared with what went in, and what the SDK may make of bytes is levelled.

const assert = require("node:assert/strict");
const crypto = require("node:crypto");

const bytes = (value) => Buffer.from(value);
const INCORRECT =
  "The key ID in the request does not identify a CMK that can perform this operation.";
const DRY = "The request would have succeeded, but the DryRun option is set.";

// Each by the name of what it shows; the tests stop at the first that does not hold.
function checks(call) {
  const key = async (more = {}) => (await call("createKey", more)).KeyMetadata;
  const state = async (of) => (await call("describeKey", { KeyId: of })).KeyMetadata.KeyState;

  async function refused(name, message, operation, parameters) {
    await assert.rejects(call(operation, parameters), { name, message, status: 400 });
  }

  return {
    "a key has the metadata that it was made with": async () => {
      const tags = [{ TagKey: "a", TagValue: "ø" }];
      const made = await key({ Description: "från js", Tags: tags });
      const { KeyMetadata: shown } = await call("describeKey", { KeyId: made.Arn });
      assert.deepEqual(shown, made);
      assert.ok(made.CreationDate instanceof Date);
      assert.ok(Math.abs(made.CreationDate - Date.now()) < 60_000);
      assert.equal(made.Description, "från js");
      const listed = await call("listResourceTags", { KeyId: made.KeyId });
      assert.deepEqual([listed.Tags, listed.Truncated], [tags, false]);
      const keys = (await call("listKeys", { Limit: 1000 })).Keys;
      assert.ok(keys.some((entry) => entry.KeyArn === made.Arn));
    },

    "what is encrypted comes back under its context alone": async () => {
      const { KeyId, Arn } = await key();
      const Plaintext = crypto.randomBytes(4096);
      const EncryptionContext = { patient: "17", ø: "" };
      const made = await call("encrypt", { KeyId, Plaintext, EncryptionContext });
      assert.equal(made.KeyId, Arn);
      const { CiphertextBlob } = made;
      const opened = await call("decrypt", { CiphertextBlob, EncryptionContext });
      assert.deepEqual(bytes(opened.Plaintext), Plaintext);
      await refused("InvalidCiphertextException", "", "decrypt", { CiphertextBlob });
      const other = { CiphertextBlob, EncryptionContext, KeyId: (await key()).KeyId };
      await refused("IncorrectKeyException", INCORRECT, "decrypt", other);
      const dry = { CiphertextBlob, EncryptionContext, DryRun: true };
      await refused("DryRunOperationException", DRY, "decrypt", dry);
    },

    "data keys open, with and without their plaintext": async () => {
      const { KeyId } = await key();
      const both = await call("generateDataKey", { KeyId, KeySpec: "AES_256" });
      const opened = await call("decrypt", { CiphertextBlob: both.CiphertextBlob });
      assert.deepEqual(bytes(opened.Plaintext), bytes(both.Plaintext));
      const length = { KeyId, NumberOfBytes: 1024 };
      const one = await call("generateDataKeyWithoutPlaintext", length);
      assert.equal(one.Plaintext, undefined);
      const { Plaintext } = await call("decrypt", { CiphertextBlob: one.CiphertextBlob });
      assert.equal(Plaintext.length, 1024);
      assert.equal((await call("generateRandom", { NumberOfBytes: 33 })).Plaintext.length, 33);
    },

    "a rotated key opens what it sealed before, and re-encrypts it": async () => {
      const from = await key();
      const to = await key();
      const sealed = await call("encrypt", { KeyId: from.KeyId, Plaintext: bytes("p") });
      assert.equal((await call("rotateKeyOnDemand", { KeyId: from.KeyId })).KeyId, from.Arn);
      const again = await call("reEncrypt", {
        CiphertextBlob: sealed.CiphertextBlob,
        DestinationKeyId: to.KeyId,
        DestinationEncryptionContext: { a: "b" },
      });
      assert.deepEqual([again.SourceKeyId, again.KeyId], [from.Arn, to.Arn]);
      const { CiphertextBlob } = again;
      const EncryptionContext = { a: "b" };
      const opened = await call("decrypt", { CiphertextBlob, KeyId: to.KeyId, EncryptionContext });
      assert.deepEqual(bytes(opened.Plaintext), bytes("p"));
      const { Rotations } = await call("listKeyRotations", { KeyId: from.KeyId });
      assert.equal(Rotations[0].RotationType, "ON_DEMAND");
      assert.ok(Rotations[0].RotationDate instanceof Date);
    },

    "a schedule of rotation is set and ended": async () => {
      const { KeyId } = await key();
      await call("enableKeyRotation", { KeyId, RotationPeriodInDays: 90 });
      const on = await call("getKeyRotationStatus", { KeyId });
      assert.deepEqual([on.KeyRotationEnabled, on.RotationPeriodInDays], [true, 90]);
      const wait = on.NextRotationDate - Date.now();
      assert.ok(Math.abs(wait - 90 * 86_400_000) < 120_000);
      await call("disableKeyRotation", { KeyId });
      assert.equal((await call("getKeyRotationStatus", { KeyId })).KeyRotationEnabled, false);
    },

    "signatures hold outside with the public key alone": async () => {
      for (const [KeySpec, SigningAlgorithm, hash] of [
        ["ECC_NIST_P256", "ECDSA_SHA_256", "sha256"],
        ["ECC_NIST_EDWARDS25519", "ED25519_SHA_512", null],
      ]) {
        const { KeyId, Arn } = await key({ KeySpec, KeyUsage: "SIGN_VERIFY" });
        const Message = crypto.randomBytes(100);
        const made = await call("sign", { KeyId, Message, SigningAlgorithm });
        const shown = await call("getPublicKey", { KeyId });
        assert.deepEqual([shown.KeyId, shown.SigningAlgorithms], [Arn, [SigningAlgorithm]]);
        const spki = { key: bytes(shown.PublicKey), format: "der", type: "spki" };
        const signature = bytes(made.Signature);
        assert.ok(crypto.verify(hash, Message, crypto.createPublicKey(spki), signature));
        const check = { KeyId, Message, SigningAlgorithm, Signature: made.Signature };
        assert.equal((await call("verify", check)).SignatureValid, true);
        const wrong = { ...check, Message: bytes("another") };
        await refused("KMSInvalidSignatureException", "", "verify", wrong);
      }
    },

    "a mac holds for its message alone": async () => {
      const { KeyId } = await key({ KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC" });
      const about = { KeyId, Message: bytes("m"), MacAlgorithm: "HMAC_SHA_256" };
      const { Mac } = await call("generateMac", about);
      assert.equal((await call("verifyMac", { ...about, Mac })).MacValid, true);
      const wrong = { ...about, Mac, Message: bytes("n") };
      await refused("KMSInvalidMacException", "", "verifyMac", wrong);
    },

    "a key is disabled, enabled, doomed and taken back": async () => {
      const { KeyId, Arn } = await key();
      await call("disableKey", { KeyId });
      const use = { KeyId, Plaintext: bytes("p") };
      await refused("DisabledException", `${Arn} is disabled.`, "encrypt", use);
      await call("enableKey", { KeyId });
      assert.equal(await state(KeyId), "Enabled");
      const doomed = await call("scheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
      assert.deepEqual([doomed.KeyId, doomed.KeyState], [Arn, "PendingDeletion"]);
      assert.ok(Math.abs(doomed.DeletionDate - Date.now() - 7 * 86_400_000) < 120_000);
      const message = `${Arn} is pending deletion.`;
      await refused("KMSInvalidStateException", message, "encrypt", use);
      assert.equal((await call("cancelKeyDeletion", { KeyId })).KeyId, Arn);
      assert.equal(await state(KeyId), "Disabled");
    },

    "descriptions, tags and policies are as AWS has them": async () => {
      const { KeyId } = await key();
      await call("updateKeyDescription", { KeyId, Description: "new" });
      assert.equal((await call("describeKey", { KeyId })).KeyMetadata.Description, "new");
      const Tags = [{ TagKey: "a", TagValue: "b" }];
      await call("tagResource", { KeyId, Tags });
      assert.deepEqual((await call("listResourceTags", { KeyId })).Tags, Tags);
      await call("untagResource", { KeyId, TagKeys: ["a"] });
      assert.deepEqual((await call("listResourceTags", { KeyId })).Tags, []);
      assert.deepEqual((await call("listKeyPolicies", { KeyId })).PolicyNames, ["default"]);
      const { Policy } = await call("getKeyPolicy", { KeyId, PolicyName: "default" });
      assert.equal(JSON.parse(Policy).Statement[0].Action, "kms:*");
    },

    "an alias is made, moved and deleted": async () => {
      const one = (await key()).KeyId;
      const two = (await key()).KeyId;
      const AliasName = `alias/js/${crypto.randomUUID()}`;
      const of = async (KeyId) => (await call("listAliases", { KeyId })).Aliases.length;
      await call("createAlias", { AliasName, TargetKeyId: one });
      assert.deepEqual([await of(one), await of(two)], [1, 0]);
      await call("updateAlias", { AliasName, TargetKeyId: two });
      assert.equal((await call("describeKey", { KeyId: AliasName })).KeyMetadata.KeyId, two);
      await call("deleteAlias", { AliasName });
      assert.deepEqual([await of(one), await of(two)], [0, 0]);
    },

    "what is refused has the name and the words of AWS": async () => {
      const { Arn } = await key();
      const absent = "00000000-0000-0000-0000-000000000000";
      const arn = Arn.replace(/[^/]*$/, absent);
      const gone = `Key '${arn}' does not exist`;
      await refused("NotFoundException", gone, "describeKey", { KeyId: absent });
      await refused("NotFoundException", "Invalid keyId 'x'", "enableKey", { KeyId: "x" });
      await refused("UnknownOperationException", "", "listGrants", { KeyId: absent });
      const days = { KeyId: Arn, PendingWindowInDays: 31 };
      const bound =
        "1 validation error detected: Value '31' at 'pendingWindowInDays' failed to satisfy " +
        "constraint: Member must have value less than or equal to 30";
      await refused("ValidationException", bound, "scheduleKeyDeletion", days);
    },
  };
}

// Runs all checks, and more of the caller's own, and prints what was called with success.
async function run(call, more = {}) {
  const called = new Set();
  const counted = async (name, parameters) => {
    const answer = await call(name, parameters);
    called.add(name[0].toUpperCase() + name.slice(1));
    return answer;
  };
  const names = { ...checks(counted), ...more };
  for (const [name, check] of Object.entries(names)) {
    try {
      await check();
    } catch (error) {
      console.error(`does not hold: ${name}`);
      throw error;
    }
  }
  console.log(JSON.stringify({ called: [...called], held: Object.keys(names).length }));
}

module.exports = { run };
