"""Quality on labelled data, benchmarks, reports."""
