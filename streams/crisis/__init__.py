"""brand.signals -> crisis.events: the life of a crisis, its kind, severity and card."""
