"""Renders every sample of ../templates/samples to HTML and, when Chromium is there, takes pictures.

For looking only: production renders the same templates from Rust.
    python3 -m venv .venv && .venv/bin/pip install minijinja
    .venv/bin/python preview.py OUT [PATTERN] [--shots] [--dark]
A sample `page.html`.json may stand beside variants `page.variant.json`, which render the same page.
"""
import datetime
import http.server
import json
import pathlib
import subprocess
import sys
import threading

import minijinja

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
TEMPLATES = ROOT / "templates"
MONTHS = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
CSP = ("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src data:; connect-src 'self'; "
       "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'")
SHARED = json.loads((TEMPLATES / "samples/_shared.json").read_text())


def moment(text):
    return datetime.datetime.fromisoformat(text)


def day(text):
    at = moment(text)
    return f"{'1er' if at.day == 1 else at.day} {MONTHS[at.month - 1]}"


def size(count):
    for unit, step in (("Mo", 1_000_000), ("Ko", 1_000)):
        if count >= step:
            value = count / step
            return (f"{value:.0f}" if value >= 10 or unit == "Ko" else f"{value:.1f}").replace(".", ",") + "\u00a0" + unit
    return f"{count}\u00a0octets"


def environment():
    env = minijinja.Environment(
        loader=lambda name: (TEMPLATES / name).read_text() if (TEMPLATES / name).is_file() else None,
        undefined_behavior="strict",
    )
    env.add_function("asset", lambda name: f"/assets/{name}")
    env.add_filter("day", day)
    env.add_filter("date", lambda text: f"{day(text)} {moment(text).year}")
    env.add_filter("datetime", lambda text: f"{day(text)} {moment(text).year} à {moment(text):%H\u00a0h\u00a0%M}")
    env.add_filter("size", size)
    return env


def render(out, pattern):
    env, names = environment(), []
    for path in sorted((TEMPLATES / "samples").rglob("*.json")):
        name = path.relative_to(TEMPLATES / "samples").with_suffix("").as_posix()
        if path.name.startswith("_") or (pattern and pattern not in name):
            continue
        folder, _, base = name.rpartition("/")
        template = f"{folder}/{base.split('.')[0]}.html"
        context = SHARED | json.loads(path.read_text())
        if "fields_html" in context:
            context["fields_html"] = minijinja.safe(context["fields_html"])
        page = (out / (name.replace("/", "-") + ".html"))
        try:
            page.write_text(env.render_template(template, **context))
        except Exception as error:  # noqa: BLE001 the whole list of mistakes is wanted
            print("FAIL", name, error)
            continue
        names.append(page.stem)
    return names


class Pages(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path):
        path = path.split("?")[0]
        return str(ROOT / path.lstrip("/")) if path.startswith("/assets/") else str(self.server.out / path.lstrip("/"))

    def end_headers(self):
        self.send_header("Content-Security-Policy", CSP)
        super().end_headers()

    def log_message(self, *_):
        pass


def shots(out, names, dark):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.out = out
    threading.Thread(target=server.serve_forever, daemon=True).start()
    subprocess.run(["node", str(HERE / "shots.mjs"), f"http://127.0.0.1:{server.server_port}/", str(out), "dark" if dark else "light", *names], check=True)


def main():
    flags = {a for a in sys.argv[1:] if a.startswith("--")}
    args = [a for a in sys.argv[1:] if not a.startswith("--")]
    out = pathlib.Path(args[0] if args else "/tmp/guichet-preview").resolve()
    out.mkdir(parents=True, exist_ok=True)
    names = render(out, args[1] if len(args) > 1 else "")
    print(len(names), "pages in", out)
    if "--shots" in flags:
        shots(out, names, "--dark" in flags)


main()
