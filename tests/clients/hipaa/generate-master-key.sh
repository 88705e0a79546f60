#!/bin/bash
# generate-master-key.sh

# Generate master key using HSM
KEY_ID=$(aws kms create-key \
  --description "PHI Master Key" \
  --key-usage ENCRYPT_DECRYPT \
  --customer-master-key-spec SYMMETRIC_DEFAULT \
  --tags TagKey=Purpose,TagValue=PHI_PROTECTION \
  --output text --query 'KeyMetadata.KeyId')

# Create alias
aws kms create-alias \
  --alias-name alias/phi-master-key \
  --target-key-id $KEY_ID

echo "Master Key ID: $KEY_ID"
