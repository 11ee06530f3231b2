"""OHIF before an archive, as hospitals have it: the built `@ohif/app`, and DICOMweb under the same address."""

import http.client
import mimetypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

ROOT = "/dicom-web"
CONFIGURATION = f"""window.config = {{
  routerBasename: null, extensions: [], modes: [], showStudyList: true, customizationService: {{}},
  maxNumberOfWebWorkers: 2, showWarningMessageForCrossOrigin: false, showCPUFallbackMessage: false,
  showLoadingIndicator: true, strictZSpacingForVolumeViewport: true, investigationalUseDialog: {{ option: "never" }},
  defaultDataSourceName: "archive",
  dataSources: [{{
    namespace: "@ohif/extension-default.dataSourcesModule.dicomweb", sourceName: "archive",
    configuration: {{
      friendlyName: "Orthanc", name: "archive",
      wadoUriRoot: "{ROOT}", qidoRoot: "{ROOT}", wadoRoot: "{ROOT}",
      qidoSupportsIncludeField: true, imageRendering: "wadors", thumbnailRendering: "wadors",
      enableStudyLazyLoad: true, supportsFuzzyMatching: false, supportsWildcard: true,
      omitQuotationForMultipartRequest: true,
      bulkDataURI: {{ enabled: true, relativeResolution: "studies" }},
    }},
  }}],
}};
"""


@contextmanager
def serving_ohif(dist: Path, archive: str) -> Iterator[str]:
    """Serve OHIF until the block is left; yield its address.

    Args:
        dist: Folder of the built application.
        archive: Address of the archive's DICOMweb root.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = urlsplit(self.path).path
            if path.startswith(f"{ROOT}/"):
                self._relay()
            elif path == "/app-config.js":
                self._send(CONFIGURATION.encode(), "text/javascript")
            else:
                file = dist / path.lstrip("/")
                file = file if file.is_file() else dist / "index.html"  # of its own pages
                self._send(file.read_bytes(), mimetypes.guess_type(file.name)[0] or "application/octet-stream")

        def _relay(self) -> None:
            target = urlsplit(archive)
            connection = http.client.HTTPConnection(target.netloc, timeout=60)
            headers = {name: self.headers[name] for name in ("Accept", "Host") if name in self.headers}
            connection.request("GET", target.path + self.path.removeprefix(ROOT), headers=headers)
            answer = connection.getresponse()
            self._send(answer.read(), answer.headers["Content-Type"] or "application/json", answer.status)

        def _send(self, body: bytes, media_type: str, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
