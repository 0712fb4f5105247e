"""Mutants of AUTH."""

from dataclasses import replace

from tests.contract_tests.mutants.harness import (
    Asked,
    Mutant,
    Told,
    answers,
    requests,
)
from tests.contract_tests.mutants.steering import BALANCE

_KEY = b"authorization"


def _with_key(asked: Asked, value: bytes) -> Asked:
    others = tuple(each for each in asked.headers if each[0] != _KEY)
    return replace(asked, headers=(*others, (_KEY, value)))


def _refuses_everybody(asked: Asked, told: Told) -> Told:
    return told.with_status(401) if asked.path == BALANCE and told.status == 200 else told


def _403(asked: Asked, told: Told) -> Told:
    return told.with_status(403) if told.status == 401 else told


def _missing_is_bad_request(asked: Asked, told: Told) -> Told:
    is_missing = told.status == 401 and not asked.header(_KEY) and asked.is_status
    return told.with_status(400) if is_missing else told


def _balance_for_all(asked: Asked) -> Asked:
    is_open = asked.path == BALANCE and not asked.header(_KEY)
    return _with_key(asked, b"Bearer somebody") if is_open else asked


def _invalid_passes(asked: Asked) -> Asked:
    return _with_key(asked, asked.header(_KEY).replace(b"sk-invalid", b"sk-valid"))


def _case_matters(asked: Asked) -> Asked:
    return asked if asked.header(_KEY).startswith(b"Bearer") else _with_key(asked, b"")


def _spaces_matter(asked: Asked) -> Asked:
    return _with_key(asked, b"") if asked.header(_KEY).startswith(b"Bearer  ") else asked


def _any_scheme(asked: Asked) -> Asked:
    value = asked.header(_KEY)
    return _with_key(asked, b"Bearer " + value.rpartition(b" ")[2]) if value else asked


def _glued_key(asked: Asked) -> Asked:
    value = asked.header(_KEY)
    is_glued = value.startswith(b"Bearer") and b" " not in value and value != b"Bearer"
    return _with_key(asked, b"Bearer " + value.removeprefix(b"Bearer")) if is_glued else asked


def _one_account(asked: Asked) -> Asked:
    return _with_key(asked, asked.header(_KEY).replace(b"-other", b"-own"))


def _tasks_are_public(asked: Asked) -> Asked:
    return _one_account(asked) if asked.is_status else asked


def _common_balance(asked: Asked) -> Asked:
    return _one_account(asked) if asked.path == BALANCE else asked


def _401_for_403(asked: Asked, told: Told) -> Told:
    return told.with_status(401) if told.status == 403 else told


def _403_without_an_envelope(asked: Asked, told: Told) -> Told:
    return replace(told, body=b"Forbidden") if told.status == 403 else told


def _forbidden_passes(asked: Asked) -> Asked:
    return _with_key(asked, asked.header(_KEY).replace(b"sk-forbidden", b"sk-allowed"))


MUTANTS = (
    Mutant(name="refuses-good-keys", clause="AUTH-1", make=answers(_refuses_everybody)),
    Mutant(name="403-for-401", clause="AUTH-2", make=answers(_403)),
    Mutant(name="400-for-a-missing-key", clause="AUTH-2", make=answers(_missing_is_bad_request)),
    Mutant(name="balance-without-a-key", clause="AUTH-2", make=requests(_balance_for_all)),
    Mutant(name="invalid-key-passes", clause="AUTH-2", make=requests(_invalid_passes)),
    Mutant(name="scheme-in-one-spelling", clause="AUTH-3", make=requests(_case_matters)),
    Mutant(name="spaces-before-the-key", clause="AUTH-3", make=requests(_spaces_matter)),
    Mutant(name="any-scheme", clause="AUTH-3", make=requests(_any_scheme)),
    Mutant(name="no-space-needed", clause="AUTH-3", make=requests(_glued_key)),
    Mutant(name="tasks-are-public", clause="AUTH-4", make=requests(_tasks_are_public)),
    Mutant(name="one-balance-for-all", clause="AUTH-4", make=requests(_common_balance)),
    Mutant(name="one-limit-for-all", clause="AUTH-4", make=requests(_one_account)),
    Mutant(name="401-for-403", clause="AUTH-5", make=answers(_401_for_403)),
    Mutant(name="403-without-an-envelope", clause="AUTH-5", make=answers(_403_without_an_envelope)),
    Mutant(name="forbidden-key-passes", clause="AUTH-5", make=requests(_forbidden_passes)),
)
