"""The session with a fake source and a fake model, as the tests of `live` have it."""

from tests.live.test_session import harness  # noqa: F401
