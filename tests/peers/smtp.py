"""A mail server for tests: writes each message to a file of the folder given.

smtp.py PORT FOLDER: prints the port (a free one for 0) once it listens. Refuses for good who is named
refuse*, for now who is named lent*. Ends with its standard input.
"""

import asyncio
import itertools
import os
import sys

from aiosmtpd.smtp import SMTP

port, folder = int(sys.argv[1]), sys.argv[2]
number = itertools.count()


class Keeper:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if os.path.exists(f"{folder}/ouvert"):
            pass
        elif address.startswith("refuse"):
            return "550 5.1.1 Mailbox unknown"
        elif address.startswith("lent"):
            return "451 4.2.1 Try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        name = f"{folder}/{next(number):04}.eml"
        with open(name + ".part", "wb") as file:
            file.write(("X-Envelope-To: " + ", ".join(envelope.rcpt_tos) + "\r\n").encode() + envelope.content)
        os.rename(name + ".part", name)
        return "250 OK"


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(Keeper(), hostname="smtp.test", loop=loop), "127.0.0.1", port)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
os._exit(0)
