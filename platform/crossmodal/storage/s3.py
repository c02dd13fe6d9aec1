"""The client of object stores."""

from typing import Any

from botocore.handlers import add_expect_header
from s3fs import S3FileSystem


class ObjectStore(S3FileSystem):
    """s3fs, without asking a store for leave to upload.

    Uploads ask by `Expect: 100-continue`, and aiohttp 3.14 waits for the answer without any time limit: where it is lost, as on a
    connection to a server that was just started again, the upload never ends. Without the question `read_timeout` bounds all waits.
    """

    async def set_session(self, refresh: bool = False, kwargs: dict[str, Any] = {}) -> Any:  # noqa: B006 (as s3fs has it)
        """Connect, or return the connection there is."""
        known = self._s3
        client = await super().set_session(refresh, kwargs)
        if client is not known:
            client.meta.events.unregister("before-call.s3", add_expect_header)
        return client
