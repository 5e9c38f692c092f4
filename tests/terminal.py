"""A program on a terminal of its own (a pty), as a person has it."""
import fcntl
import os
import re
import signal
import struct
import subprocess
import termios
import threading

from limited import eventually, wait_for_exit

CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    def __init__(self, *command, columns=100, rows=30, env=None, cwd=None):
        self.master, slave = os.openpty()
        self.slave = slave  # kept open: its settings are looked at when the program is gone
        self.resize(columns, rows)
        self.before = termios.tcgetattr(slave)
        self._seen, self._lock = b"", threading.Lock()
        full = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        full.update(env or {})

        def own_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen([str(word) for word in command], stdin=slave, stdout=slave,
                                        stderr=slave, env=full, preexec_fn=own_terminal, cwd=cwd)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        try:
            while data := os.read(self.master, 65536):
                with self._lock:
                    self._seen += data
        except OSError:
            pass

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys.encode())

    @property
    def raw(self):
        with self._lock:
            return self._seen.decode(errors="replace")

    def text(self):
        """All that was written, without codes."""
        return CODES.sub("", self.raw)

    def frame(self):
        """Lines of the last frame that was drawn whole."""
        frames = self.raw.split("\x1b[H")
        whole = [frame for frame in frames if frame.endswith("\x1b[J") or "\x1b[J" in frame]
        return CODES.sub("", whole[-1].partition("\x1b[J")[0]).split("\r\n") if whole else []

    def until(self, pattern, what=None):
        """Waits until what was written has that in it, codes removed."""
        return eventually(lambda: re.search(pattern, self.text()), what or pattern)

    def until_frame(self, pattern):
        return eventually(lambda: re.search(pattern, "\n".join(self.frame())), pattern)

    def wait(self):
        return wait_for_exit(self.process)

    def is_as_before(self):
        return termios.tcgetattr(self.slave) == self.before

    def close(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        os.close(self.slave)
        os.close(self.master)
