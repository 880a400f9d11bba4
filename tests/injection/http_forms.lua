-- SPDX-License-Identifier: MIT
-- URLs, queries, cookies, values of headers, and a multipart body written and read.
local env = require "support.env"
if not env.has_http() then return end
local aio = require "aio"
local content = require "aio.http.content"
local http = require "aio.http"
local url = http.URL("../x y?a=1&b=%41#f", "http://u:p@h.example:81/a/b/c?" .. ("q=1&"):rep(100))
assert(tostring(url:with_query { a = { "1", "2" }, b = "&" })
  == "http://u:p@h.example:81/a/x%20y?a=1&a=2&b=%26#f")
assert(url.query.b == "A" and url.path == "/a/x y")
assert(http.parse_set_cookie(http.set_cookie("a", "b", { path = "/", max_age = 5 })).max_age == 5)
assert(http.parse_cookie("a=1; b=2").b == "2")
assert(#http.parse_accept "a/b;q=0.5, c/d, e/f;x=\"y\"" == 3)
aio.run(function()
  local writer = http.MultipartWriter("form-data", "b")
  writer:append("one", { name = "a", filename = "x.txt" })
  writer:append(("two"):rep(2000), { name = "b" })
  local pull = writer:_as_body().open()
  local function next_piece()
    aio.sleep(0)
    return pull()
  end
  local reader = http.MultipartReader({ ["Content-Type"] = writer.content_type },
    content.new(next_piece))
  local sizes = {}
  for part in reader:parts() do sizes[#sizes + 1] = part.name .. #part:read() end
  assert(table.concat(sizes, " ") == "a3 b6000")
end)
