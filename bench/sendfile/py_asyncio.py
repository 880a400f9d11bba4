# A file on PORT: sends as many bytes of it as it is told, by the kernel
import asyncio, os
from bench import arg, run

PATH = os.environ["SENDFILE"]

async def serve(reader, writer):
    line = (await reader.readline()).decode()
    if line:
        with open(PATH, "rb") as file:
            await asyncio.get_running_loop().sendfile(
                writer.transport, file, 0, int(line.split()[1]))
    writer.close()

async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", arg(1, 7000))
    await server.serve_forever()

run(main())
