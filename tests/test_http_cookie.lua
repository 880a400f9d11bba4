-- SPDX-License-Identifier: MIT
-- Single cookies: both headers read as RFC 6265 says, and what may be written.

local env = require "support.env"
local lu = require "luaunit"

local T = {}
if not env.has_http() then
  function T.test_http() lu.skip("this build has no library for HTTP") end
  return T
end

local http = require "aio.http"

-- ---- Cookie ----

local COOKIES = {
  { "a=1", { a = "1" } },
  { "a=1; b=2;c=3 ;\td=4", { a = "1", b = "2", c = "3", d = "4" } },
  { "a=1; a=2", { a = "1" } },
  { "a=\"x y\"; b=c=d", { a = "\"x y\"", b = "c=d" } },
  { "a; =b; ;; c=", { c = "" } },
  { "  a = 1  ", { a = "1" } },
  { "", {} }, { ";", {} }, { "=", {} }, { "A=1; a=2", { A = "1", a = "2" } },
  { "a=\195\164\0", { a = "\195\164\0" } },
}

function T.test_cookie()
  for _, case in ipairs(COOKIES) do
    lu.assertEquals(http.parse_cookie(case[1]), case[2], case[1])
  end
end

-- ---- Set-Cookie ----

local function set(rest)
  local cookie = { name = "a", value = "b" }
  for k, v in pairs(rest) do cookie[k] = v end
  return cookie
end

local SET = {
  { "a=b", {} },
  { "a=b; Domain=.Example.com; Path=/x; Secure; HttpOnly; SameSite=Lax; Partitioned",
    { domain = "Example.com", path = "/x", secure = true, httponly = true, samesite = "Lax",
      partitioned = true } },
  { " a = b ;secure=no;HTTPONLY = 1", { secure = true, httponly = true } },
  { "a=b; path=x", {} }, { "a=b; path", {} }, { "a=b; path=/1; Path=/2", { path = "/2" } },
  { "a=b; path=/1; path=", {} },
  { "a=b; max-age=10", { max_age = 10 } }, { "a=b; max-age=-1", { max_age = -1 } },
  { "a=b; max-age=1x", {} }, { "a=b; max-age=", {} }, { "a=b; max-age=-", {} },
  { "a=b; max-age=+5", {} }, { "a=b; samesite=other", {} }, { "a=b; unknown=1;;;", {} },
  { "a=b; domain=", {} }, { "a=b; path=/" .. ("x"):rep(2000), {} },
  { "a=b; expires=Wed, 09 Jun 2021 10:18:14 GMT", { expires = 1623233894 } },
  { "a=b; expires=Wednesday, 09-Jun-21 10:18:14 GMT", { expires = 1623233894 } },
  { "a=b; expires=Wed Jun  9 10:18:14 2021", { expires = 1623233894 } },
  { "a=b; expires=2021 9 junk 10:18:14Z jUnExxx", { expires = 1623233894 } },
  { "a=b; expires=10:18:14x;secure", { secure = true } },
  { "a=b; expires=9 Jun 2021 10:18:14", { expires = 1623233894 } },
  { "a=b; expires=1:2:3 9/jun/99", { expires = 928890123 } },
  { "a=b; expires=9 Jun 69 00:00:00", { expires = 3137961600 } },
  { "a=b; expires=31 Feb 2021 00:00:00", {} }, { "a=b; expires=1 Jan 1600 00:00:00", {} },
  { "a=b; expires=1 Jan 2021 24:00:00", {} }, { "a=b; expires=1 Jan 20210 10:00:00", {} },
  { "a=b; expires=1 Jan 2021 00:00:60", {} }, { "a=b; expires=", {} },
}

function T.test_set_cookie()
  for _, case in ipairs(SET) do
    lu.assertEquals(http.parse_set_cookie(case[1]), set(case[2]), case[1])
  end
  lu.assertEquals(http.parse_set_cookie("a=").value, "")
  lu.assertEquals(http.parse_set_cookie("a=\"b; c\"").value, "\"b")
  lu.assertEquals(http.parse_set_cookie("a=\tb c\t").value, "b c")
  lu.assertEquals(http.parse_set_cookie("a=" .. ("x"):rep(4095)).value, ("x"):rep(4095))
  lu.assertEquals(http.parse_set_cookie("a=b; max-age=99999999999999999999").max_age, 9999999999)
end

function T.test_set_cookie_ignored()
  for _, text in ipairs { "", "a", "=b", ";a=b", "a=b\0", "a=b\n; secure", "a=\127", "a=b; x=\r",
    "a=" .. ("x"):rep(4096) } do
    lu.assertNil(http.parse_set_cookie(text), text)
  end
end

-- Each cookie with any one byte in the place of another, and cut off anywhere: read or ignored.
function T.test_mutated()
  for _, case in ipairs(SET) do
    local text = case[1]
    for i = 1, math.min(#text, 80) do
      for _, byte in ipairs { 0, 10, 32, 34, 44, 59, 61, 92, 127, 255 } do
        local mutated = text:sub(1, i - 1) .. string.char(byte) .. text:sub(i + 1)
        local cookie = http.parse_set_cookie(mutated)
        lu.assertTrue(cookie == nil or cookie.name ~= "")
        http.parse_cookie(mutated)
      end
      http.parse_set_cookie(text:sub(1, i))
    end
  end
end

-- ---- writing ----

function T.test_write()
  local write = http.set_cookie
  lu.assertEquals(write("a", "b"), "a=b")
  lu.assertEquals(write("a", ""), "a=")
  lu.assertEquals(write("a", "\"b\""), "a=\"b\"")
  lu.assertEquals(write("a", "b", { domain = "example.com", path = "/", expires = 784111777.5,
    max_age = 5.0, secure = true, httponly = true, samesite = "none", partitioned = true }),
    "a=b; Domain=example.com; Path=/; Expires=Sun, 06 Nov 1994 08:49:37 GMT; Max-Age=5; Secure; "
    .. "HttpOnly; SameSite=None; Partitioned")
  lu.assertEquals(write("a", "b", { secure = false, expires = 0 }),
    "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
  lu.assertEquals(write("__Host-a", "b", { secure = true, path = "/" }),
    "__Host-a=b; Path=/; Secure")
end

local REFUSED = {
  { "name expected", "", "b" }, { "byte 0x3d at 2 cannot be in the name", "a=", "b" },
  { "byte 0x20 at 1", " a", "b" }, { "byte 0x0d at 2", "a\r\nSet-Cookie: x", "b" },
  { "byte 0xc3", "\195\164", "b" }, { "byte 0x00 at 2", "a\0", "b" },
  { "byte 0x3b at 2 cannot be in the value of a cookie (http.percent_encode it)", "a", "b;c" },
  { "byte 0x0d at 2", "a", "b\r\nX: y" }, { "byte 0x20", "a", "b c" }, { "byte 0x22", "a", "b\"" },
  { "byte 0x2c", "a", "b,c" }, { "byte 0x5c", "a", "b\\" }, { "byte 0x22 at 1", "a", "\"" },
  { "string expected, got number", "a", 5 }, { "more than 4096 bytes", "a", ("x"):rep(4096) },
  { "option 'domain'", "a", "b", { domain = "x;y" } },
  { "option 'domain': a name without blanks", "a", "b", { domain = " example.com" } },
  { "option 'path'", "a", "b", { path = "/\r\n" } },
  { "begins with \"/\"", "a", "b", { path = "x" } },
  { "unknown option 'ssl'", "a", "b", { ssl = true } },
  { "\"Strict\", \"Lax\" or \"None\"", "a", "b", { samesite = "x" } },
  { "samesite \"None\" needs option 'secure'", "a", "b", { samesite = "None" } },
  { "option 'partitioned' needs", "a", "b", { partitioned = true } },
  { "'__Secure-a' needs option 'secure'", "__Secure-a", "b" },
  { "needs path \"/\" and no domain", "__Host-a", "b", { secure = true } },
  { "needs path", "__Host-a", "b", { secure = true, path = "/", domain = "x" } },
  { "number of seconds expected", "a", "b", { max_age = 0 / 0 } },
  { "before the year 10000", "a", "b", { expires = 1e15 } },
}

function T.test_refused()
  for _, case in ipairs(REFUSED) do
    lu.assertErrorMsgContains(case[1], http.set_cookie, table.unpack(case, 2, 4))
  end
end

return T
