"""An application protected by python-cas, unmodified. cas_client.py GUICHET VERSION
`/` sends to sign in, then says who came, as JSON; told of a logout, forgets them."""
import http.server
import json
import sys
from urllib.parse import parse_qs, urlsplit

from cas import CASClient, SingleLogoutMixin

guichet, version = sys.argv[1], sys.argv[2]
sessions = {}


class Application(http.server.BaseHTTPRequestHandler):
    def client(self):
        here = "http://127.0.0.1:%d/" % self.server.server_address[1]
        return CASClient(version=version, server_url=guichet + "/cas/", service_url=here)

    def answer(self, status, body="", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def do_GET(self):
        url = urlsplit(self.path)
        ticket = parse_qs(url.query).get("ticket", [None])[0]
        if url.path == "/sessions":
            return self.answer(200, json.dumps(sorted(sessions)))
        if ticket is None:
            return self.answer(302, "", [("Location", self.client().get_login_url())])
        user, attributes, _ = self.client().verify_ticket(ticket)
        if user is None:
            return self.answer(403)
        sessions[ticket] = user
        self.answer(200, json.dumps({"user": user, "attributes": attributes}))

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        for index in SingleLogoutMixin.get_saml_slos(parse_qs(body)["logoutRequest"][0]):
            sessions.pop(index.text, None)
        self.answer(200)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Application)
print(server.server_address[1], flush=True)
server.serve_forever()
