"""The start page of the server, and the OpenAPI document of the provider's endpoints."""

from collections.abc import Iterable
from html import escape
from string import Template

import msgspec
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mock_server.domain.catalogue import Catalogue
from mock_server.version import __version__
from mock_server.web.base_urls import BaseUrls
from mock_server.web.openapi import provider_document
from mock_server.web.paths import BALANCE_PATH, STATUS_PATH, SUBMIT_PATH
from mock_server.web.request import LocalAddress

_DISTRIBUTION = "apixo-testkit"
_PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>APIXO mock</title>
<link rel="icon" href="/_mock/static/icon.svg">
<link rel="stylesheet" href="/_mock/static/dashboard.css">
</head>
<body>
<main>
<h1>APIXO mock $version</h1>
<p>This server simulates the image provider APIXO. Give your client this base URL and any API key:
<code>$base_url</code></p>
<ul>
$links
</ul>
<h2>Endpoints</h2>
<ul>
$endpoints
</ul>
<h2>First task</h2>
<pre>curl $base_url$submit \\
  -H "Authorization: Bearer my-key" -H "Content-Type: application/json" \\
  -d '{"input": {"prompt": "a red fox in the snow"}}'</pre>
</main>
</body>
</html>
""")
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self';"
    " base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept",
}


class EndpointPath(msgspec.Struct):
    method: str
    path: str


class ServerLinks(msgspec.Struct, omit_defaults=True):
    """The addresses of what a server offers."""

    name: str
    version: str
    base_url: str
    dashboard: str
    openapi: str
    control_openapi: str
    info: str
    endpoints: list[EndpointPath]
    documentation: str | None = None


class StartPage:
    def __init__(
        self, catalogue: Catalogue, base_urls: BaseUrls, *, strict: bool, general_ratios: bool
    ) -> None:
        self._catalogue = catalogue
        self._base_urls = base_urls
        self._strict = strict
        self._general_ratios = general_ratios

    def routes(self) -> list[Route]:
        return [
            Route("/", self.start, methods=["GET"]),
            Route("/openapi.json", self.document, methods=["GET"]),
        ]

    async def start(self, request: Request) -> Response:
        """Return the links as a page for a browser, as JSON for others."""
        links = self._links(self._base_url(request))
        if _prefers_html(request.headers):
            return Response(_page(links), media_type="text/html", headers=_HEADERS)
        return Response(msgspec.json.encode(links), media_type="application/json", headers=_HEADERS)

    async def document(self, request: Request) -> Response:
        document = provider_document(
            self._catalogue,
            strict=self._strict,
            general_ratios=self._general_ratios,
            base_url=self._base_url(request),
        )
        return Response(msgspec.json.encode(document), media_type="application/json")

    def _base_url(self, request: Request) -> str:
        return self._base_urls.of(LocalAddress.of(request.scope), dict(request.headers.raw))

    def _links(self, base_url: str) -> ServerLinks:
        endpoints = [
            EndpointPath(method, prefix + model_id)
            for model_id in self._catalogue.models
            for method, prefix in (("POST", SUBMIT_PATH), ("GET", STATUS_PATH))
        ]
        return ServerLinks(
            name=f"{_DISTRIBUTION} mock-server",
            version=__version__,
            base_url=base_url,
            dashboard=f"{base_url}/_mock/",
            openapi=f"{base_url}/openapi.json",
            control_openapi=f"{base_url}/_mock/openapi.json",
            info=f"{base_url}/_mock/info",
            documentation=documentation(_project_urls()),
            endpoints=[*endpoints, EndpointPath("GET", BALANCE_PATH)],
        )


def _prefers_html(headers: Headers) -> bool:
    """Return whether the client names HTML, and does not name JSON before it."""
    accepted = [each.partition(";")[0].strip() for each in headers.get("accept", "").split(",")]
    named = [each for each in accepted if each in {"text/html", "application/json"}]
    return named[:1] == ["text/html"]


def _page(links: ServerLinks) -> str:
    named = {
        "Dashboard": links.dashboard,
        "OpenAPI document of the provider's endpoints": links.openapi,
        "OpenAPI document of the control plane": links.control_openapi,
        "Version, seed and settings of this server": links.info,
        "Documentation": links.documentation,
    }
    return _PAGE.substitute(
        version=escape(links.version),
        base_url=escape(links.base_url),
        submit=escape(links.endpoints[0].path),
        links="\n".join(
            f'<li><a href="{escape(url)}">{escape(name)}</a></li>'
            for name, url in named.items()
            if url
        ),
        endpoints="\n".join(
            f"<li><code>{each.method} {escape(each.path)}</code></li>" for each in links.endpoints
        ),
    )


def documentation(project_urls: Iterable[str]) -> str | None:
    """Return the address of the documentation, which may be in the repository only.

    `project_urls` are the URLs that a distribution declares, each with its label.
    """
    named = dict(each.split(", ", 1) for each in project_urls)
    return named.get("Documentation") or named.get("Repository")


def _project_urls() -> list[str]:
    from importlib.metadata import PackageNotFoundError, metadata  # noqa: PLC0415  # slow to import

    try:
        return metadata(_DISTRIBUTION).get_all("Project-URL") or []
    except PackageNotFoundError:  # The source tree is on the path, but not installed.
        return []
