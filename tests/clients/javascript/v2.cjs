// The AWS SDK for JavaScript, version 2, whose calls end in `.promise()`.
//
// It takes region and access key from the environment, but no endpoint: that is an option.

const assert = require("node:assert/strict");
const { readFileSync } = require("node:fs");
const crypto = require("node:crypto");
const vm = require("node:vm");
const AWS = require("aws-sdk");
const sucrase = require("sucrase");
const { run } = require("./operations.cjs");

const kms = new AWS.KMS({ endpoint: process.env.AWS_ENDPOINT_URL_KMS });

async function call(name, parameters) {
  try {
    return await kms[name](parameters).promise();
  } catch (error) {
    if (!error.statusCode) throw error;
    throw { name: error.code, message: error.message ?? "", status: error.statusCode };
  }
}

// The tables of the system that the procedure is of: Keystead has and knows none of them.
class Table {
  rows = [];

  async create({ data }) {
    this.rows.push({ id: crypto.randomUUID(), createdAt: new Date(), ...data });
    return this.rows.at(-1);
  }
}

// The procedure's function as it stands, its types taken off, in a program that has what it names.
function procedure(masterKey) {
  const text = readFileSync(process.argv[2], "utf8");
  const { code } = sucrase.transform(text, { transforms: ["typescript"] });
  const prisma = { encryptionKeys: new Table() };
  const getNextKeyVersion = async () => prisma.encryptionKeys.rows.length + 1;
  const process_ = { env: { MASTER_KEY_ID: masterKey } };
  const names = { kms, prisma, getNextKeyVersion, process: process_, Date };
  const generateDataKey = vm.runInNewContext(`${code}; generateDataKey`, names);
  return { generateDataKey, rows: prisma.encryptionKeys.rows };
}

function gcm(key, iv) {
  return {
    seal(text) {
      const cipher = crypto.createCipheriv("aes-256-gcm", key, iv);
      return [Buffer.concat([cipher.update(text), cipher.final()]), cipher.getAuthTag()];
    },
    open([sealed, tag]) {
      const cipher = crypto.createDecipheriv("aes-256-gcm", key, iv);
      cipher.setAuthTag(tag);
      return Buffer.concat([cipher.update(sealed), cipher.final()]).toString();
    },
  };
}

run(call, {
  "every list pages through all of it": async () => {
    const Tags = [1, 2, 3, 4, 5].map((n) => ({ TagKey: `k${n}`, TagValue: "" }));
    const { KeyId } = (await kms.createKey({ Tags }).promise()).KeyMetadata;
    const lengths = [];
    await new Promise((done, failed) => {
      kms.listResourceTags({ KeyId, Limit: 2 }).eachPage((error, page) => {
        if (error) failed(error);
        else if (page) lengths.push(page.Tags.length);
        else done();
        return true;
      });
    });
    assert.deepEqual(lengths, [2, 2, 1]);
  },

  "the procedure's data keys are of its master key and never stored in clear": async () => {
    const alias = "alias/v2-procedure/master";
    const { KeyId, Arn } = (await kms.createKey({}).promise()).KeyMetadata;
    await kms.createAlias({ AliasName: alias, TargetKeyId: KeyId }).promise();
    const { generateDataKey, rows } = procedure(alias);
    const phi = await generateDataKey("PHI");
    const audit = await generateDataKey("AUDIT");
    assert.deepEqual(rows.map((row) => [row.version, row.purpose]), [[1, "PHI"], [2, "AUDIT"]]);
    assert.ok(rows.every((row) => row.status === "ACTIVE" && row.algorithm === "AES-256-GCM"));
    assert.ok(Math.abs(phi.expiresAt - Date.now() - 90 * 86_400_000) < 120_000);
    const [key, other] = [phi, audit].map((made) => Buffer.from(made.keyMaterial));
    assert.equal(key.length, 32);
    assert.notDeepEqual(key, other);
    for (const value of rows.flatMap(Object.values).filter(Buffer.isBuffer)) {
      assert.ok(!value.includes(key) && !value.includes(other));
    }
    const iv = crypto.randomBytes(12);
    const sealed = gcm(key, iv).seal("blood group 0");
    // Later, another process has the row alone.
    const wrapped = { CiphertextBlob: rows[0].encryptedKey };
    const opened = await kms.decrypt(wrapped).promise();
    assert.equal(opened.KeyId, Arn);
    assert.equal(gcm(opened.Plaintext, iv).open(sealed), "blood group 0");
    await kms.disableKey({ KeyId }).promise();
    await assert.rejects(generateDataKey("PHI"), { code: "DisabledException" });
    assert.equal(rows.length, 2);
  },
});
