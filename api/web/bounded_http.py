"""The HTTP parser with a bound on what it may hold of a request that is not its body.

httptools keeps a request line, headers and trailers until they end, however long they grow, and `uvicorn` bounds them
only for h11. Without this, one stranger's connection could take all memory.
"""

import json

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from api.errors import Problem

MAX_HEAD_BYTES = 131_072

_PROBLEM = Problem("headers-too-large", f"The address and headers hold more than {MAX_HEAD_BYTES} bytes; send less")
_REFUSAL = json.dumps(_PROBLEM.as_json("about:blank"), ensure_ascii=False).encode()
_ANSWER = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncache-control: private, no-store\r\n"
    b"content-type: application/problem+json\r\ncontent-length: %d\r\n\r\n%b" % (len(_REFUSAL), _REFUSAL)
)


class BoundedHttp(HttpToolsProtocol):
    """Closes a connection that sends more than `MAX_HEAD_BYTES`, give or take one read, without a head or any body."""

    _unfinished = 0
    _went_on = False

    def data_received(self, data: bytes) -> None:
        """Count what came since the parser last got anywhere: a whole head, or a piece of a body."""
        self._went_on = False
        super().data_received(data)
        self._unfinished = 0 if self._went_on else self._unfinished + len(data)
        if self._unfinished > MAX_HEAD_BYTES and not self.transport.is_closing():
            if self.cycle is None or self.cycle.response_complete:
                self.transport.write(_ANSWER)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """Note that a head came to its end."""
        self._went_on = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Note that a piece of a body came."""
        self._went_on = True
        super().on_body(body)
