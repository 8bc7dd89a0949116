"""The audit log of a service as a Merkle tree: sealed, signed, witnessed, verified, proven to others."""
