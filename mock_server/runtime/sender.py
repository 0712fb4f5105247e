"""Send callbacks over HTTP."""

from mock_server.domain.ports import DeliveryResult
from mock_server.runtime.callback_client import CallbackClient
from mock_server.runtime.dns_resolver import DnsResolver
from mock_server.runtime.egress import Egress
from mock_server.runtime.host_lookup import HostLookup
from mock_server.runtime.web_url import parse_web_url


class HttpSender:
    """Posts JSON to addresses that the egress policy allows and returns the result.

    Each attempt may take `timeout_s` real seconds. The caller limits how many attempts are in
    progress (`lanes.py`).
    """

    def __init__(
        self, egress: Egress, *, timeout_s: float = 30.0, hosts: HostLookup | None = None
    ) -> None:
        self._client = CallbackClient(
            egress, hosts or HostLookup(DnsResolver()), timeout_s=timeout_s
        )

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        try:
            target = parse_web_url(url)
        except ValueError as error:
            return DeliveryResult(error=str(error))
        return await self._client.attempt(target, body, lane, is_slow=is_slow)

    async def aclose(self) -> None:
        await self._client.aclose()
