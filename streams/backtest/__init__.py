"""The same pure stages over a file, without Kafka."""
