"""What runs around Veille: brokers, Kubernetes, monitoring."""
