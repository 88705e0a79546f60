// The AWS SDK for JavaScript, version 3: endpoint, region and access key from the environment.

const assert = require("node:assert/strict");
const sdk = require("@aws-sdk/client-kms");
const { run } = require("./operations.cjs");

const kms = new sdk.KMS();
const bare = ["UnknownOperationException", "ValidationException"];

async function call(name, parameters) {
  try {
    const { $metadata, ...answer } = await kms[name](parameters);
    assert.equal($metadata.httpStatusCode, 200);
    assert.ok($metadata.requestId);
    return answer;
  } catch (error) {
    if (!(error instanceof sdk.KMSServiceException)) throw error;
    // Each exception that the model has is a class, and none of them is the server's fault.
    assert.equal(error.$fault, "client");
    assert.ok(bare.includes(error.name) || error instanceof sdk[error.name], error.name);
    // The SDK writes a word of its own where there is no message.
    const message = ["UnknownError", undefined].includes(error.message) ? "" : error.message;
    throw { name: error.name, message, status: error.$metadata.httpStatusCode };
  }
}

async function pages(paginate, member, about) {
  const gathered = [];
  // A copy: the SDK leaves its last marker in what it is given.
  for await (const page of paginate({ client: kms, pageSize: 2 }, { ...about })) {
    assert.ok(page[member].length <= 2);
    gathered.push(...page[member]);
  }
  return gathered;
}

run(call, {
  "every list pages through all of it": async () => {
    const Tags = [1, 2, 3, 4, 5].map((n) => ({ TagKey: `k${n}`, TagValue: "" }));
    const { KeyId } = (await kms.createKey({ Tags })).KeyMetadata;
    for (const n of [1, 2, 3]) {
      await kms.createAlias({ AliasName: `alias/v3-paged/${n}`, TargetKeyId: KeyId });
      await kms.rotateKeyOnDemand({ KeyId });
    }
    const about = { KeyId };
    const names = (await pages(sdk.paginateListAliases, "Aliases", about)).map((a) => a.AliasName);
    assert.deepEqual(names, [1, 2, 3].map((n) => `alias/v3-paged/${n}`));
    assert.deepEqual(await pages(sdk.paginateListResourceTags, "Tags", about), Tags);
    assert.equal((await pages(sdk.paginateListKeyRotations, "Rotations", about)).length, 3);
    const policies = await pages(sdk.paginateListKeyPolicies, "PolicyNames", about);
    assert.deepEqual(policies, ["default"]);
    const whole = (await kms.listKeys({ Limit: 1000 })).Keys;
    assert.deepEqual(await pages(sdk.paginateListKeys, "Keys", {}), whole);
  },

  "a client of another region is served, and answered with its region": async () => {
    const { KeyId } = (await kms.createKey({})).KeyMetadata;
    const far = new sdk.KMS({ region: "ap-south-2" });
    const { KeyMetadata } = await far.describeKey({ KeyId });
    assert.match(KeyMetadata.Arn, /^arn:aws:kms:ap-south-2:/);
  },
});
