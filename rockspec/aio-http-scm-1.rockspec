rockspec_format = "3.0"
package = "aio-http"
version = "scm-1"

description = {
  summary = "HTTP for aio: servers, clients, WebSocket, server-sent events",
  detailed = [[
The module aio.http. It is built with llhttp's C sources: those that Debian installs with
node-llhttp, or a folder llhttp/ beside this file's src/ that has them.]],
  license = "MIT",
}

source = {
  url = ".",
}

supported_platforms = { "unix" }

dependencies = {
  "lua >= 5.4, < 5.5",
  "aio == scm-1",
}

external_dependencies = {
  LIBUV = { header = "uv.h", library = "uv" },
}

-- The lists are those of src/sources.cmake; the suite compares them.
build = {
  type = "builtin",
  modules = {
    ["aio.http.core"] = {
      sources = {
        "src/proto/base64.c",
        "src/proto/chars.c",
        "src/proto/chunked.c",
        "src/proto/cookie.c",
        "src/proto/date.c",
        "src/proto/h1.c",
        "src/proto/head.c",
        "src/proto/host.c",
        "src/proto/judge.c",
        "src/proto/llhttp_api.c",
        "src/proto/llhttp_machine.c",
        "src/proto/multipart.c",
        "src/proto/param.c",
        "src/proto/percent.c",
        "src/proto/query.c",
        "src/proto/reason.c",
        "src/proto/url.c",
        "src/proto/utf8.c",
        "src/proto/ws_frame.c",
        "src/proto/ws_reader.c",
        "src/http/cookie.c",
        "src/http/encode.c",
        "src/http/headers.c",
        "src/http/module.c",
        "src/http/multipart.c",
        "src/http/parser.c",
        "src/http/url.c",
        "src/http/value.c",
        "src/http/websocket.c",
      },
      defines = { "_GNU_SOURCE", "NDEBUG" },
      incdirs = {
        "src", "$(LIBUV_INCDIR)", "llhttp", "/usr/share/llhttp", "/usr/share/include/llhttp",
      },
      libdirs = { "$(LIBUV_LIBDIR)" },
      libraries = { "uv" },
    },
    ["aio.http.accept"] = "lua/aio/http/accept.lua",
    ["aio.http.application"] = "lua/aio/http/application.lua",
    ["aio.http.auth"] = "lua/aio/http/auth.lua",
    ["aio.http.body"] = "lua/aio/http/body.lua",
    ["aio.http.charset"] = "lua/aio/http/charset.lua",
    ["aio.http.client_body"] = "lua/aio/http/client_body.lua",
    ["aio.http.client_request"] = "lua/aio/http/client_request.lua",
    ["aio.http.client_response"] = "lua/aio/http/client_response.lua",
    ["aio.http.client_timeout"] = "lua/aio/http/client_timeout.lua",
    ["aio.http.coding"] = "lua/aio/http/coding.lua",
    ["aio.http.compress"] = "lua/aio/http/compress.lua",
    ["aio.http.connection"] = "lua/aio/http/connection.lua",
    ["aio.http.connector"] = "lua/aio/http/connector.lua",
    ["aio.http.content"] = "lua/aio/http/content.lua",
    ["aio.http.cookie"] = "lua/aio/http/cookie.lua",
    ["aio.http.cookie_file"] = "lua/aio/http/cookie_file.lua",
    ["aio.http.cookies"] = "lua/aio/http/cookies.lua",
    ["aio.http.dial"] = "lua/aio/http/dial.lua",
    ["aio.http.dns"] = "lua/aio/http/dns.lua",
    ["aio.http.errors"] = "lua/aio/http/errors.lua",
    ["aio.http.event_parser"] = "lua/aio/http/event_parser.lua",
    ["aio.http.exceptions"] = "lua/aio/http/exceptions.lua",
    ["aio.http.exchange"] = "lua/aio/http/exchange.lua",
    ["aio.http.file"] = "lua/aio/http/file.lua",
    ["aio.http.form"] = "lua/aio/http/form.lua",
    ["aio.http.formdata"] = "lua/aio/http/formdata.lua",
    ["aio.http.forwarded"] = "lua/aio/http/forwarded.lua",
    ["aio.http.headers"] = "lua/aio/http/headers.lua",
    ["aio.http"] = "lua/aio/http/init.lua",
<<<<<<< HEAD
=======
    ["aio.http.accept"] = "lua/aio/http/accept.lua",
    ["aio.http.application"] = "lua/aio/http/application.lua",
    ["aio.http.collector"] = "lua/aio/http/collector.lua",
    ["aio.http.compress"] = "lua/aio/http/compress.lua",
    ["aio.http.connection"] = "lua/aio/http/connection.lua",
    ["aio.http.exceptions"] = "lua/aio/http/exceptions.lua",
    ["aio.http.file"] = "lua/aio/http/file.lua",
    ["aio.http.forwarded"] = "lua/aio/http/forwarded.lua",
>>>>>>> ed66731 (bench: HTTP beside nginx, Go, Node.js, aiohttp and lua-http)
    ["aio.http.log"] = "lua/aio/http/log.lua",
    ["aio.http.mime"] = "lua/aio/http/mime.lua",
    ["aio.http.multipart"] = "lua/aio/http/multipart.lua",
    ["aio.http.multipart_writer"] = "lua/aio/http/multipart_writer.lua",
    ["aio.http.pool"] = "lua/aio/http/pool.lua",
    ["aio.http.proxy"] = "lua/aio/http/proxy.lua",
    ["aio.http.query"] = "lua/aio/http/query.lua",
    ["aio.http.redirect"] = "lua/aio/http/redirect.lua",
    ["aio.http.request"] = "lua/aio/http/request.lua",
    ["aio.http.respond"] = "lua/aio/http/respond.lua",
    ["aio.http.response"] = "lua/aio/http/response.lua",
    ["aio.http.retry"] = "lua/aio/http/retry.lua",
    ["aio.http.router"] = "lua/aio/http/router.lua",
    ["aio.http.run"] = "lua/aio/http/run.lua",
    ["aio.http.runner"] = "lua/aio/http/runner.lua",
    ["aio.http.save"] = "lua/aio/http/save.lua",
    ["aio.http.serve"] = "lua/aio/http/serve.lua",
    ["aio.http.server_redirect"] = "lua/aio/http/server_redirect.lua",
    ["aio.http.session"] = "lua/aio/http/session.lua",
    ["aio.http.site"] = "lua/aio/http/site.lua",
    ["aio.http.sse"] = "lua/aio/http/sse.lua",
    ["aio.http.static"] = "lua/aio/http/static.lua",
    ["aio.http.stream"] = "lua/aio/http/stream.lua",
    ["aio.http.suffix"] = "lua/aio/http/suffix.lua",
    ["aio.http.target"] = "lua/aio/http/target.lua",
    ["aio.http.testing"] = "lua/aio/http/testing.lua",
    ["aio.http.trace"] = "lua/aio/http/trace.lua",
    ["aio.http.upgraded"] = "lua/aio/http/upgraded.lua",
    ["aio.http.upload"] = "lua/aio/http/upload.lua",
    ["aio.http.url"] = "lua/aio/http/url.lua",
    ["aio.http.value"] = "lua/aio/http/value.lua",
    ["aio.http.watch"] = "lua/aio/http/watch.lua",
    ["aio.http.websocket"] = "lua/aio/http/websocket.lua",
    ["aio.http.ws_connect"] = "lua/aio/http/ws_connect.lua",
    ["aio.http.ws_connection"] = "lua/aio/http/ws_connection.lua",
    ["aio.http.ws_extension"] = "lua/aio/http/ws_extension.lua",
    ["aio.http.ws_handshake"] = "lua/aio/http/ws_handshake.lua",
  },
}
