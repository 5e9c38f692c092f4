"""Real web servers that list directories, as Debian has them: each serves a directory at
.url, and tells what it was asked."""
import http.server
import os
import pathlib
import socket
import subprocess
import threading

from limited import eventually, wait_for_exit
from nginx import free_port

APACHE = """
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule autoindex_module {modules}/mod_autoindex.so
LoadModule mime_module {modules}/mod_mime.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule dav_module {modules}/mod_dav.so
LoadModule dav_fs_module {modules}/mod_dav_fs.so
TypesConfig /dev/null
PidFile {place}/pid
ErrorLog {place}/error.log
ServerName localhost
Listen 127.0.0.1:{port}
DavLockDB {place}/locks
LogFormat "%m %>s %b %U%q" brief
CustomLog {place}/access.log brief
DocumentRoot {root}
User www-data
Group www-data
DirectoryIndex disabled
<Directory {root}>
	Require all granted
	{extra}
</Directory>
"""

LIGHTTPD = """
server.document-root = "{root}"
server.port = {port}
server.bind = "127.0.0.1"
server.errorlog = "{place}/error.log"
server.upload-dirs = ( "{place}" )
mimetype.assign = ( "" => "application/octet-stream" )
server.modules = ( "mod_accesslog", "mod_dirlisting" )
dir-listing.activate = "enable"
accesslog.filename = "{place}/access.log"
accesslog.format = "%m %s %b %r"
"""


class Server:
    """A process that listens on .port."""

    def __init__(self, place, command, **kwargs):
        self.place = pathlib.Path(place)
        self.url = f"http://127.0.0.1:{self.port}"
        with open(self.place / "output", "wb") as output:
            self.process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "--", *command],
                                            stdin=subprocess.DEVNULL, stdout=output,
                                            stderr=output, **kwargs)
        try:
            eventually(self._answers, f"{command[0]} answers")
        except AssertionError:
            self.close()
            raise

    def _answers(self):
        assert self.process.poll() is None, (self.place / "output").read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def close(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                wait_for_exit(self.process)
            finally:
                self.process.kill()


class Apache(Server):
    def __init__(self, root, place, extra="Options +Indexes"):
        self.port = free_port()
        config = pathlib.Path(place) / "apache.conf"
        config.write_text(APACHE.format(modules="/usr/lib/apache2/modules", place=place,
                                        port=self.port, root=root, extra=extra))
        super().__init__(place, ["apache2", "-f", str(config), "-DFOREGROUND"])


class Lighttpd(Server):
    def __init__(self, root, place):
        self.port = free_port()
        config = pathlib.Path(place) / "lighttpd.conf"
        config.write_text(LIGHTTPD.format(place=place, port=self.port, root=root))
        super().__init__(place, ["lighttpd", "-D", "-f", str(config)])


class Caddy(Server):
    def __init__(self, root, place):
        self.port = free_port()
        env = dict(os.environ, HOME=str(place), XDG_CONFIG_HOME=str(place),
                   XDG_DATA_HOME=str(place))
        config = pathlib.Path(place) / "Caddyfile"
        config.write_text("{\n\tadmin off\n\tauto_https off\n}\n"
                          f"http://127.0.0.1:{self.port} {{\n\troot * {root}\n"
                          "\tfile_server browse\n}\n")
        super().__init__(place, ["caddy", "run", "--config", str(config), "--adapter",
                                 "caddyfile"], env=env)


class PythonServer:
    """python3 -m http.server, in this process."""

    def __init__(self, root, place):
        requests = self.requests = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=str(root))

            def log_request(self, code="-", size="-"):
                requests.append((self.command, self.path))

            def log_message(self, *args):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
