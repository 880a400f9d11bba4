-- SPDX-License-Identifier: MIT
-- What values of headers mean: dates, types, preferences, ranges, entity tags, links, file names.

local env = require "support.env"
local lu = require "luaunit"

local T = {}
if not env.has_http() then
  function T.test_http() lu.skip("this build has no library for HTTP") end
  return T
end

local http = require "aio.http"
local hc = require "aio.http.core"

-- ---- dates ----

local DATES = {
  { 784111777, "Sun, 06 Nov 1994 08:49:37 GMT" }, { 0, "Thu, 01 Jan 1970 00:00:00 GMT" },
  { -1, "Wed, 31 Dec 1969 23:59:59 GMT" }, { 951782400, "Tue, 29 Feb 2000 00:00:00 GMT" },
  { 4107542399, "Sun, 28 Feb 2100 23:59:59 GMT" }, { 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT" },
  { -62167219200, "Sat, 01 Jan 0000 00:00:00 GMT" },
  { 253402300799, "Fri, 31 Dec 9999 23:59:59 GMT" },
}

function T.test_dates_both_ways()
  for _, case in ipairs(DATES) do
    lu.assertEquals(http.http_date(case[1]), case[2])
    lu.assertEquals(http.parse_date(case[2]), case[1])
  end
  lu.assertEquals(http.http_date(0.9), http.http_date(0))
  lu.assertEquals(http.http_date(-0.1), http.http_date(-1))
  for day = -800000, 2900000, 97 do
    local seconds = day * 86400 + day % 86400
    if seconds >= -62167219200 and seconds <= 253402300799 then
      local text = http.http_date(seconds)
      lu.assertEquals(http.parse_date(text), seconds)
      lu.assertEquals(text:sub(6, 16), os.date("!%d %b %Y", seconds):gsub(" (%d+)$", function(y)
        return (" %04d"):format(tonumber(y))
      end))
      lu.assertEquals(text:sub(1, 3), os.date("!%a", seconds))
    end
  end
  lu.assertStrMatches(http.http_date(), "%a%a%a, %d%d %a%a%a %d%d%d%d %d%d:%d%d:%d%d GMT")
  lu.assertErrorMsgContains("before the year 10000", http.http_date, 253402300800)
  lu.assertErrorMsgContains("before the year 10000", http.http_date, 0 / 0)
end

function T.test_old_forms()
  lu.assertEquals(http.parse_date "Sunday, 06-Nov-94 08:49:37 GMT", 784111777)
  lu.assertEquals(http.parse_date "Sun Nov  6 08:49:37 1994", 784111777)
  lu.assertEquals(http.parse_date "Wed Nov 16 08:49:37 1994", 784975777)
  lu.assertEquals(http.parse_date " Sun, 06 Nov 1994 08:49:37 GMT ", 784111777)
  lu.assertEquals(http.parse_date "Tue, 31 Dec 2024 23:59:60 GMT", 1735689599)
  local in_2026 = 1780000000
  lu.assertEquals(hc.parse_date("Friday, 01-Jan-76 00:00:00 GMT", in_2026), 3345062400)
  lu.assertEquals(hc.parse_date("Saturday, 01-Jan-77 00:00:00 GMT", in_2026), 220924800)
end

function T.test_no_dates()
  for _, text in ipairs { "", "x", "Sun, 06 Nov 1994 08:49:37", "Sun, 6 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 08:49:37 UTC", "Sun, 31 Feb 1994 08:49:37 GMT",
    "Sun, 00 Nov 1994 08:49:37 GMT",
    "Sun, 06 Nov 1994 24:00:00 GMT", "Sun, 06 Nov 1994 08:60:00 GMT",
    "Sun, 06 Nov 1994 08:49:61 GMT",
    "Sun, 06 Nov 1994 08:49:37 GMTx", "Sunday, 06-Nov-1994 08:49:37 GMT", "Mon 06 Nov 94",
    "Sonday, 06-Nov-94 08:49:37 GMT", "Thu, 29 Feb 2100 00:00:00 GMT",
    "Sun, 0x Nov 1994 08:49:37 GMT",
    "Sun\0 06 Nov 1994 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT" } do
    lu.assertNil(http.parse_date(text), text)
  end
end

-- ---- types and preferences ----

function T.test_content_type()
  local function read(text)
    local kind, params = http.parse_content_type(text)
    return { kind, params }
  end
  lu.assertEquals(read "text/html", { "text/html", {} })
  lu.assertEquals(read "Text/HTML;Charset=\"utf-8\" ; a = b;;c;a=d",
    { "text/html", { charset = "utf-8", a = "b", c = "" } })
  lu.assertEquals(read "a/b; x=\"q\\\"\\x;,\"junk; y=1", { "a/b", { x = "q\"x;,", y = "1" } })
  lu.assertEquals(read "a/b; x=\"open; y=1", { "a/b", { x = "open; y=1" } })
  lu.assertEquals(read "a/b; \"x\"=1; =2; \0=3; z", { "a/b", { z = "" } })
  lu.assertEquals(read "application/vnd.api+json", { "application/vnd.api+json", {} })
  for _, text in ipairs { "", " ", ";", "text", "text/", "/html", "a/b/c", "a b/c",
    "text/html, b" } do
    lu.assertEquals(read(text), {}, text)
  end
  lu.assertErrorMsgContains("string expected, got nil", http.parse_content_type)
end

local function values(text)
  local list = {}
  for i, item in ipairs(http.parse_accept(text)) do
    list[i] = ("%s %g"):format(item.value, item.q)
  end
  return table.concat(list, ", ")
end

function T.test_accept()
  lu.assertEquals(values "text/html, a/b;q=0.5, */*;q=0.1, x/y;Q=1.000",
    "text/html 1, x/y 1, a/b 0.5, */* 0.1")
  lu.assertEquals(values "gzip;q=0, BR , , ,identity ; q = 0.25", "br 1, identity 0.25, gzip 0")
  lu.assertEquals(values "a;q=2, b;q=-1, c;q=x, d;q=, e;q=0.5.5, f;q=1e0, g", "g 1")
  lu.assertEquals(values "", "")
  lu.assertEquals(http.parse_accept "a/b;v=\"1,2\";q=0.5",
    { { value = "a/b", q = 0.5, params = { v = "1,2" } } })
  lu.assertNil(http.parse_accept(("a,"):rep(101)))
  lu.assertEquals(#http.parse_accept(("a,"):rep(100)), 100)
end

function T.test_negotiate()
  local offers = { "text/html", "application/json" }
  local function chosen(accept) return http.negotiate(accept, offers) end
  lu.assertEquals(chosen(nil), "text/html")
  lu.assertEquals(chosen "application/json", "application/json")
  lu.assertEquals(chosen "text/*;q=0.5, application/*", "application/json")
  lu.assertEquals(chosen "*/*", "text/html")
  lu.assertEquals(chosen "*/*, text/html;q=0", "application/json")
  lu.assertEquals(chosen "text/*, text/html;q=0.1, */*;q=0.5", "application/json")
  lu.assertNil(chosen "image/png")
  lu.assertNil(chosen "")
  lu.assertEquals(http.negotiate("en-US, en;q=0.5", { "de", "en" }), "en")
end

-- ---- ranges and entity tags ----

function T.test_range()
  local function read(text, size) return http.parse_range(text, size or 10) end
  lu.assertEquals(read "bytes=0-4", { { 0, 4 } })
  lu.assertEquals(read "Bytes = 5- , -3,0-0", { { 5, 9 }, { 7, 9 }, { 0, 0 } })
  lu.assertEquals(read "bytes=0-99", { { 0, 9 } })
  lu.assertEquals(read "bytes=-99", { { 0, 9 } })
  lu.assertEquals(read "bytes=10-, 3-4", { { 3, 4 } })
  lu.assertEquals(read "bytes=9-9,", { { 9, 9 } })
  lu.assertEquals(read "bytes=10-", false)
  lu.assertEquals(read "bytes=-0", false)
  lu.assertEquals(read("bytes=0-0", 0), false)
  lu.assertEquals(read("bytes=-5", 0), false)
  for _, text in ipairs { "", "bytes", "bytes=", "bytes=,", "bytes=-", "bytes=5-4", "bytes=a-b",
    "bytes=0x0-5", "bytes=0-5;", "items=0-5", "bytes=+0-5", "bytes= 0 - 5", "bytes=--5",
    "bytes=0-9999999999999999999", "bytes=" .. ("0-0,"):rep(17) } do
    lu.assertNil(read(text), text)
  end
  lu.assertEquals(#read("bytes=" .. ("0-0,"):rep(16)), 16)
end

function T.test_etags()
  lu.assertEquals(http.parse_etags ' "a" , W/"b","c,d" ', { { tag = "a", weak = false },
    { tag = "b", weak = true }, { tag = "c,d", weak = false } })
  lu.assertEquals(http.parse_etags " * ", "*")
  for _, text in ipairs { "", "a", '"a', 'w/"a"', '"a" "b"', '"a",b', '/"a"', '"a\1"' } do
    lu.assertNil(http.parse_etags(text), text)
  end
  local tags = http.parse_etags '"a", W/"b"'
  local function has(etag, weakly) return http.has_etag(tags, etag, weakly) end
  lu.assertEquals({ has '"a"', has '"b"', has 'W/"b"', has 'W/"a"', has '"c"' },
    { true, false, false, false, false })
  lu.assertEquals({ has('W/"a"', true), has('"b"', true), has('"c"', true), has(nil, true) },
    { true, true, false, false })
  lu.assertTrue(http.has_etag("*", '"a"'))
  lu.assertFalse(http.has_etag("*", nil))
  lu.assertFalse(http.has_etag(nil, '"a"'))
end

function T.test_if_range()
  local date = "Sun, 06 Nov 1994 08:49:37 GMT"
  lu.assertTrue(http.if_range(nil, '"a"'))
  lu.assertTrue(http.if_range('"a"', '"a"'))
  lu.assertFalse(http.if_range('"a"', '"b"'))
  lu.assertFalse(http.if_range('W/"a"', 'W/"a"'))
  lu.assertFalse(http.if_range('"a"', nil))
  lu.assertTrue(http.if_range(date, nil, 784111777.25))
  lu.assertFalse(http.if_range(date, nil, 784111778))
  lu.assertFalse(http.if_range("junk", '"a"', 0))
end

-- ---- links and names of files ----

function T.test_links()
  local links = http.parse_links('<http://h/?a,b;c>; rel="next"; title*=UTF-8\'\'%c3%a4, '
    .. '<../x>;rel=prev;title="a,b", junk, <y>')
  lu.assertEquals(links, {
    { url = "http://h/?a,b;c", rel = "next", params = { rel = "next", title = "\195\164" } },
    { url = "../x", rel = "prev", params = { rel = "prev", title = "a,b" } },
    { url = "y", params = {} },
  })
  lu.assertEquals(http.parse_links "<open; rel=next", {})
  lu.assertNil(http.parse_links(("<a>,"):rep(101)))
end

function T.test_content_disposition()
  local function name(text)
    local kind, params = http.parse_content_disposition(text)
    return kind and (params.filename or kind)
  end
  lu.assertEquals(name 'attachment; filename="a b.txt"', "a b.txt")
  lu.assertEquals(name "ATTACHMENT", "attachment")
  lu.assertEquals(name "attachment; filename=a.txt", "a.txt")
  lu.assertEquals(name 'attachment; filename="a\\"b\\\\c"', 'a"b\\c')
  lu.assertEquals(name 'attachment; filename="C:\\dir\\a.txt"', "C:\\dir\\a.txt")
  lu.assertEquals(name "attachment; filename*=UTF-8'en'%e2%82%ac.txt; filename=x",
    "\226\130\172.txt")
  lu.assertEquals(name "attachment; filename=x; filename*=iso-8859-1''%e4", "\195\164")
  lu.assertEquals(name "attachment; filename=x; filename*=UTF-8''%ff", "x")
  lu.assertEquals(name "attachment; filename=x; filename*=koi8-r''a", "x")
  lu.assertEquals(name "attachment; filename=x; filename*=junk", "x")
  lu.assertEquals(name "attachment; filename=\"\195\164\"", "\195\164")
  for _, text in ipairs { "", ";", "a b", "a,b" } do lu.assertNil(name(text), text) end
end

-- A long header costs no more for each byte than a short one: no time is measured, but what takes
-- the square of its length would never end here.
function T.test_long_headers_in_linear_time()
  local n = 1 << 20
  for _, text in ipairs { (" "):rep(n) .. "x", "a;" .. (";"):rep(n), "a;b=\"" .. ("\\"):rep(n),
    "<" .. ("<"):rep(n), ("\""):rep(n), "a;" .. ("="):rep(n), "a;x=" .. ("<"):rep(n) } do
    http.parse_content_type(text)
    http.parse_accept(text)
    http.parse_links(text)
    http.parse_content_disposition(text)
    http.parse_range("bytes=" .. text, 10)
    http.parse_etags(text)
    http.parse_cookie(text)
    http.parse_set_cookie(text)
    http.parse_date(text)
  end
  http.parse_range("bytes=" .. "1" .. (" "):rep(n) .. "x", 10)
end

return T
