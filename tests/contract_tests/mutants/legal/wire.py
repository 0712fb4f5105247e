"""Legal variations of HTTP: headers, chunks, encodings, hosts, pictures, deliveries."""

import gzip
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import httpx
from PIL import Image

from contract_tests.contract.certificates import trusted_certificates
from mock_server.domain.ports import DeliveryResult
from tests.contract_tests.mutants.harness import Asked, Break, Serve, Told
from tests.contract_tests.mutants.legal.variation import (
    Change,
    Variation,
    adding,
    data_of,
    is_json,
    of_headers,
    settings,
)
from tests.contract_tests.mutants.senders import Raw, Through
from tests.contract_tests.mutants.steering import refusal

_HTTP = ("S-ENV-00*", "S-STA-00*", "S-RES-00*", "S-AUTH-00*")
_CALLBACKS = ("S-CB-0*", "S-STA-201", "S-STA-203")
_PICTURES = ("S-RES-0*", "S-STA-01*")


def _typed(value: bytes) -> Change:
    return lambda asked, told: (
        of_headers(lambda name, old: (name, value if name == b"content-type" else old))(asked, told)
        if is_json(told) else told
    )  # fmt: skip


def _capitalised(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    return name.title(), value


def _without(header: bytes) -> Change:
    return of_headers(lambda name, value: None if name == header else (name, value))


def _gzipped(asked: Asked, told: Told) -> Told:
    if b"gzip" not in asked.header(b"accept-encoding") or not is_json(told):
        return told
    headers = (*told.headers, (b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding"))
    return replace(told, headers=headers, body=gzip.compress(told.body))


def _drawn(form: str, change: Callable[[Image.Image], Image.Image] = lambda image: image) -> Change:
    def changed(asked: Asked, told: Told) -> Told:
        if not asked.is_result or told.status != 200:
            return told
        written = BytesIO()
        with Image.open(BytesIO(told.body)) as picture:
            change(picture.convert("RGB")).save(written, form)
        kept = tuple(each for each in told.headers if each[0] != b"content-type")
        media_type = (b"content-type", f"image/{form.lower()}".encode())
        return replace(told, headers=(*kept, media_type), body=written.getvalue())

    return changed


def _resized(factor: float) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.resize((round(image.width * factor), round(image.height * factor)))


def _signed_urls(data: dict[str, Any]) -> dict[str, Any]:
    if "resultJson" not in data:
        return data
    urls = json.loads(data["resultJson"])["resultUrls"]
    told = [f"{url}?sig=a%2Fb%3D&Expires=1796000000&t={data['taskId']}" for url in urls]
    return data | {"resultJson": json.dumps({"resultUrls": told})}


def _forbidding() -> Break:
    """Answer 403 to a key that exists and may not use the API."""

    async def answer(asked: Asked, serve: Serve) -> Told:
        if b"forbidden" in asked.header(b"authorization"):
            return refusal(403, "Forbidden", "the key lacks permission")
        return await serve(asked)

    return answer


def _methods() -> Break:
    """Answer HEAD and OPTIONS, which no clause mentions."""

    async def answer(asked: Asked, serve: Serve) -> Told:
        if asked.method == "OPTIONS":
            return Told(status=204, headers=((b"allow", b"GET, HEAD, OPTIONS"),), body=b"")
        if asked.method == "HEAD":
            return replace(await serve(replace(asked, method="GET")), body=b"")
        return await serve(asked)

    return answer


class _Chunked(Through):
    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        async def parts() -> AsyncIterator[bytes]:
            for start in range(0, len(body), 40):
                yield body[start : start + 40]

        return await _posted(url, parts(), {"Content-Type": "application/json"})


class _WithCharset(Raw):
    headers = {"Content-Type": "application/json; charset=utf-8"}  # noqa: RUF012


class _WithMoreHeaders(Raw):
    headers = {"User-Agent": "apixo/2", "X-Request-Id": "7", "Accept": "*/*"}  # noqa: RUF012


class _Twice(Through):
    """Delivers each attempt twice, as at-least-once allows."""

    async def post(
        self, url: str, body: bytes, lane: str = "", *, is_slow: bool = False
    ) -> DeliveryResult:
        sent = await self.inner.post(url, body, lane)
        return await self.inner.post(url, body, lane) if sent.status == 200 else sent


async def _posted(
    url: str, content: AsyncIterator[bytes], headers: dict[str, str]
) -> DeliveryResult:
    async with httpx.AsyncClient(verify=trusted_certificates(), timeout=30) as http:
        try:
            answer = await http.post(url, content=content, headers=headers)
        except httpx.HTTPError as error:
            return DeliveryResult(error=str(error))
    return DeliveryResult(status=answer.status_code)


WIRE = (
    Variation(name="charset-in-the-type", clause="ENV-3", cases=_HTTP,
              change=_typed(b"application/json; charset=utf-8")),
    Variation(name="type-in-capitals", clause="ENV-3", cases=_HTTP,
              change=_typed(b"Application/JSON")),
    Variation(name="headers-capitalised", clause="ENV-3", cases=(*_HTTP, "S-LIM-00[5-9]"),
              change=of_headers(_capitalised)),
    Variation(name="more-headers", clause="ENV-3", cases=_HTTP, change=adding(
        (b"x-request-id", b"7f"), (b"via", b"1.1 cdn"), (b"set-cookie", b"session=1; Path=/"),
        (b"cache-control", b"no-store"))),
    Variation(name="no-date", clause="ENV-3", cases=(*_HTTP, "S-TIM-001", "S-STA-00*"),
              change=_without(b"date")),
    Variation(name="no-server-header", clause="ENV-3", cases=_HTTP, change=_without(b"server")),
    Variation(name="chunked-answers", clause="ENV-1", cases=_HTTP,
              change=lambda _, told: replace(told, is_chunked=True)),
    Variation(name="gzip-encoded-answers", clause="ENV-1", cases=_HTTP, change=_gzipped),
    Variation(name="no-keep-alive", clause="ENV-1", cases=(*_HTTP, "S-LIM-002"),
              change=adding((b"connection", b"close"))),
    Variation(name="head-and-options", clause="ENV-1", cases=_HTTP, make=_methods),
    Variation(name="403-beside-401", clause="AUTH-5", cases=("S-AUTH-*",), make=_forbidding),
    Variation(name="no-retry-after", clause="LIM-5", cases=("S-LIM-0*",),
              settings=settings(retry_after=False)),
    Variation(name="402-without-credit", clause="SUB-17", cases=("S-SUB-*", "S-BIL-*"),
              settings=settings(insufficient_credits_status=402)),
    Variation(name="codes-of-newer-pages", clause="FAIL-4", cases=("S-FAIL-*", "S-SUB-08*"),
              settings=settings(image_fail_codes="docs")),
    Variation(name="reserved-characters-in-ids", clause="SUB-1", cases=("S-STA-0*", "S-CB-001"),
              settings=settings(task_ids="reserved")),
    Variation(name="results-on-another-host", clause="RES-3", cases=_PICTURES,
              has_result_host=True),
    Variation(name="query-strings-in-results", clause="RES-3", cases=_PICTURES,
              body=data_of(_signed_urls)),
    Variation(name="jpeg-results", clause="RES-2", cases=_PICTURES, change=_drawn("JPEG")),
    Variation(name="webp-results", clause="RES-2", cases=_PICTURES, change=_drawn("WEBP")),
    Variation(name="results-of-half-the-size", clause="RES-2", cases=_PICTURES,
              change=_drawn("PNG", _resized(0.5)), is_foreign_only=True),
    Variation(name="results-a-tenth-larger", clause="RES-2", cases=_PICTURES,
              change=_drawn("PNG", _resized(1.1)), is_foreign_only=True),
    Variation(name="chunked-callbacks", clause="CB-1", cases=_CALLBACKS, deliver=_Chunked),
    Variation(name="charset-in-callbacks", clause="CB-1", cases=_CALLBACKS, deliver=_WithCharset),
    Variation(name="more-headers-in-callbacks", clause="CB-6", cases=_CALLBACKS,
              deliver=_WithMoreHeaders),
    Variation(name="duplicates-of-callbacks", clause="CB-4", cases=_CALLBACKS, deliver=_Twice,
              is_foreign_only=True),
)  # fmt: skip
