"""A client of the APIXO `gpt-image-1` endpoints, for other programs to use or to copy.

`Client` and `AsyncClient` have the same methods.  `errors` shows the tree of errors.
"""

from client_reference.async_client import AsyncClient
from client_reference.batch import BatchResult
from client_reference.callbacks import CallbackReceiver, Receiver, parse_callback
from client_reference.errors import (
    ApiError,
    ApiTimeout,
    ApixoError,
    AuthenticationError,
    ContentViolation,
    InsufficientCredits,
    InvalidImageUrl,
    InvalidRequest,
    NotFound,
    PermissionDenied,
    RateLimited,
    ResultExpired,
    ServerError,
    SubmissionUncertain,
    TaskFailed,
    TlsError,
    TransportError,
    UnexpectedResponse,
    WaitTimeout,
)
from client_reference.polling import Polling
from client_reference.sync_client import Client
from client_reference.task import Generation, Task

__all__ = [
    "ApiError",
    "ApiTimeout",
    "ApixoError",
    "AsyncClient",
    "AuthenticationError",
    "BatchResult",
    "CallbackReceiver",
    "Client",
    "ContentViolation",
    "Generation",
    "InsufficientCredits",
    "InvalidImageUrl",
    "InvalidRequest",
    "NotFound",
    "PermissionDenied",
    "Polling",
    "RateLimited",
    "Receiver",
    "ResultExpired",
    "ServerError",
    "SubmissionUncertain",
    "Task",
    "TaskFailed",
    "TlsError",
    "TransportError",
    "UnexpectedResponse",
    "WaitTimeout",
    "parse_callback",
]
