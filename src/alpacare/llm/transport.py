"""One call to a server, and a class for each kind of failure."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urljoin, urlsplit

from tenacity import AsyncRetrying, retry_if_exception_type
from tenacity.wait import wait_random_exponential

from alpacare.core.errors import BadInput
from alpacare.core.hosts import check_host
from alpacare.llm.endpoints import Endpoint
from alpacare.llm.json_bytes import Unreadable
from alpacare.llm.reply import refusal_reply
from alpacare.llm.reply_reader import Reply, ServerError, read_reply
from alpacare.llm.request import Request

if TYPE_CHECKING:
    from openai import APIStatusError, AsyncOpenAI

T = TypeVar("T")
FIRST_WAIT = 0.25  # seconds at most before a second try
_CONNECT = 10.0  # seconds for a connection to open, however long an answer may take
_NO_KEY = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_TRANSIENT = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, 425)  # 425: too early
_GATEWAY = (HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT)  # the work may have been done
_ABORTED = ("abort", "error", "insufficient_system_resource")  # why a reply ended early
_GRACE = 1.0  # seconds after the timeout, when a call is ended that the client did not end
_QUOTA = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")


class Fault(Exception):
    """A call failed; another try may succeed."""

    def __init__(
        self,
        kind: str,
        text: str = "",
        *,
        billed: bool = False,
        reached: bool = True,
        headers: Any = None,
    ) -> None:
        super().__init__(f"{kind}: {text}" if text else kind)
        self.kind = kind
        self.billed = billed  # whether the vendor may have done the work
        self.reached = reached
        self.headers: Mapping[str, str] = headers or {}


def retry_faults(stop: Any, sleep: Callable[[float], Awaitable[None]]) -> AsyncRetrying:
    """Call again after a fault, with full jitter, until `stop`; then the last fault is raised."""
    wait = wait_random_exponential(multiplier=2 * FIRST_WAIT, max=30)
    faults = retry_if_exception_type(Fault)
    return AsyncRetrying(retry=faults, wait=wait, stop=stop, sleep=sleep, reraise=True)


class Unread(Fault):
    """A reply with status 200 that cannot be read; `again`: another try may bring an answer."""

    def __init__(self, error: Unreadable, body: bytes, charset: str | None, headers: Any) -> None:
        super().__init__("broken body", str(error), billed=True, headers=headers)
        self.problem = str(error)
        self.again = error.broken
        self.body = body
        self.charset = charset


class Rejected(Exception):
    """The server will never answer this request as it is."""


class _Filtered(Exception):
    """A content filter refused the prompt: that is an answer."""


@dataclass(frozen=True)
class Received:
    """A server's answer, and the headers."""

    reply: Reply
    headers: Mapping[str, str]


class Transport:
    """The openai client with its aiohttp transport; its retries are off, as ours replace them."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Make the client of one server.

        Raises:
            BadInput: `hosts` in params.yaml does not name the server's host or that of a proxy
                that would read along, or there is no key.
        """
        from httpx2 import Limits, Timeout
        from openai import AsyncOpenAI, DefaultAioHttpClient

        for host, source in endpoint.list_readers():
            check_host(host, source)
        self.endpoint = endpoint
        self._key = endpoint.read_key()
        address, query = endpoint.split_address()
        timeout = Timeout(endpoint.timeout, connect=min(_CONNECT, endpoint.timeout))
        most = endpoint.in_flight
        limits = Limits(max_connections=most, max_keepalive_connections=most)
        self.client: AsyncOpenAI = AsyncOpenAI(
            api_key=self._key,
            base_url=address,
            default_query=query,
            default_headers={"api-key": self._key} if "api-version" in query else None,
            max_retries=0,
            timeout=timeout,
            # a redirect would take text and key to a host that no setting names
            http_client=DefaultAioHttpClient(
                limits=limits, timeout=timeout, follow_redirects=False
            ),
        )

    async def send(self, request: Request) -> Received:
        """Send a request; errors as `call`."""
        import httpx2

        try:
            reply = await self.call(
                lambda client: client.post(
                    request.path, cast_to=httpx2.Response, body=request.body
                ),
                request.label or request.key()[:12],
            )
        except _Filtered as error:
            raw = refusal_reply(str(error), str(request.body["model"]))
            return Received(read_reply(raw), {})
        return _read(reply.content, reply.charset_encoding, reply.headers)

    async def call(
        self, action: Callable[["AsyncOpenAI"], Awaitable[T]], label: str = "the server"
    ) -> T:
        """Use the client, and classify what goes wrong.

        Raises:
            Fault: another try may succeed.
            Rejected: this request will never be answered.
            BadInput: no request will be answered (key, quota, address, model).
        """
        import aiohttp
        import openai

        try:
            # the client's own timeout restarts at every byte: a proxy's blanks make it endless
            async with asyncio.timeout(self.endpoint.timeout + _GRACE):
                return await action(self.client)
        except TimeoutError:
            raise Fault("timeout", billed=True) from None
        except openai.APIConnectionError as error:  # a timeout too
            raise _connection_fault(error) from None
        except (aiohttp.ClientError, ValueError):  # the client lets it pass; its text has the key
            raise Fault("broken reply", billed=True) from None
        except openai.APIStatusError as error:
            raise self._classify(error, label) from None

    def _classify(self, error: "APIStatusError", label: str) -> Exception:
        """Choose the exception for an error status."""
        status, code, headers = error.status_code, error.code or "", error.response.headers
        body = error.body
        message = body.get("message") if isinstance(body, dict) else None
        text = self.redact(str(message or error.response.text))
        where = self.endpoint.address
        if error.response.has_redirect_location:
            return BadInput(
                f"{where} answers {status} and sends on to {self._target(headers)}, where nothing "
                "is sent: if that is the server, write its address into base_url"
            )
        if status in _NO_KEY:
            name = self.endpoint.api_key or "the environment"
            return BadInput(f"{where} refuses the key in {name} ({status}): {text}")
        if code in _QUOTA or status == HTTPStatus.PAYMENT_REQUIRED:
            return BadInput(f"{where}: the account's quota is exhausted: {text}")
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            return Fault("429", text, headers=headers)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in _TRANSIENT:
            return Fault(str(status), text, billed=status in _GATEWAY, headers=headers)
        if status == HTTPStatus.NOT_FOUND:
            return BadInput(f"{where} has no such address or model (404): {text}")
        if code == "content_filter":
            return _Filtered(text)
        return Rejected(f"{label}: {status}, {text}")

    def _target(self, headers: Mapping[str, str]) -> str:
        """Name the scheme and host that a redirect points to; the rest of it may hold anything."""
        try:
            parts = urlsplit(urljoin(self.endpoint.address, headers["location"]))
        except ValueError:  # brackets without an IPv6 address in them
            return "an address that is none"
        return self.redact(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}")

    def redact(self, text: str) -> str:
        """Remove the key from a server's text, and shorten it."""
        secret = text.replace(self._key, "***") if self.endpoint.api_key else text
        return " ".join(secret.split())[:300]


def _connection_fault(error: BaseException) -> Fault:
    """Find by its causes whether a call was not sent, broke off, or took too long.

    The client's own classes do not say: its transport reports a connection that broke off, or was
    refused, as one that was too slow to open.
    """
    from aiohttp import ClientConnectorError, ConnectionTimeoutError, ServerTimeoutError

    causes = [error]
    while cause := causes[-1].__cause__ or causes[-1].__context__:
        causes.append(cause)
    if any(isinstance(each, ClientConnectorError | ConnectionTimeoutError) for each in causes):
        return Fault("no connection", reached=False)
    slow = any(isinstance(each, TimeoutError | ServerTimeoutError) for each in causes)
    return Fault("timeout" if slow else "connection lost", billed=True)


def _read(body: bytes, charset: str | None, headers: Mapping[str, str]) -> Received:
    """Read a reply with status 200, which may still hold no answer."""
    try:
        reply = read_reply(body, charset)
    except ServerError:
        raise Fault("error in a 200", headers=headers) from None
    except Unreadable as error:
        raise Unread(error, body, charset, headers) from None
    if (reason := reply.completion.choices[0].finish_reason) in _ABORTED:
        raise Fault(f"finish_reason {reason}", billed=True, headers=headers)
    return Received(reply, headers)
