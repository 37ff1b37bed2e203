"""One file a contestant, each as its own documentation says it should be written, at its best settings."""
