"""Starts an artifact with --listen on a free port and asks it all sorts of things; prints the answers."""
import re
import socket
import subprocess
import sys
import time

run = subprocess.Popen([sys.argv[1], "--listen", "127.0.0.1:0", "--duration", "60s"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
port = int(re.fullmatch(r"Metrics at http://127\.0\.0\.1:(\d+)/metrics\n", run.stderr.readline()).group(1))
run.stderr.readline()  # the banner


def ask(request):
    with socket.create_connection(("127.0.0.1", port), timeout=10) as s:
        s.sendall(request.encode())
        answer = b""
        while part := s.recv(65536):
            answer += part
    head, _, body = answer.decode().partition("\r\n\r\n")
    assert f"Content-Length: {len(body)}" in head or request.startswith("HEAD"), head
    return head.split()[1], re.search(r"Content-Type: (.*)", head).group(1).strip(), body


status, kind, body = ask("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
print(status, kind)
print(body, end="")
print(*ask("GET /metrics?x=1 HTTP/1.1\r\nACCEPT: application/openmetrics-text;version=1.0.0\r\n\r\n")[:2])
status, kind, body = ask("HEAD /metrics HTTP/1.0\r\n\r\n")
print("HEAD", status, len(body))
print(ask("GET / HTTP/1.1\r\n\r\n")[0])
print(ask("POST /metrics HTTP/1.1\r\n\r\n")[0])
print(ask("hello\r\n\r\n")[0])
print(ask("GET /metrics HTTP/1.1\r\n" + "x: y\r\n" * 1400 + "x")[0])

stalled = [socket.create_connection(("127.0.0.1", port), timeout=20) for _ in range(14)]
stalled[0].sendall(b"GET /metrics")
print("while 14 stall:", ask("GET /metrics HTTP/1.1\r\n\r\n")[0])
start = time.monotonic()
end = stalled[0].recv(1)
print("stalled:", "closed" if end == b"" and 2 < time.monotonic() - start < 15 else "open")
run.terminate()
print("status", run.wait(timeout=20))
