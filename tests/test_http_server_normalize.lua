-- SPDX-License-Identifier: MIT
-- Paths with a slash too few or too many, which http.normalize_path redirects.

local env = require "support.env"
local lu = require "luaunit"

if not env.has_http() then
  return { test_skipped = function() lu.skip "no library for HTTP" end }
end

local http = require "aio.http"
local kit = require "aio.http.testing"
local support = require "support.http"

local T = {}

local serve, get = support.serve, support.get

-- Asks each target; "404", "200 what the handler says", or "308 the place".
local function asked(opts, wanted)
  serve(function(app)
    app:use(http.normalize_path(opts))
    for _, path in ipairs { "/a", "/b/", "/u/{name}/", "/x/{name}" } do
      app:get(path, function() return path end)
    end
    app:post("/posted/", function() return "posted" end)
    local sub = http.Application()
    sub:get("/in/", function() return "in" end)
    app:mount("/sub", sub)
  end, function(server)
    for target, answer in pairs(wanted) do
      local raw <close> = server:connect()
      local res = raw:ask(get(target))
      lu.assertEquals(res.status .. " " .. (res.headers["Location"] or res.body), answer, target)
    end
  end)
end

local NONE = "404 404: Not Found"

function T.test_a_slash_is_appended()
  asked(nil, {
    ["/a"] = "200 /a", ["/b/"] = "200 /b/", ["/b"] = "308 /b/", ["/b?q=1&r"] = "308 /b/?q=1&r",
    ["/a/"] = NONE, ["/none"] = NONE, ["/"] = NONE, ["//b"] = "308 /b/", ["//a"] = "308 /a",
    ["/u/ann%20e"] = "308 /u/ann%20e/", ["/u//ann"] = "308 /u/ann/", ["///b//"] = "308 /b/",
    ["/sub/in"] = "308 /sub/in/", ["//sub//in"] = "308 /sub/in/", ["/posted"] = NONE,
    ["http://h/b"] = "308 /b/",
  })
end

function T.test_a_slash_is_removed()
  asked({ remove_slash = true }, {
    ["/a/"] = "308 /a", ["/b"] = NONE, ["/x/y/"] = "308 /x/y", ["//a//"] = "308 /a", ["/"] = NONE,
    ["/a//"] = "308 /a", ["/b/"] = "200 /b/",
  })
end

function T.test_only_what_is_wished()
  asked({ merge_slashes = false, status = 301 },
    { ["/b"] = "301 /b/", ["/u//"] = NONE, ["/sub//in/"] = NONE, ["//b"] = "301 /b/" })
  asked({ append_slash = false }, { ["/b"] = NONE, ["//a"] = "308 /a" })
end

-- What a browser would take for another site, or another method than the path has.
function T.test_what_stays_as_it_is()
  asked(nil, { ["/u/\\evil.test"] = NONE, ["/\\evil.test/b"] = NONE, ["//evil.test"] = NONE })
  serve(function(app)
    app:use(http.normalize_path())
    app:post("/b", function() return "" end)
    app:get("/b/", function() return "" end)
  end, function(server)
    local raw <close> = server:connect()
    lu.assertEquals(raw:ask(get "/b").status, 405)
  end)
end

function T.test_a_request_without_a_server()
  local req = kit.request("GET", "/b", { app = http.Application() })
  lu.assertEquals(http.normalize_path()(req, function() return "next" end), "next")
end

function T.test_wrong_options()
  lu.assertErrorMsgContains("not both", http.normalize_path,
    { append_slash = true, remove_slash = true })
  lu.assertErrorMsgContains("option 'status'", http.normalize_path, { status = 200 })
end

return T
