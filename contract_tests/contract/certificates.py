"""The certificates that HTTPS connections trust."""

import ssl
from functools import cache

import httpx


@cache
def trusted_certificates(*, uses_environment: bool = False) -> ssl.SSLContext:
    """Return the context that all HTTP clients share: to load the certificates is slow.

    `uses_environment` lets SSL_CERT_FILE and SSL_CERT_DIR name other certificates.
    """
    return httpx.create_ssl_context(trust_env=uses_environment)
