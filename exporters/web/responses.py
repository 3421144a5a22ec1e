"""Which HTTP status and which words each error becomes; nowhere else is a status chosen.

Errors are plain text, one thought to a line, for the person who reads them in a terminal, in a
browser or in the log of a Prometheus. They never hold a stack trace.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

from aiohttp import hdrs, web

from exporters.errors import BadRequest, ConfigError, Forbidden, TargetError
from exporters.logs import fields
from exporters.web.whole import OthersSilentError, PartialReloadError

logger = logging.getLogger(__name__)


def plain_text(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """Answer with *text* as text/plain, ended by a newline."""
    return web.Response(status=status, text=f"{text}\n", headers=headers)


def error_response(request: web.Request, error: Exception) -> web.Response:
    """Turn what a handler raised into an answer; what nobody foresaw is logged, once, here."""
    match error:
        case Forbidden():
            return plain_text(403, str(error))
        case BadRequest():
            return plain_text(400, str(error))
        case ConfigError():
            return plain_text(500, f"The configuration is wrong:\n{error}")
        case PartialReloadError():
            return plain_text(500, f"Not every worker has the new configuration:\n{error}")
        case OthersSilentError():
            return plain_text(503, str(error))
        case TargetError():
            # As snmp_exporter does, so that alerts on up == 0 work; metrics tell the reason.
            logger.debug(
                "target not read", extra=fields(path=request.path, reason=error.reason, err=error)
            )
            return plain_text(500, str(error))
        case web.HTTPException():
            return _http_exception(error)
    logger.error(
        "request failed",
        exc_info=error,
        extra=fields(method=request.method, path=request.path, query=request.query_string),
    )
    return plain_text(500, "The exporter failed at this request; its log says why.")


def _http_exception(error: web.HTTPException) -> web.Response:
    """The router's 404 and 405 in plain words, and whatever else a handler raised on purpose."""
    match error:
        case web.HTTPNotFound():
            return plain_text(404, "There is nothing at this address; / lists what there is.")
        case web.HTTPMethodNotAllowed():
            allowed = ", ".join(sorted(error.allowed_methods))
            text = f"This address does not answer to {error.method}, only to {allowed}."
            return plain_text(405, text, {hdrs.ALLOW: allowed})
    headers = error.headers.copy()
    headers.popall(hdrs.CONTENT_TYPE, None)
    headers.popall(hdrs.CONTENT_LENGTH, None)
    return web.Response(status=error.status, text=f"{error.text}\n", headers=headers)
