"""Proof before deletion: receipts of what was captured, in a chain of hashes."""
