-- SPDX-License-Identifier: MIT
-- Responses that are compressed as they are sent: which, in which coding, and how they can be read.

local aio = require "aio"
local lu = require "luaunit"
local env = require "support.env"
local optional = require "aio.optional"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local coding = require "aio.http.coding"
local http = require "aio.http"
local kit = require "aio.http.testing"
local support = require "support.http"

local get = support.get

local T = {}

local TEXT = ("hello world "):rep(1000)
local FAVOURITES = { "br", "zstd", "gzip", "deflate" }
local HERE = {}
for _, name in ipairs(coding.codings()) do HERE[name] = true end

-- The body of a response without its coding.
local function plain(res)
  local at = 0
  local pull = coding.decoding(res.headers["Content-Encoding"] or "", function()
    at = at + 1
    return at == 1 and res.body or nil
  end)
  local parts = {}
  for piece in pull do parts[#parts + 1] = piece end
  return table.concat(parts)
end

-- fn(ask): ask(path, accept) gives the response to a request over one connection.
local function serve(opts, build, fn)
  aio.run(function()
    local app = http.Application(opts)
    build(app)
    local server <close> = kit.TestServer(app)
    local raw <close> = server:connect()
    fn(function(path, accept)
      return raw:ask(get(path, accept and "Accept-Encoding: " .. accept .. "\r\n"))
    end)
  end)
end

local function build(app)
  app:get("/text", function() return TEXT end)
  app:get("/short", function() return "short" end)
  app:get("/image", function() return http.Response { body = TEXT, content_type = "image/png" } end)
  app:get("/never", function() return http.Response { text = TEXT, compress = false } end)
  app:get("/tag", function()
    return http.Response { text = TEXT, headers = { ETag = '"x"' } }
  end)
  app:get("/coded", function()
    return http.Response { text = TEXT, headers = { ["Content-Encoding"] = "mine" } }
  end)
  app:get("/stream", function()
    return http.stream(function(out)
      for _ = 1, 10 do out:write(TEXT) end
    end, { content_type = "text/plain" })
  end)
end

function T.test_each_coding()
  serve({ compress = true }, build, function(ask)
    for name in pairs(HERE) do
      local res = ask("/text", name)
      lu.assertEquals({ res.headers["Content-Encoding"], res.headers.Vary },
        { name, "Accept-Encoding" })
      lu.assertTrue(#res.body < #TEXT / 10)
      lu.assertEquals(tonumber(res.headers["Content-Length"]), #res.body)
      lu.assertTrue(plain(res) == TEXT)
      res = ask("/stream", name)
      lu.assertEquals(res.headers["Content-Encoding"], name)
      lu.assertTrue(plain(res) == TEXT:rep(10))
    end
    lu.assertNil(ask("/text").headers["Content-Encoding"])
  end)
end

function T.test_what_is_not_compressed()
  if not HERE.gzip then lu.skip "no library for gzip" end
  serve({ compress = true }, build, function(ask)
    for path, accept in pairs { ["/short"] = "gzip", ["/image"] = "gzip", ["/never"] = "gzip",
      ["/text"] = "gzip;q=0, lzma" } do
      lu.assertNil(ask(path, accept).headers["Content-Encoding"], path)
    end
    lu.assertEquals(ask("/coded", "gzip").headers["Content-Encoding"], "mine")
    lu.assertEquals(ask("/text", "lzma").headers.Vary, "Accept-Encoding")
    lu.assertEquals(ask("/tag", "gzip").headers.ETag, 'W/"x"')
    lu.assertEquals(ask("/tag", "lzma").headers.ETag, '"x"')
  end)
  serve({ compress = 3 }, build, function(ask)
    lu.assertEquals(ask("/short", "gzip").headers["Content-Encoding"], "gzip")
  end)
end

-- What the client likes best; of equals what we do.
function T.test_the_coding_that_is_chosen()
  local function best(...) -- the first of these that is here
    for _, name in ipairs { ... } do
      if HERE[name] or name == "plain" then return name end
    end
  end
  serve({ compress = true }, build, function(ask)
    for accept, expected in pairs {
      ["gzip, deflate, br, zstd"] = best(table.unpack(FAVOURITES)),
      ["*"] = best(table.unpack(FAVOURITES)),
      ["gzip, deflate"] = best("gzip", "deflate", "plain"),
      ["deflate, x-gzip"] = best("gzip", "deflate", "plain"),
      ["br;q=0.5, gzip;q=0.9, zstd;q=0.7"] = best("gzip", "zstd", "br", "plain"),
      ["br;q=0, zstd;q=0.1"] = best("zstd", "plain"),
      ["br;q=0, *;q=0.5"] = best("zstd", "gzip", "deflate", "plain"),
      ["identity, gzip;q=0.5"] = "plain", ["identity;q=0.2, gzip;q=0.5"] = best("gzip", "plain"),
      ["lzma"] = "plain", [""] = "plain", ["gzip;q=junk"] = "plain", ["*;q=0"] = "plain",
      ["br\r\nAccept-Encoding: gzip;q=0.5"] = best("br", "gzip", "plain"),
    } do
      lu.assertEquals(ask("/text", accept).headers["Content-Encoding"] or "plain", expected, accept)
    end
  end)
end

-- Each piece can be read before the next is written.
function T.test_pieces_of_a_stream()
  aio.run(function()
    local app, go_on = http.Application { compress = true }, aio.Queue()
    app:get("/", function()
      return http.stream(function(out)
        out:write "one"
        go_on:get()
        out:write " two"
      end, { content_type = "text/plain" })
    end)
    local client <close> = kit.TestClient(app)
    for name in pairs(HERE) do
      local res <close> = client:get("/", { headers = { ["Accept-Encoding"] = name } })
      lu.assertEquals(res.headers["Content-Encoding"], name)
      lu.assertEquals(res.content:readexactly(3), "one")
      go_on:put(true)
      lu.assertEquals(res:read(), " two")
    end
  end)
end

-- The application says nothing of compression; a response asks for it, with headers or without.
function T.test_responses_that_ask_for_it()
  if not HERE.gzip then lu.skip "no library for gzip" end
  local function write(out) out:write(TEXT) end
  local text = { content_type = "text/plain", compress = true }
  serve(nil, function(app)
    app:get("/response", function() return http.Response { text = TEXT, compress = true } end)
    app:get("/headers", function()
      return http.Response { text = TEXT, headers = { A = "b" }, compress = true }
    end)
    app:get("/html", function() return http.html(TEXT, { compress = true }) end)
    app:get("/stream", function() return http.stream(write, text) end)
    app:get("/later", function()
      local res = http.html(TEXT)
      res.compress = true
      return res
    end)
    app:get("/stream_later", function()
      local res = http.stream(write, { content_type = "text/plain" })
      res.compress = true
      return res
    end)
    app:get("/no", function() return http.html(TEXT) end)
  end, function(ask)
    for _, path in ipairs { "/response", "/headers", "/html", "/stream", "/later",
      "/stream_later" } do
      local res = ask(path, "gzip")
      lu.assertEquals(res.headers["Content-Encoding"], "gzip", path)
      lu.assertTrue(plain(res) == TEXT)
    end
    lu.assertNil(ask("/no", "gzip").headers["Content-Encoding"])
  end)
end

-- Of the libraries none is needed: what is not there is not offered.
function T.test_without_libraries()
  local has = optional.has
  local _ <close> = aio.defer(function()
    optional.has = has
    package.loaded["aio.http.compress"] = nil
  end)
  for _, case in ipairs { { "zlib", "gzip" }, { "none", "plain" } } do
    optional.has = function(name) return name == case[1] and has(name) end
    package.loaded["aio.http.compress"] = nil
    serve({ compress = true }, build, function(ask)
      local res = ask("/text", "br, zstd, gzip")
      local expected = case[2] == "gzip" and not HERE.gzip and "plain" or case[2]
      lu.assertEquals(res.headers["Content-Encoding"] or "plain", expected)
      lu.assertTrue(plain(res) == TEXT)
      lu.assertEquals(res.headers.Vary, expected ~= "plain" and "Accept-Encoding" or nil)
    end)
  end
end

return T
