rockspec_format = "3.0"
package = "aio-brotli"
version = "scm-1"

description = {
  summary = "The content coding br for aio, by brotli",
  detailed = [[
The library that aio.http loads when a body in that coding is first read or written. aio itself
needs no brotli.]],
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
  BROTLI = { header = "brotli/decode.h", library = "brotlidec" },
}

-- The list is that of src/sources.cmake; the suite compares them.
build = {
  type = "builtin",
  modules = {
    ["aio.brotli"] = {
      sources = {
        "src/codec/codec.c",
        "src/brotli/brotli.c",
      },
      defines = { "_GNU_SOURCE", "NDEBUG" },
      incdirs = { "src", "$(BROTLI_INCDIR)" },
      libdirs = { "$(BROTLI_LIBDIR)" },
      libraries = { "brotlidec", "brotlienc" },
    },
  },
}
