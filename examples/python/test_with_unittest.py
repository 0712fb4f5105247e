import os
import unittest
from unittest import mock

import painter

import mock_server
from mock_server.testing.sandbox import ApixoMock


class Painting(unittest.TestCase):
    def setUp(self) -> None:
        server = self.enterContext(mock_server.running())
        self.sandbox = self.enterContext(ApixoMock.begun(server.base_url))
        self.enterContext(
            mock.patch.dict(
                os.environ,
                APIXO_BASE_URL=self.sandbox.base_url,
                APIXO_API_KEY=self.sandbox.api_key,
            )
        )

    def test_a_picture_is_painted(self) -> None:
        urls = painter.paint("a fox", sleep=self.sandbox.advance)

        self.assertEqual(len(urls), 1)


if __name__ == "__main__":
    unittest.main()
