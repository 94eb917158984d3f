"""A CAS proxy's callback over TLS: says what it is sent on its standard output. cas_proxy.py CERT KEY"""
import http.server
import ssl
import sys
from urllib.parse import parse_qs, urlsplit


class Callback(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urlsplit(self.path)
        query = parse_qs(url.query)
        if url.path == "/recu":
            print(query["pgtIou"][0], query["pgtId"][0], flush=True)
        self.send_response(200 if url.path == "/recu" else 404)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Callback)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
