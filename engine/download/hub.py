"""Asks a server that speaks the Hub's language for names, sizes and checksums.

Only for a process of its own: elsewhere the Hub's library is told to stay offline.
"""

from __future__ import annotations

import json
import os
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi, constants, get_token, hf_hub_url
from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError
from huggingface_hub.file_download import repo_folder_name
from huggingface_hub.utils import get_session

from engine.download.answers import TryAgain, refusal, seconds_to_wait
from engine.download.wanted_files import (
    ENCODER_ONLY_REPOSITORY,
    ENCODER_REPOSITORY,
    MODEL_REPOSITORY,
    Checksum,
    ChecksumKind,
    HubFile,
    WantedFile,
    encoder_files,
    model_files,
)
from engine.errors import DownloadError

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

    from engine.download.patience import Patience
    from engine.download.waiting import Waiting

_HUB_HOST = "huggingface.co"
_MAX_SMALL_BYTES = 16 * 2**20
_TEMPORARY = (408, 425, 429)
_SERVER_FAULTS = 500


class Hub:
    """One server.

    Attributes:
        endpoint: its address, without a "/" at the end.
        client: makes its connections.
    """

    def __init__(self, endpoint: str | None, patience: Patience) -> None:
        self.endpoint = (endpoint or constants.ENDPOINT).rstrip("/")
        parts = urlsplit(self.endpoint)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise DownloadError(
                f"{self.endpoint!r} is not the address of a server. It looks like "
                f"https://{_HUB_HOST}."
            )
        self.client = get_session()
        self._host = parts.hostname
        self._timeout = patience.connect_seconds
        # A token that is stored on this computer was given by the Hub, and is nobody else's.
        is_hub = self._host == _HUB_HOST and parts.scheme == "https"
        self._token = get_token() if is_hub else os.environ.get("HF_TOKEN")
        self._api = HfApi(endpoint=self.endpoint, token=self._token or False)

    def headers(self, url: str) -> dict[str, str]:
        """What a request for `url` says of who asks: the token goes to the server itself only."""
        address, own = urlsplit(url), urlsplit(self.endpoint)
        if self._token and (address.scheme, address.netloc) == (own.scheme, own.netloc):
            return {"Authorization": f"Bearer {self._token}"}
        return {}

    def url(self, file: HubFile) -> str:
        """Where `file` is, in the state in which it was listed."""
        return hf_hub_url(file.repository, file.path, revision=file.commit, endpoint=self.endpoint)

    def cache_folders(self) -> list[Path]:
        """Where the Hub's own library keeps files of these repositories on this computer."""
        cache = Path(constants.HF_HUB_CACHE)
        return [
            cache / repo_folder_name(repo_id=name, repo_type="model")
            for name in (MODEL_REPOSITORY, ENCODER_REPOSITORY, ENCODER_ONLY_REPOSITORY)
        ]

    def wanted_files(self, waiting: Waiting, *, encoder_only: bool) -> list[WantedFile]:
        """All files of the official model, the text encoder's last.

        Args:
            waiting: for the pauses between tries.
            encoder_only: whether the encoder comes from the repository that has no decoder.

        Raises:
            DownloadError: there is no connection, no access, or a file is missing.
            Cancelled: while waiting.
        """

        def read_index(file: HubFile) -> dict[str, object]:
            return waiting.repeated(lambda: self._read_json(file))

        def listing(name: str) -> dict[str, HubFile]:
            return waiting.repeated(lambda: self._listing(name))

        model = model_files(listing(MODEL_REPOSITORY))
        full = listing(ENCODER_REPOSITORY)
        name = ENCODER_ONLY_REPOSITORY if encoder_only else ENCODER_REPOSITORY
        weights = listing(name) if encoder_only else full
        return [*model, *encoder_files(weights, full, name, read_index)]

    def _listing(self, repository: str) -> dict[str, HubFile]:
        try:
            info = self._api.model_info(repository, files_metadata=True, timeout=self._timeout)
        except HfHubHTTPError as error:
            raise self._in_words(error, repository) from error
        except httpx2.TransportError as error:
            raise TryAgain(f"{self._host} does not answer", detail=repr(error)) from error
        except (ValueError, TypeError, KeyError, AttributeError, httpx2.HTTPError) as error:
            # What the library makes of an answer that is none of the Hub's.
            raise self._not_a_hub(error) from error
        commit = info.sha or ""
        files = [_hub_file(repository, commit, file) for file in info.siblings or []]
        if not commit or not files:
            raise self._not_a_hub(ValueError("no commit, or no files"))
        return {file.path: file for file in files if file is not None}

    def _read_json(self, file: HubFile) -> dict[str, object]:
        if file.size > _MAX_SMALL_BYTES:
            raise DownloadError(f"{file.path} of {file.repository} is too large to be an index.")
        url = self.url(file)
        headers = {**self.headers(url), "Accept-Encoding": "identity"}
        try:
            answer = self.client.get(url, headers=headers, timeout=self._timeout)
        except (httpx2.TransportError, httpx2.TooManyRedirects) as error:
            raise TryAgain(f"{self._host} does not answer", detail=repr(error)) from error
        if answer.status_code != HTTPStatus.OK:
            raise refusal(answer.status_code, answer.headers, self._host, is_hub=True)
        hasher = file.checksum.hasher(file.size)
        hasher.update(answer.content)
        if hasher.hexdigest() != file.checksum.digest:
            raise TryAgain(f"{self._host} sent a damaged {file.path}", is_doubtful=True)
        try:
            value: object = json.loads(answer.content)
        except (ValueError, RecursionError) as error:
            raise self._not_a_hub(error) from error
        return cast("dict[str, object]", value) if isinstance(value, dict) else {}

    def _in_words(self, error: HfHubHTTPError, repository: str) -> Exception:
        response = error.response
        status = response.status_code
        if status in _TEMPORARY or status >= _SERVER_FAULTS:
            return TryAgain(
                f"{self._host} is busy (it answered {status})",
                seconds=seconds_to_wait(response.headers),
            )
        if isinstance(error, GatedRepoError | RepositoryNotFoundError) or status in {401, 403}:
            return refusal(403, response.headers, self._host, is_hub=True, name=repository)
        return refusal(status, response.headers, self._host, is_hub=True, name=repository)

    def _not_a_hub(self, error: Exception) -> DownloadError:
        return DownloadError(
            f"{self._host} does not answer as the Hugging Face Hub does. Look at the address of "
            "the server, or whether a page of your network asks you to sign in first.",
            detail=repr(error),
        )


def _hub_file(repository: str, commit: str, file: RepoSibling) -> HubFile | None:
    """None for a file that nobody could check."""
    checksum = None
    if file.lfs is not None:
        checksum = Checksum(kind=ChecksumKind.SHA256, digest=file.lfs.sha256)
    elif file.blob_id is not None:
        checksum = Checksum(kind=ChecksumKind.GIT_BLOB, digest=file.blob_id)
    if checksum is None or file.size is None:
        return None
    return HubFile(
        repository=repository,
        commit=commit,
        path=file.rfilename,
        size=file.size,
        checksum=checksum,
    )
