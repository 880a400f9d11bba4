-- SPDX-License-Identifier: MIT
-- The cookie jar: what servers may set, and what is sent to whom.

local env = require "support.env"
local lu = require "luaunit"

if not env.has_http() then return { test_nothing = function() lu.skip "built without http" end } end

local aio = require "aio"
local http = require "aio.http"
local optional = require "aio.optional"
local cookies = require "aio.http.cookies"

local T = {}

-- What a jar sends to a URL, as a Cookie header.
local function sent(jar, url) return cookies.header(jar:filter_cookies(url)) end

local function jar_with(url, ...)
  local jar = http.CookieJar()
  jar:update_cookies({ ... }, url)
  return jar
end

local function refused(url, set, opts)
  local jar = http.CookieJar(opts)
  set.value = set.value or "v"
  jar:update_cookies({ set }, url)
  lu.assertEquals(#jar, 0)
end

function T.test_goes_back_to_its_host_alone()
  local jar = jar_with("http://www.example.com/a/b", { name = "k", value = "v" })
  lu.assertEquals(sent(jar, "http://www.example.com/a/c"), "k=v")
  lu.assertEquals(sent(jar, "http://www.example.com/a"), "k=v")
  lu.assertEquals(sent(jar, "http://WWW.EXAMPLE.COM/a/"), "k=v")
  lu.assertEquals(sent(jar, "http://www.example.com/ab"), "")
  lu.assertEquals(sent(jar, "http://example.com/a/"), "")
  lu.assertEquals(sent(jar, "http://x.www.example.com/a/"), "")
end

function T.test_domain()
  local jar = jar_with("http://www.example.com/",
    { name = "k", value = "v", domain = ".example.com" })
  for _, host in ipairs { "example.com", "www.example.com", "a.b.example.com" } do
    lu.assertEquals(sent(jar, ("http://%s/x"):format(host)), "k=v")
  end
  lu.assertEquals(sent(jar, "http://badexample.com/"), "")
  lu.assertEquals(sent(jar, "http://example.com.evil.test/"), "")
end

function T.test_foreign_domains_are_refused()
  local url = "http://www.example.com/"
  for _, domain in ipairs { "example.org", "w.www.example.com", "ample.com", "com", ".com",
    "evil" } do
    refused(url, { name = "k", domain = domain })
  end
end

function T.test_domains_of_strangers_are_refused()
  refused("http://shop.co.uk/", { name = "k", domain = "co.uk" })
  refused("http://me.github.io/", { name = "k", domain = "github.io" })
  refused("http://a.b.internal/", { name = "k", domain = "b.internal" },
    { is_public_suffix = function(domain) return domain == "b.internal" end })
  -- such a host itself gets one, but for itself alone
  local jar = jar_with("http://github.io/", { name = "k", value = "v", domain = "github.io" })
  lu.assertEquals(sent(jar, "http://github.io/"), "k=v")
  lu.assertEquals(sent(jar, "http://me.github.io/"), "")
end

function T.test_addresses()
  refused("http://127.0.0.1/", { name = "k" })
  refused("http://[::1]/", { name = "k" })
  local jar = http.CookieJar { unsafe = true }
  jar:update_cookies({ { name = "k", value = "v", domain = "0.0.1" } }, "http://127.0.0.1/")
  lu.assertEquals(#jar, 0)
  jar:update_cookies({ { name = "k", value = "v" }, { name = "d", value = "w",
    domain = "127.0.0.1" } }, "http://127.0.0.1/")
  lu.assertEquals(sent(jar, "http://127.0.0.1:81/"), "k=v; d=w")
  lu.assertEquals(sent(jar, "http://127.0.0.2/"), "")
end

function T.test_paths()
  local jar = jar_with("http://a.test/x/y/z", { name = "d", value = "1" },
    { name = "p", value = "2", path = "/x" }, { name = "q", value = "3", path = "nonsense" })
  lu.assertEquals(sent(jar, "http://a.test/x/y"), "d=1; q=3; p=2")
  lu.assertEquals(sent(jar, "http://a.test/x"), "p=2")
  lu.assertEquals(sent(jar, "http://a.test/xy"), "")
  lu.assertEquals(sent(jar, "http://a.test/"), "")
end

function T.test_secure()
  refused("http://a.test/", { name = "k", secure = true })
  local jar = jar_with("https://a.test/", { name = "k", value = "v", secure = true })
  lu.assertEquals(sent(jar, "http://a.test/"), "")
  lu.assertEquals(sent(jar, "https://a.test/"), "k=v")
  lu.assertEquals(sent(jar, "wss://a.test/"), "k=v")
  -- nobody without TLS replaces it
  jar:update_cookies({ { name = "k", value = "evil" } }, "http://a.test/")
  lu.assertEquals(sent(jar, "https://a.test/"), "k=v")
end

function T.test_an_origin_may_stand_for_a_secure_one()
  local jar = http.CookieJar { treat_as_secure_origin = { "http://a.test:8080" } }
  jar:update_cookies({ { name = "k", value = "v", secure = true } }, "http://a.test:8080/")
  lu.assertEquals(sent(jar, "http://a.test:8080/"), "k=v")
  lu.assertEquals(sent(jar, "http://a.test/"), "")
end

function T.test_names_that_promise()
  local url = "https://www.example.com/"
  refused(url, { name = "__Secure-k" })
  refused(url, { name = "__Host-k", secure = true })
  refused(url, { name = "__host-k", secure = true, path = "/", domain = "example.com" })
  refused("http://www.example.com/", { name = "__Secure-k", secure = true })
  local jar = jar_with(url, { name = "__Host-k", value = "v", secure = true, path = "/" })
  lu.assertEquals(#jar, 1)
end

function T.test_what_would_break_a_header_is_refused()
  local url = "http://a.test/"
  for _, name in ipairs { "", "a=b", "a;b", "a b", "a\r\nb", "a\0" } do
    refused(url, { name = name })
  end
  for _, value in ipairs { "a;b", "a\r\nX: y", "a\0b", ("x"):rep(5000) } do
    refused(url, { name = "k", value = value })
  end
end

function T.test_a_cookie_of_the_user_that_would_break_a_header()
  local ok, err = pcall(cookies.header, { { name = "k", value = "a;b=c" } }, 3, "request")
  lu.assertFalse(ok)
  lu.assertStrContains(tostring(err), "cookie 'k'")
end

function T.test_expiry()
  local now = 1000000
  local jar = http.CookieJar { clock = function() return now end }
  jar:update_cookies({ { name = "m", value = "1", max_age = 10, expires = now + 9999 },
    { name = "e", value = "2", expires = now + 20 }, { name = "s", value = "3" },
    { name = "gone", value = "4", max_age = 0 } }, "http://a.test/")
  lu.assertEquals(sent(jar, "http://a.test/"), "m=1; e=2; s=3")
  now = now + 10
  lu.assertEquals(sent(jar, "http://a.test/"), "e=2; s=3")
  now = now + 10
  lu.assertEquals(sent(jar, "http://a.test/"), "s=3")
  jar:update_cookies({ { name = "s", value = "", expires = 1 } }, "http://a.test/")
  lu.assertEquals(#jar, 0)
end

function T.test_the_newer_one_of_a_name_replaces()
  local jar = jar_with("http://a.test/", { name = "k", value = "1" }, { name = "l", value = "2" },
    { name = "k", value = "3" })
  lu.assertEquals(sent(jar, "http://a.test/"), "k=3; l=2")
  lu.assertEquals(#jar, 2)
end

function T.test_a_map_of_names()
  local jar = http.CookieJar()
  jar:update_cookies({ k = "v" }, "http://a.test/")
  lu.assertEquals(sent(jar, "http://a.test/"), "k=v")
end

function T.test_there_is_a_bound()
  local jar = http.CookieJar()
  for i = 1, 200 do
    jar:update_cookies({ { name = "k" .. i, value = "v" } }, "http://a.test/")
  end
  lu.assertEquals(#jar, 180)
  lu.assertNil(sent(jar, "http://a.test/"):find("k20=", 1, true))
  for i = 1, 3100 do
    jar:update_cookies({ { name = "k", value = "v" } }, ("http://h%d.test/"):format(i))
  end
  lu.assertEquals(#jar, 3000)
end

function T.test_clearing()
  local jar = jar_with("http://a.example.com/", { name = "k", value = "1" },
    { name = "d", value = "2", domain = "example.com" })
  jar:update_cookies({ { name = "o", value = "3" } }, "http://b.test/")
  local names = {}
  for cookie in jar:cookies() do names[#names + 1] = cookie.name end
  lu.assertEquals(names, { "k", "d", "o" })
  jar:clear(function(cookie) return cookie.name == "k" end)
  lu.assertEquals(#jar, 2)
  jar:clear_domain "example.com"
  lu.assertEquals(#jar, 1)
  lu.assertStrContains(tostring(jar), "1 cookie")
  jar:clear()
  lu.assertEquals(#jar, 0)
end

-- ---- files ----

local function in_a_folder(fn)
  return function()
    if not optional.has "jansson" then lu.skip "built without jansson" end
    aio.run(function()
      local folder = aio.fs.mkdtemp()
      local _ <close> = aio.defer(aio.fs.remove, folder, { recursive = true })
      fn(folder .. "/jar")
    end)
  end
end

T.test_saved_and_loaded = in_a_folder(function(path)
  local jar = jar_with("https://www.example.com/a/b",
    { name = "k", value = "\u{e4}\"\\", secure = true },
    { name = "d", value = "2", domain = "example.com", path = "/", httponly = true,
      samesite = "Lax", max_age = 1000 },
    { name = "gone", value = "3", max_age = -1 })
  jar:save(path)
  local again = http.CookieJar()
  again:load(path)
  lu.assertEquals(#again, 2)
  for _, url in ipairs { "https://www.example.com/a/b", "http://example.com/",
    "https://x.test/" } do
    lu.assertEquals(sent(again, url), sent(jar, url))
  end
  for cookie in again:cookies() do
    lu.assertEquals(cookie.httponly, cookie.name == "d" or nil)
  end
end)

T.test_only_its_owner_can_read_the_file = in_a_folder(function(path)
  jar_with("http://a.test/", { name = "k", value = "v" }):save(path)
  lu.assertEquals(aio.fs.stat(path).mode & 511, 384) -- 600
  aio.fs.chmod(path, "644")
  jar_with("http://a.test/", { name = "k", value = "v" }):save(path)
  lu.assertEquals(aio.fs.stat(path).mode & 511, 384)
end)

T.test_files_that_are_none = in_a_folder(function(path)
  local jar = http.CookieJar()
  local good = '{"name":"k","value":"v","domain":"a.test","path":"/"}'
  for _, text in ipairs { "", "[]", "{}", '{"version":2,"cookies":[]}', '{"version":1}',
    '{"version":1,"cookies":[' .. good .. ',{"name":"x"}]}',
    '{"version":1,"cookies":[' .. good:gsub('"v"', '"v\\r\\nX: y"') .. ']}',
    '{"version":1,"cookies":[' .. good:gsub('"v"', '5') .. ']}',
    '{"version":1,"cookies":[' .. good:gsub('"/"', '"x"') .. ']}' } do
    aio.fs.write(path, text)
    local ok, err = pcall(jar.load, jar, path)
    lu.assertFalse(ok, text)
    lu.assertStrContains(tostring(err), "no file of a CookieJar")
    lu.assertEquals(#jar, 0)
  end
  local ok, err = pcall(jar.load, jar, path .. ".none")
  lu.assertFalse(ok)
  lu.assertEquals(err.code, "ENOENT")
end)

function T.test_a_jar_that_is_none()
  local jar = http.DummyCookieJar()
  jar:update_cookies({ k = "v" }, "http://a.test/")
  lu.assertEquals(jar:filter_cookies("http://a.test/"), {})
end

function T.test_wrong_arguments()
  local jar = http.CookieJar()
  for text, fn in pairs {
    ["unknown option 'x'"] = function() http.CookieJar { x = 1 } end,
    ["write a colon"] = function() jar.filter_cookies "http://a.test/" end,
    ["'not a url' is no URL"] = function() jar:filter_cookies "not a url" end,
    ["URL (string"] = function() jar:filter_cookies(1) end,
    ["map of cookies"] = function() jar:update_cookies("k=v", "http://a.test/") end,
    ["a name and a value"] = function() jar:update_cookies({ {} }, "http://a.test/") end,
    ["domain expected"] = function() jar:clear_domain() end,
  } do
    jar:update_cookies({ k = "v" }, "http://a.test/")
    local ok, err = pcall(fn)
    lu.assertFalse(ok, text)
    lu.assertStrContains(tostring(err), text)
  end
end

return T
