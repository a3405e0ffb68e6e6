"""A TCP proxy in front of a server: what it is for a client when that server goes away.

Why:  a test may cut or freeze the way to a server without touching the server, which others use.
How:  accepts on a port of its own and copies both ways, on threads. refuse() closes the port and
      every connection, as when a process has ended; stall() copies nothing more but keeps
      connections open, as when a machine has vanished; slow() lets every chunk wait; restore()
      undoes any of them. tools/chaos uses it too.
"""

import socket
import threading
import time

CHUNK = 65536


class Proxy:
    def __init__(self, host, port, own_port=0):
        self.target = (host, port)
        self.delay_s = 0.0
        self.lock = threading.Lock()
        self.passing = threading.Event()
        self.passing.set()
        self.pairs = []
        self.listener = None
        self.port = own_port
        self.listen()

    def listen(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(64)
        self.port = listener.getsockname()[1]
        self.listener = listener
        threading.Thread(target=self.accept, args=(listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self.target, timeout=10)
                server.settimeout(None)
            except OSError:
                client.close()
                continue
            with self.lock:
                self.pairs.append((client, server))
            for source, sink in ((client, server), (server, client)):
                threading.Thread(target=self.copy, args=(source, sink), daemon=True).start()

    def copy(self, source, sink):
        try:
            while chunk := source.recv(CHUNK):
                self.passing.wait()
                if self.delay_s:
                    time.sleep(self.delay_s)
                sink.sendall(chunk)
        except OSError:
            pass
        for end in (source, sink):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def cut(self):
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            for end in pair:
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()

    def refuse(self):
        # shutdown, not only close: accept() on the other thread must end.
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.listener = None
        self.cut()

    def stall(self):
        self.passing.clear()

    def slow(self, delay_s):
        self.delay_s = delay_s

    def restore(self):
        self.delay_s = 0.0
        self.passing.set()
        if self.listener is None:
            self.listen()

    def close(self):
        self.passing.set()
        if self.listener is not None:
            self.refuse()
