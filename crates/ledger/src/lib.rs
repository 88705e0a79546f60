//! Encodes the events that make up the record, and hashes them into the Merkle log.
