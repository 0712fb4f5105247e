"""The certificates that HTTPS connections trust."""

import os
import ssl
from functools import cache

import httpx

from contract_tests.contract.errors import TargetError, reason_of


@cache
def trusted_certificates(*, uses_environment: bool = False) -> ssl.SSLContext:
    """Return the context that all HTTP clients share: to load the certificates is slow.

    `uses_environment` lets SSL_CERT_FILE and SSL_CERT_DIR name other certificates. Raise
    TargetError if that file cannot be used.
    """
    try:
        return httpx.create_ssl_context(trust_env=uses_environment)
    except ssl.SSLError as error:
        raise TargetError(
            f"SSL_CERT_FILE: {os.environ['SSL_CERT_FILE']}: has no certificate in PEM format"
        ) from error
    except OSError as error:
        file = os.environ["SSL_CERT_FILE"]
        raise TargetError(f"SSL_CERT_FILE: {file}: {reason_of(error)}") from error
