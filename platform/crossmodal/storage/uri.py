"""Read and publish by URI: plain paths on a laptop, s3:// on a cluster."""

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import fsspec
import pyarrow.fs
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

from crossmodal.config import UnavailableError, UserError
from crossmodal.storage.atomic import new_folder, translate_disk_errors, write_file
from crossmodal.storage.s3 import ObjectStore

# A store that does not answer is told within seconds; large transfers still get a minute between bytes.
_CLIENT = {"connect_timeout": 3, "read_timeout": 60, "retries": {"mode": "standard", "total_max_attempts": 3}}
# Bounds the first question to a store over all retries, also when it accepts the connection and then says nothing.
_PROBE_S = 15


class StoreAwayError(UnavailableError):
    """The store does not answer now; what was asked of it may be asked again."""


def is_local(uri: str) -> bool:
    """Tell whether a URI is a plain path."""
    return "://" not in uri


def absolute(uri: str) -> str:
    """Name the same place for processes that run in other folders."""
    return os.path.abspath(uri) if is_local(uri) else uri


def join(uri: str, *parts: str) -> str:
    """Name something below a URI."""
    return "/".join([uri.rstrip("/"), *parts])


def open_fs(uri: str, anonymous: bool = False, endpoint_url: str | None = None) -> tuple[fsspec.AbstractFileSystem, str]:
    """Return the file system that holds a URI, and the path on it.

    Parameters
    ----------
    uri : str
        A plain path, or s3://bucket/path read with the standard AWS_* variables, AWS_ENDPOINT_URL included.
    anonymous : bool
        Read s3:// without credentials.
    endpoint_url : str, optional
        S3 server where it is not AWS_ENDPOINT_URL's: a public dataset on AWS beside a store of one's own.
    """
    if is_local(uri):
        return fsspec.filesystem("file"), os.path.abspath(uri)
    scheme, _, path = uri.partition("://")
    if scheme != "s3":
        raise UserError(f"{uri}: '{scheme}://' is not supported; give a plain path or s3://bucket/path")
    # fsspec keeps one client for equal arguments: the endpoint is one of them, so that another store gets another client. Listings are not
    # cached, since other processes publish meanwhile.
    client = ObjectStore(anon=anonymous, endpoint_url=endpoint_url or _endpoint(), config_kwargs=_CLIENT, use_listings_cache=False)
    return client, path


def arrow_filesystem(uri: str) -> tuple[pyarrow.fs.FileSystem | None, str]:
    """Return what Ray takes as storage_filesystem and storage_path; None is Ray's own, for plain paths.

    pyarrow's own S3 client uploads in chunks without a length, which not every server takes: s3fs stands in.
    """
    filesystem, path = open_fs(uri)
    return (None if is_local(uri) else pyarrow.fs.PyFileSystem(pyarrow.fs.FSSpecHandler(filesystem))), path


def exists(uri: str) -> bool:
    """Tell whether a file lies at a URI, or anything below it."""
    filesystem, path = open_fs(uri)
    with translate_store_errors(uri):
        return bool(filesystem.exists(path))


def file_details(uri: str, anonymous: bool = False, endpoint_url: str | None = None) -> dict[str, Any]:
    """Tell what a listing says of one file: its name, type and size, and a time or an ETag.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    UserError
        Its store cannot be reached, or refuses it.
    """
    filesystem, path = open_fs(uri, anonymous, endpoint_url)
    with translate_store_errors(uri, endpoint_url):
        return dict(filesystem.info(path))


def list_names(uri: str) -> list[str]:
    """Name what lies in a folder, sorted; nothing where there is no folder."""
    filesystem, path = open_fs(uri)
    with translate_store_errors(uri):
        try:
            return sorted(Path(found).name for found in filesystem.ls(path, detail=False))
        except FileNotFoundError:
            return []


def remove_folder(uri: str) -> None:
    """Remove a folder with all that is in it, if it is there."""
    filesystem, path = open_fs(uri)
    with translate_store_errors(uri):
        if filesystem.exists(path):
            filesystem.rm(path, recursive=True)


def remove_file(uri: str) -> None:
    """Remove a file, if it is there."""
    filesystem, path = open_fs(uri)
    with translate_store_errors(uri), contextlib.suppress(FileNotFoundError):
        filesystem.rm_file(path)


def read_bytes(uri: str) -> bytes:
    """Read a whole file."""
    filesystem, path = open_fs(uri)
    with translate_store_errors(uri):
        return bytes(filesystem.cat_file(path))


def write_bytes(uri: str, content: bytes) -> None:
    """Write a whole file, replacing what was there; a failure leaves what was there."""
    filesystem, path = open_fs(uri)
    if is_local(uri):
        return write_file(Path(path), content)
    with translate_store_errors(uri):
        filesystem.pipe_file(path, content)


def read_json(uri: str) -> Any:
    """Read a JSON document."""
    try:
        return json.loads(read_bytes(uri))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{uri}: not a JSON document ({error}); delete it and run again") from None


def write_json(uri: str, document: Any) -> None:
    """Write a JSON document whole."""
    write_bytes(uri, json.dumps(document, indent=1, sort_keys=True, allow_nan=False).encode())


def publish_folder(local_dir: Path, uri: str, last: str) -> None:
    """Move a finished local folder to its URI, where it is whole or absent.

    Parameters
    ----------
    local_dir : Path
        Handed over: it may be gone afterwards.
    uri : str
        A folder already published there stays as it is.
    last : str
        The file uploaded after all others. Object stores have no folders to rename, so a folder there counts as
        present when this file is.
    """
    filesystem, path = open_fs(uri)
    if is_local(uri):
        with new_folder(Path(path)) as aside:
            for file in local_dir.iterdir():
                shutil.move(file, aside / file.name)
        return
    if exists(join(uri, last)):
        return
    others = sorted(file for file in local_dir.iterdir() if file.name != last)
    with translate_store_errors(uri):
        filesystem.put([str(file) for file in others], [join(path, file.name) for file in others])
        filesystem.put_file(str(local_dir / last), join(path, last))


def fetch_file(uri: str, path: Path, anonymous: bool = False, endpoint_url: str | None = None) -> None:
    """Copy a file to a local path, which may hold a part of it when this fails.

    Raises
    ------
    FileNotFoundError
        There is no such file.
    """
    filesystem, source = open_fs(uri, anonymous, endpoint_url)
    with translate_disk_errors(path.parent), translate_store_errors(uri, endpoint_url):
        filesystem.get_file(source, str(path))


def fetch_folder(uri: str, local_dir: Path) -> None:
    """Copy the files of a folder to a local one, in parallel; the local folder is whole or absent."""
    filesystem, path = open_fs(uri)
    with new_folder(local_dir) as aside, translate_store_errors(uri):
        try:
            files = filesystem.ls(path, detail=False)
        except FileNotFoundError:
            raise UserError(f"{uri}: is no longer in the store; run the job that makes it again") from None
        filesystem.get(files, [str(aside / Path(file).name) for file in files])


def check_reachable(uri: str, anonymous: bool = False, endpoint_url: str | None = None) -> None:
    """Refuse a store that cannot be reached, before any work is spent.

    Raises
    ------
    UserError
        Within seconds: the server does not answer, refuses the credentials, or has no such bucket; or a plain
        path lies where one may not write.
    """
    filesystem, path = open_fs(uri, anonymous, endpoint_url)
    if is_local(uri):
        nearest = next(folder for folder in [Path(path), *Path(path).parents] if folder.exists())
        if not (nearest.is_dir() and os.access(nearest, os.W_OK)):
            raise UserError(f"{uri}: cannot be written below {nearest}; choose another store")
        return
    bucket, _, prefix = path.partition("/")
    with translate_store_errors(uri, endpoint_url):
        try:
            filesystem.call_s3("list_objects_v2", Bucket=bucket, Prefix=prefix, MaxKeys=1, timeout=_PROBE_S)
        except FileNotFoundError:
            raise UserError(
                f"{uri}: there is no bucket '{bucket}' at {endpoint_url or _endpoint() or 'AWS'}; create it or check the name"
            ) from None


def _endpoint() -> str | None:
    return os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")


def translate_store_errors(uri: str, endpoint_url: str | None = None) -> AbstractContextManager[None]:
    """Turn what the store of a URI refuses, whoever asks it, into one sentence.

    Raises
    ------
    UserError
        The disk or the server refused; StoreAwayError where it does not answer.
    """
    return translate_disk_errors(uri) if is_local(uri) else _translate_object_store_errors(uri, endpoint_url or _endpoint() or "AWS")


@contextmanager
def _translate_object_store_errors(uri: str, server: str) -> Iterator[None]:
    """Turn what an object store refuses into one sentence; what is merely missing passes unchanged."""
    where = f"{uri} at {server}"
    try:
        yield
    except FileNotFoundError:
        raise
    except NoCredentialsError as error:
        keys = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        raise UnavailableError(f"{where}: no credentials; set {keys}, or read anonymously where that is allowed") from error
    except (BotoCoreError, ConnectionError, TimeoutError) as error:
        raise StoreAwayError(
            f"{where}: the store cannot be reached; check its address, AWS_ENDPOINT_URL and the network ({str(error) or 'no answer'})"
        ) from error
    except OSError as error:
        # s3fs translates every answer of the server into some OSError; others are the local disk's.
        if not isinstance(error.__cause__, ClientError):
            raise
        if error.__cause__.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:
            raise StoreAwayError(f"{where}: the store has a failure of its own; look into its log ({error})") from error
        # One object may be forbidden for good; whatever else a server answers may be another answer the next time.
        kind = UserError if isinstance(error, PermissionError) else UnavailableError
        raise kind(f"{where}: the store refused; check the bucket's name and the AWS_* credentials ({error})") from error
