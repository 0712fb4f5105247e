"""What `GET /_mock/audit` answers, as types: the part of the kit's report that users rely on."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Verdict = Literal["FAIL", "ERROR", "INCONCLUSIVE", "WARN", "PASS", "SKIP"]
Count = Annotated[int, Meta(ge=0)]


class AuditedRule(msgspec.Struct):
    id: str
    title: str
    clauses: list[str]
    axis: Literal["outcome", "manners"]
    level: Literal["must", "should", "choice"]
    verdict: Verdict
    cases: list[str]
    reason: str
    advice: Annotated[str, Meta(description="what to change; empty where nothing is to be")]


class AuditSummary(msgspec.Struct):
    cases: dict[Verdict, Count]
    rules: dict[Verdict, Count]
    outcome: Verdict
    manners: Verdict
    exit_status: Literal[0, 1, 3]


class ShownAudit(msgspec.Struct):
    version: Literal[1]
    kind: Literal["audit"]
    client: str
    base_url: str
    profile: str
    strict: bool
    seed: int | None
    cases: list[dict[str, Any]]
    rules: list[AuditedRule]
    clauses: list[dict[str, Any]]
    summary: AuditSummary
