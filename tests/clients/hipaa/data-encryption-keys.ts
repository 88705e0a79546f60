interface EncryptionKey {
  id: string
  version: number
  purpose: 'PHI' | 'AUDIT' | 'BACKUP'
  algorithm: 'AES-256-GCM' | 'AES-256-CBC'
  keyMaterial: Buffer
  createdAt: Date
  expiresAt: Date
  status: 'ACTIVE' | 'INACTIVE' | 'COMPROMISED'
}

async function generateDataKey(purpose: EncryptionKey['purpose']): Promise<EncryptionKey> {
  // Generate key using HSM
  const { Plaintext, CiphertextBlob } = await kms.generateDataKey({
    KeyId: process.env.MASTER_KEY_ID,
    KeySpec: 'AES_256'
  }).promise()

  // Store encrypted key
  const key = await prisma.encryptionKeys.create({
    data: {
      version: await getNextKeyVersion(),
      purpose,
      algorithm: 'AES-256-GCM',
      encryptedKey: CiphertextBlob,
      status: 'ACTIVE',
      expiresAt: new Date(Date.now() + 90 * 24 * 60 * 60 * 1000) // 90 days
    }
  })

  return {
    ...key,
    keyMaterial: Plaintext // Never stored, only in memory
  }
}
