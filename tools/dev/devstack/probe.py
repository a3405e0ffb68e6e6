"""Does a server answer its own protocol? An open port is not an answer.

How:  the smallest request of each protocol over a plain socket, so that no client library is needed.
      Each function returns True or False and never raises for a server that is absent or not ready.
"""

import http.client
import json
import socket
import struct

import ports

TIMEOUT_S = 2.0


def _exact(connection, size):
    data = b""
    while len(data) < size:
        chunk = connection.recv(size - len(data))
        if not chunk:
            raise OSError("connection closed")
        data += chunk
    return data


def _connect(port):
    return socket.create_connection((ports.HOST, port), timeout=TIMEOUT_S)


def kafka(port):
    """Metadata v4 without topics: ready when a broker is registered and a controller is elected."""
    client = b"millrace-stack"
    # api key 3, version 4, correlation 1, client id; no topics; no auto-creation.
    request = struct.pack(">hhih", 3, 4, 1, len(client)) + client + struct.pack(">ib", 0, 0)
    try:
        with _connect(port) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            size = struct.unpack(">i", _exact(connection, 4))[0]
            if not 0 < size < 1 << 20:
                return False
            reply = _exact(connection, size)
        brokers, at = struct.unpack_from(">i", reply, 8)[0], 12
        for _ in range(brokers):
            host_size = struct.unpack_from(">h", reply, at + 4)[0]
            at += 4 + 2 + host_size + 4
            rack_size = struct.unpack_from(">h", reply, at)[0]
            at += 2 + max(rack_size, 0)
        cluster_size = struct.unpack_from(">h", reply, at)[0]
        controller = struct.unpack_from(">i", reply, at + 2 + max(cluster_size, 0))[0]
        return brokers > 0 and controller >= 0
    except (OSError, struct.error):
        return False


def redis(port):
    try:
        with _connect(port) as connection:
            connection.sendall(b"PING\r\n")
            return _exact(connection, 7) == b"+PONG\r\n"
    except OSError:
        return False


def document_store(port):
    """OP_MSG {ping: 1, $db: "admin"}; any OP_MSG reply with ok: 1.0 in it is an answer."""
    body = b"\x10ping\x00" + struct.pack("<i", 1) + b"\x02$db\x00" + struct.pack("<i", 6) + b"admin\x00"
    document = struct.pack("<i", len(body) + 5) + body + b"\x00"
    message = struct.pack("<ib", 0, 0) + document
    try:
        with _connect(port) as connection:
            connection.sendall(struct.pack("<iiii", 16 + len(message), 1, 0, 2013) + message)
            size = struct.unpack("<i", _exact(connection, 4))[0]
            reply = _exact(connection, size - 4) if 16 < size < 1 << 20 else b""
        ok = b"ok\x00"
        return any(tag + ok + one in reply for tag, one in (
            (b"\x01", struct.pack("<d", 1.0)), (b"\x10", struct.pack("<i", 1))))
    except (OSError, struct.error):
        return False


def _http(port, method, path, body=None):
    connection = http.client.HTTPConnection(ports.HOST, port, timeout=TIMEOUT_S * 5)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def registry(port, base):
    try:
        return _http(port, "GET", f"{base}/subjects")[0] == 200
    except (OSError, http.client.HTTPException):
        return False


def set_compatibility(port, base, level):
    """The registry's global rule; returns an error text or None."""
    try:
        status, text = _http(port, "PUT", f"{base}/config", json.dumps({"compatibility": level}))
    except (OSError, http.client.HTTPException) as error:
        return str(error)
    return None if status == 200 else f"HTTP {status} {text[:200]!r}"
