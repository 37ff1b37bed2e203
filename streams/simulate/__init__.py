"""Seeded mention streams with planted snowballs."""
