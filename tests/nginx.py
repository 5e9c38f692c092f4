"""A real nginx on a free port, its workers running as www-data."""
import pathlib
import socket
import subprocess
import urllib.error
import urllib.request

from limited import LIMIT, eventually, wait_for_exit

CONFIG = """
user www-data;
worker_processes {workers};
daemon off;
pid {place}/nginx.pid;
error_log {place}/error.log;
events {{ worker_connections 1024; }}
http {{
	types {{ text/html html; image/jpeg jpg; text/plain txt; application/octet-stream bin; }}
	default_type application/octet-stream;
	log_format brief '$request_method $status $body_bytes_sent $request_uri';
	log_format protocols '$server_protocol $connection $status $request_uri';
	access_log {place}/access.log brief;
	client_body_temp_path {place}/tmp-body;
	proxy_temp_path {place}/tmp-proxy;
	fastcgi_temp_path {place}/tmp-fastcgi;
	scgi_temp_path {place}/tmp-scgi;
	uwsgi_temp_path {place}/tmp-uwsgi;
	sendfile on;
	keepalive_requests 100000;
	server {{
		listen 127.0.0.1:{port} backlog=1024;
		root {root};
		{extra}
	}}
}}
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Nginx:
    def __init__(self, root, place, extra="", workers=2):
        self.place = pathlib.Path(place)
        self.place.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = self.place / "nginx.conf"
        config.write_text(CONFIG.format(place=self.place, port=self.port, root=root,
                                        extra=extra, workers=workers))
        self.process = subprocess.Popen(
            ["nginx", "-c", str(config), "-p", str(self.place), "-e",
             str(self.place / "error.log")], stdin=subprocess.DEVNULL)
        try:
            eventually(self._answers, "nginx answers")
        except AssertionError:
            self.close()
            raise

    def _answers(self):
        assert self.process.poll() is None, self.errors()
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def errors(self):
        log = self.place / "error.log"
        return log.read_text() if log.exists() else ""

    def requests(self):
        """(method, status, bytes, target) of each request so far."""
        log = self.place / "access.log"
        lines = log.read_text().splitlines() if log.exists() else []
        found = []
        for line in lines:
            method, status, size, target = line.split(" ", 3)
            found.append((method, int(status), int(size), target))
        return found

    def get(self, target, method="GET", **headers):
        """Status, headers, body."""
        request = urllib.request.Request(self.url + target, method=method, headers={
            name.replace("_", "-"): value for name, value in headers.items()})
        try:
            with urllib.request.urlopen(request, timeout=LIMIT) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as answer:
            with answer:
                return answer.code, answer.headers, answer.read()

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                wait_for_exit(self.process)
            finally:
                self.process.kill()
