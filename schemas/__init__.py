"""The contracts of Veille: what each topic carries, as msgspec structs and as data.

Times inside the pipeline are integers, milliseconds since 1970 UTC, in fields that end in ``_ms``.
Times that people and foreign programs read (mentions, crisis events) are RFC 3339 strings.
Probabilities that travel between stages are whole thousandths (``*_pm``, per mille), so that no
number depends on how records were batched.
"""
