"""What is wanted of a submit: by directives, a rule, reference images and moderation, in order."""

from mock_server.domain.catalogue import Catalogue
from mock_server.domain.directives import parse_directives, without_directives
from mock_server.domain.moderation import find_moderated_word
from mock_server.domain.planner import DEFAULT_BRIEF, Brief, make_brief
from mock_server.domain.ports import BadImage
from mock_server.domain.rule_book import RuleMatch
from mock_server.domain.sandbox_settings import SandboxSettings
from mock_server.domain.submission import Submission


class Briefing:
    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def brief(
        self,
        submission: Submission,
        settings: SandboxSettings,
        bad_image: BadImage | None,
        applied: RuleMatch | None = None,
    ) -> Brief:
        """Raise InvalidRequest when a directive is unknown."""
        prompt, fail_messages = submission.prompt, self._catalogue.fail_messages
        asked = None
        if "[[mock" in prompt and not settings.strict:
            asked = parse_directives(prompt, fail_messages)
            prompt = without_directives(prompt)
        word = find_moderated_word(prompt, self._catalogue.moderated_words)
        ruled = applied if applied and applied.effect.outcome else None
        if asked is None and bad_image is None and word is None and ruled is None:
            return DEFAULT_BRIEF
        return make_brief(
            asked,
            bad_image,
            word,
            ruled=ruled,
            fail_messages=fail_messages,
            image_fail_codes=settings.image_fail_codes,
        )
