rockspec_format = "3.0"
package = "aio-tls"
version = "scm-1"

description = {
  summary = "TLS for aio, by OpenSSL",
  detailed = [[
The library that aio loads when TLS is first used: ssl= of open_connection and start_server,
conn:start_tls, aio.ssl_context. aio itself needs no OpenSSL.]],
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
  OPENSSL = { header = "openssl/ssl.h", library = "ssl" },
}

-- The list is that of src/sources.cmake; the suite compares them.
build = {
  type = "builtin",
  modules = {
    ["aio.tls"] = {
      sources = {
        "src/beside/core_api.c",
        "src/tls/bio.c",
        "src/tls/buffers.c",
        "src/tls/certificate.c",
        "src/tls/connection.c",
        "src/tls/context.c",
        "src/tls/digest.c",
        "src/tls/filter.c",
        "src/tls/flow.c",
        "src/tls/handshake.c",
        "src/tls/info.c",
        "src/tls/module.c",
        "src/tls/session.c",
      },
      defines = { "_GNU_SOURCE", "NDEBUG" },
      incdirs = { "src", "$(LIBUV_INCDIR)", "$(OPENSSL_INCDIR)" },
      libdirs = { "$(LIBUV_LIBDIR)", "$(OPENSSL_LIBDIR)" },
      libraries = { "uv", "ssl", "crypto" },
    },
  },
}
