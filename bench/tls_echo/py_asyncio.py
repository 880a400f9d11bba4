# TLS echo on PORT with the certificate and key in TLS_PEM, streams: a coroutine for each connection
import asyncio, os, ssl
from bench import arg, run

async def serve(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()

async def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(os.environ["TLS_PEM"])
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    server = await asyncio.start_server(serve, "127.0.0.1", arg(1, 7000), backlog=4096, ssl=context)
    await server.serve_forever()

run(main())
