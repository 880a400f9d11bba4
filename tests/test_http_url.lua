-- SPDX-License-Identifier: MIT
-- URLs, queries and percent coding: what browsers make of them, and what is refused.

local aio = require "aio"
local env = require "support.env"
local lu = require "luaunit"

local T = { TestURL = {}, TestQuery = {}, TestPercent = {} }
if not env.has_http() then
  function T.test_http() lu.skip("this build has no library for HTTP") end
  T.TestURL, T.TestQuery, T.TestPercent = nil, nil, nil
  return T
end

local http = require "aio.http"
local hc = require "aio.http.core"
local URL = http.URL

-- ---- parsing ----

local SAME = {
  "http://example.com/", "https://example.com:8443/a/b?c=d#e", "ws://h/", "wss://h/?",
  "http://u:p@h/", "http://u@h/", "http://:p@h/", "http://h/?#", "http://h/%41%zz%",
  "http://[::1]:8080/", "http://1.2.3.4/", "http://a.b-c_d.e/", "http://h/;a=b/c,d",
}

local BECOMES = {
  { "HTTP://EXAMPLE.com", "http://example.com/" },
  { "  http://h/a b\t\n", "http://h/a%20b" },
  { "http://h\t/a\r\nb", "http://h/ab" },
  { "http:\\\\h\\a\\..\\b", "http://h/b" },
  { "http:h", "http://h/" },
  { "http:////h", "http://h/" },
  { "http://h:80/", "http://h/" },
  { "https://h:443", "https://h/" },
  { "https://h:80", "https://h:80/" },
  { "http://h:/", "http://h/" },
  { "http://h:0080/", "http://h/" },
  { "http://h:0/", "http://h:0/" },
  { "http://h/a/./b/../c/%2e/%2E%2e/d", "http://h/a/d" },
  { "http://h/..", "http://h/" },
  { "http://h/a/..", "http://h/" },
  { "http://h/a/.", "http://h/a/" },
  { "http://h//a//", "http://h//a//" },
  { "http://h/\195\164?\195\164'#\195\164`", "http://h/%C3%A4?%C3%A4%27#%C3%A4%60" },
  { "http://h/\"<>`{}^|", "http://h/%22%3C%3E%60%7B%7D%5E|" },
  { "http://h?a b", "http://h/?a%20b" },
  { "http://h#f", "http://h/#f" },
  { "http://u@v:p@h/", "http://u%40v:p@h/" },
  { "http://u:p:q@h/", "http://u:p%3Aq@h/" },
  { "http://@h/", "http://h/" },
  { "http://:@h/", "http://h/" },
  { "http://%65xample.%43om/", "http://example.com/" },
  { "http://0x7f.1/", "http://127.0.0.1/" },
  { "http://0177.0.0.01/", "http://127.0.0.1/" },
  { "http://2130706433/", "http://127.0.0.1/" },
  { "http://1.2.3.4./", "http://1.2.3.4/" },
  { "http://0xffffffff", "http://255.255.255.255/" },
  { "http://[0:0:0:0:0:0:0:1]/", "http://[::1]/" },
  { "http://[1:0:0:2:0:0:0:3]", "http://[1:0:0:2::3]/" },
  { "http://[::FFFF:1.2.3.4]", "http://[::ffff:102:304]/" },
  { "http://[::]", "http://[::]/" },
  { "http://[1::]", "http://[1::]/" },
  { "http://[1:2:3:4:5:6:7::]", "http://[1:2:3:4:5:6:7:0]/" },
}

local REFUSED = {
  { "", "no scheme" }, { "example.com/a", "no scheme" }, { "/a", "no scheme" },
  { "localhost:8080", "scheme is none of" }, { "file:///a", "scheme is none of" },
  { "javascript:alert(1)", "scheme is none of" }, { "1http://h", "no scheme" },
  { "http://", "no host" }, { "http:///", "no host" }, { "http://:80", "no host" },
  { "http://u@/", "no host" }, { "http://?a", "no host" },
  { "http://h:65536/", "above 65535" }, { "http://h:99999999999999999999/", "above 65535" },
  { "http://h:8a/", "no number" }, { "http://h:-1/", "no number" },
  { "http://h:+80/", "no number" },
  { "http://a b/", "no host can have" }, { "http://a%00b/", "no host can have" },
  { "http://a%0d%0ab/", "no host can have" }, { "http://a%2fb/", "no host can have" },
  { "http://a|b/", "no host can have" }, { "http://a%25b/", "no host can have" },
  { "http://a%/", "no host can have" }, { "http://a\0b/", "no host can have" },
  { "http://a\127b/", "no host can have" },
  { "http://b\195\188cher.example/", "Punycode" }, { "http://b%C3%BCcher.example/", "Punycode" },
  { "http://256.1.1.1/", "no IPv4" }, { "http://1.2.3.4.5/", "no IPv4" },
  { "http://1..2/", "no IPv4" }, { "http://0x/", nil }, { "http://09/", "no IPv4" },
  { "http://4294967296/", "no IPv4" }, { "http://a.1/", "no IPv4" }, { "http://1.0x1g/", nil },
  { "http://[::1/", "not closed" }, { "http://[::1]a/", "not closed" },
  { "http://[]/", "no IPv6" }, { "http://[:]/", "no IPv6" }, { "http://[1]/", "no IPv6" },
  { "http://[::1::]/", "no IPv6" }, { "http://[1:2:3:4:5:6:7]/", "no IPv6" },
  { "http://[1:2:3:4:5:6:7:8:9]/", "no IPv6" }, { "http://[12345::]/", "no IPv6" },
  { "http://[::1.2.3]/", "no IPv6" }, { "http://[::1.2.3.4.5]/", "no IPv6" },
  { "http://[::1.2.3.4.]/", "no IPv6" }, { "http://[::01.2.3.4]/", "no IPv6" },
  { "http://[::256.2.3.4]/", "no IPv6" }, { "http://[1:2:3:4:5:6:7:1.2.3.4]/", "no IPv6" },
  { "http://[fe80::1%25eth0]/", "no IPv6" }, { "http://[1:]/", "no IPv6" },
  { "http://[1:2:3:4:5:6:7:8::]/", "no IPv6" }, { "http://[::.1.2.3]/", "no IPv6" },
}

function T.TestURL.test_spellings()
  for _, text in ipairs(SAME) do lu.assertEquals(tostring(URL(text)), text) end
  for _, case in ipairs(BECOMES) do
    local text = tostring(URL(case[1]))
    lu.assertEquals(text, case[2])
    lu.assertEquals(tostring(URL(text)), text)
  end
end

function T.TestURL.test_refused()
  for _, case in ipairs(REFUSED) do
    local ok, err = pcall(URL, case[1])
    if case[2] then
      lu.assertFalse(ok, case[1])
      lu.assertStrContains(tostring(err), case[2])
      lu.assertStrContains(tostring(err.where), "test_http_url.lua")
    else
      lu.assertEquals(ok, case[1] == "http://0x/" or case[1] == "http://1.0x1g/", case[1])
    end
  end
  lu.assertErrorMsgContains("bad argument #1 to 'URL'", URL)
  lu.assertErrorMsgContains("bad argument #2 to 'URL'", URL, "/", 5)
  lu.assertErrorMsgContains("at most a MiB", URL, "http://h/" .. ("a"):rep(1 << 20))
end

-- An error tells of a text that a peer has sent: no more than a line of it, nothing unprintable,
-- and no password.
function T.TestURL.test_error_texts_are_bounded()
  local _, err = pcall(URL, "http://me:secret@\r\n\27[2J " .. ("x"):rep(100000))
  lu.assertTrue(#err.message < 500)
  lu.assertNil(err.message:find("[^\32-\126]"))
  lu.assertNil(err.message:find("secret", 1, true))
end

local JOINED = {
  { "", "http://u@h:8/a/b?q" }, { "#f", "http://u@h:8/a/b?q#f" }, { "?x", "http://u@h:8/a/b?x" },
  { "c", "http://u@h:8/a/c" }, { "./c", "http://u@h:8/a/c" }, { "../c", "http://u@h:8/c" },
  { "../../../c", "http://u@h:8/c" }, { "/c", "http://u@h:8/c" }, { "\\c", "http://u@h:8/c" },
  { "//g/c", "http://g/c" }, { "\\/g", "http://g/" }, { "///g", "http://g/" },
  { "http:c", "http://u@h:8/a/c" }, { "http:/c", "http://u@h:8/c" }, { "http://c", "http://c/" },
  { "https:c", "https://c/" }, { "c:d", nil }, { "./c:d", "http://u@h:8/a/c:d" },
  { ".", "http://u@h:8/a/" }, { "..", "http://u@h:8/" }, { "c/", "http://u@h:8/a/c/" },
  { "?", "http://u@h:8/a/b?" }, { "//", nil }, { "%2e%2e/c", "http://u@h:8/c" },
}

function T.TestURL.test_join()
  local base = URL "http://u@h:8/a/b?q#old"
  for _, case in ipairs(JOINED) do
    local ok, url = pcall(base.join, base, case[1])
    lu.assertEquals(ok and tostring(url) or nil, case[2], case[1])
    if ok then lu.assertEquals(URL(case[1], base), url) end
  end
  lu.assertEquals(tostring(URL("x", "http://h/a/")), "http://h/a/x")
  lu.assertIs(base:join(base), base)
end

-- ---- parts ----

function T.TestURL.test_parts()
  local url = URL "https://us%40er:p%3Aw@Example.COM:8443/a%20b/c?x=1&x=2&y=%2B+z#fr%20ag"
  lu.assertEquals({ url.scheme, url.user, url.password, url.host, url.port },
    { "https", "us@er", "p:w", "example.com", 8443 })
  lu.assertEquals({ url.path, url.raw_path, url.query_string, url.fragment },
    { "/a b/c", "/a%20b/c", "x=1&x=2&y=%2B+z", "fr ag" })
  lu.assertEquals({ url.authority, url:origin(), url.target },
    { "example.com:8443", "https://example.com:8443", "/a%20b/c?x=1&x=2&y=%2B+z" })
  lu.assertEquals(url.query:get_all "x", { "1", "2" })
  lu.assertIs(getmetatable(url.query:get_all "none"), require "aio.json.array")
  lu.assertEquals(url.query.y, "+ z")
  lu.assertEquals({ url.is_secure, url.is_default_port }, { true, false })
  local plain = URL "http://[::1]"
  lu.assertEquals({ plain.host, plain.port, plain.authority, plain.path, plain.target },
    { "::1", 80, "[::1]", "/", "/" })
  lu.assertNil(plain.user or plain.password or plain.fragment or plain.nothing)
  lu.assertEquals(plain.query_string, "")
  lu.assertTrue(plain.is_default_port)
  lu.assertEquals(URL "ws://h/":origin(), "ws://h")
end

function T.TestURL.test_does_not_change()
  local url = URL "http://h/"
  lu.assertErrorMsgContains("does not change", function() url.path = "/x" end)
  lu.assertIs(URL(url), url)
  lu.assertEquals(url, URL "HTTP://h")
  lu.assertNotEquals(url, URL "http://h/?")
  lu.assertFalse(url == "http://h/")
  lu.assertEquals(url .. "x", "http://h/x")
  lu.assertErrorMsgContains("write a colon", url.join, {}, "x")
end

function T.TestURL.test_changed_copies()
  local url = URL "http://u:p@h:8080/a/b?c=d#f"
  local function same(made, text) lu.assertEquals(tostring(made), text) end
  same(url:with_query { b = 2, a = { "x y", "&" } }, "http://u:p@h:8080/a/b?a=x+y&a=%26&b=2#f")
  same(url:with_query { { "b", 1 }, { "a", 0.5 } }, "http://u:p@h:8080/a/b?b=1&a=0.5#f")
  same(url:with_query "x=1#2", "http://u:p@h:8080/a/b?x=1%232#f")
  same(url:with_query(http.parse_query "b=1&a=2&b=3"), "http://u:p@h:8080/a/b?b=1&a=2&b=3#f")
  same(url:with_query(nil), "http://u:p@h:8080/a/b#f")
  same(url:extend_query { e = "f" }, "http://u:p@h:8080/a/b?c=d&e=f#f")
  same(url:extend_query {}, "http://u:p@h:8080/a/b?c=d#f")
  same(URL "http://h":extend_query "a", "http://h/?a")
  same(url:with_path "/x y/%41", "http://u:p@h:8080/x%20y/%2541")
  same(url:with_path "x?#", "http://u:p@h:8080/x%3F%23")
  same(url:with_fragment "a b", "http://u:p@h:8080/a/b?c=d#a%20b")
  same(url:with_fragment(nil), "http://u:p@h:8080/a/b?c=d")
  same(url:with_scheme "https", "https://u:p@h:8080/a/b?c=d#f")
  same(URL "http://h":with_scheme "wss", "wss://h/")
  same(url:with_user "me@x", "http://me%40x@h:8080/a/b?c=d#f")
  same(url:with_user("me", "s:c"), "http://me:s%3Ac@h:8080/a/b?c=d#f")
  same(url:with_user(nil), "http://h:8080/a/b?c=d#f")
  same(url / "c d/e", "http://u:p@h:8080/a/b/c%20d%2Fe")
  same(URL "http://h" / "a" / "b", "http://h/a/b")
  lu.assertErrorMsgContains("value of 'a': string or number expected, got boolean", url.with_query,
    url, { a = true })
  lu.assertErrorMsgContains("got nan", url.with_query, url, { a = 0 / 0 })
  lu.assertErrorMsgContains("names are strings", url.with_query, url, { [{}] = 1 })
  lu.assertErrorMsgContains("https, ws or wss", url.with_scheme, url, "ftp")
end

-- ---- against a browser's parser ----

local NODE = [[
const lines = require("fs").readFileSync(0, "latin1").split("\n");
for (const line of lines) {
  if (!line) continue;
  const [text, base] = line.split(" ").map(h => Buffer.from(h || "", "hex").toString("utf8"));
  let out = "-";
  try { out = new URL(text, base || undefined).href } catch (e) {}
  console.log(Buffer.from(out).toString("hex"));
}]]

local PIECES = {
  "http:", "https:", "ws:", "HTTP:", "//", "/", "\\", "h", "example.com", "A.b", "u:p@", "@", ":",
  ":80", ":443", ":8080", ":0",
  "1", "0x7f", "017", ".", "..", "1.2.3.4", "[::1]", "[1:2::3]", "[", "]",
  "::", "a", "b c", "%2e", "%2E.", "%41", "%", "%zz", "?", "#", "&x=1", "'", "\"", "<", "{", "`",
  "\t", "\n", " ", "|", "\195\164", "+", ";", "=", "~", "~x", "256", "/../", "/./", "xyz", "\1",
  "\127",
}

-- Numbers that look random, the same in each run.
local function generator(seed)
  return function(n)
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return (seed >> 8) % n + 1
  end
end

local function made_up(rnd)
  local parts = { rnd(2) == 1 and "http://" or rnd(3) == 1 and "http://h/" or "" }
  for i = 2, rnd(8) + 1 do parts[i] = PIECES[rnd(#PIECES)] end
  return table.concat(parts)
end

local function hex(text)
  return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

-- What Node refuses or not by tables of Unicode's, which we do not have.
local function by_tables(text) return text:find("[\128-\255]") or text:lower():find("xn%-%-") end

local function ours(text, base)
  local url = hc.url(text, base ~= "" and base or nil)
  return url or "-"
end

function T.TestURL.test_same_as_nodes()
  if not os.execute("command -v node >/dev/null 2>&1") then return lu.skip("no Node") end
  local rnd, cases = generator(4711), {}
  local dir = os.tmpname()
  local script, input = dir .. ".js", assert(io.open(dir, "w"))
  for i = 1, tonumber(os.getenv "AIO_URL_CASES") or 4000 do
    local base = rnd(2) == 1 and "http://u:p@base.example:81/a/b/c?q=1#f" or ""
    cases[i] = { made_up(rnd), base }
    input:write(hex(cases[i][1]), " ", hex(base), "\n")
  end
  input:close()
  local file = assert(io.open(script, "w"))
  file:write(NODE)
  file:close()
  local pipe, compared, different = io.popen(("node %s < %s"):format(script, dir)), 0, {}
  for i, case in ipairs(cases) do
    local line = assert(pipe:read "l", "node has ended")
    local theirs = line:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)
    local other = theirs ~= "-" and not theirs:find("^https?:") and not theirs:find("^wss?:")
    local host_part = case[1]:match("^[^?#]*")
    if not other and not by_tables(host_part) then
      compared = compared + 1
      if ours(case[1], case[2]) ~= theirs then
        different[#different + 1] = ("%d %q %q: %s, Node: %s"):format(i, case[1], case[2],
          ours(case[1], case[2]), theirs)
      end
    end
  end
  pipe:close()
  os.remove(dir)
  os.remove(script)
  lu.assertEquals(table.concat(different, "\n"), "")
  lu.assertTrue(compared > #cases / 2)
end

-- ---- queries ----

function T.TestQuery.test_parse()
  local q = http.parse_query "a=1&b=x+y%26&a=2&&c&=d&e=f=g&%zz=%"
  local got = {}
  for name, value in pairs(q) do got[#got + 1] = name .. ":" .. value end
  lu.assertEquals(got, { "a:1", "b:x y&", "a:2", "c:", ":d", "e:f=g", "%zz:%" })
  lu.assertEquals(#q, 7)
  lu.assertEquals({ q.a, q:get "a", q:get("x", 5), q:get_all "a", q:has "c", q:has "A" },
    { "1", "1", 5, { "1", "2" }, true, false })
  lu.assertNil(q.x)
  lu.assertEquals(#http.parse_query "", 0)
  lu.assertEquals(tostring(http.parse_query "a=1&b=2"), "MultiDict{a=1, b=2}")
end

function T.TestQuery.test_field_limit()
  local text = ("a&"):rep(1000)
  lu.assertEquals(#http.parse_query(text), 1000)
  local ok, err = pcall(http.parse_query, text .. "b")
  lu.assertFalse(ok)
  lu.assertTrue(aio.is(err, aio.RuntimeError))
  lu.assertStrContains(err.message, "more than 1000 fields")
  lu.assertEquals(#http.parse_query(text .. "b", 2000), 1001)
  lu.assertErrorMsgContains("string expected", http.parse_query, 5)
end

function T.TestQuery.test_encode()
  lu.assertEquals(http.encode_query { { "a b", "c&d=" }, { "\195\164", "~*-._" } },
    "a+b=c%26d%3D&%C3%A4=%7E*-._")
  lu.assertEquals(http.encode_query {}, "")
  lu.assertEquals(http.encode_query "as it is", "as it is")
  lu.assertEquals(http.encode_query { n = { 1, 2 } }, "n=1&n=2")
  local long = ("\255"):rep(5000)
  local again = http.parse_query(http.encode_query { { long, long }, { "x", long } })
  lu.assertEquals({ again[long], again.x }, { long, long })
  lu.assertErrorMsgContains("fields, in a table, expected", http.encode_query, 5)
  lu.assertErrorMsgContains("item 1: { name, value } expected", http.encode_query, { "a" })
end

function T.TestQuery.test_multidict()
  local m = http.MultiDict { b = 1, a = { 2, 3 } }
  lu.assertEquals(tostring(m), "MultiDict{a=2, a=3, b=1}")
  m:add("c", 4)
  m:set("a", 5)
  lu.assertEquals(tostring(m), "MultiDict{b=1, c=4, a=5}")
  lu.assertEquals({ m:remove "b", m:remove "b", #m }, { 1, 0, 2 })
  lu.assertTrue(m == http.MultiDict { { "c", 4 }, { "a", 5 } })
  lu.assertFalse(m == http.MultiDict { { "c", 4 } })
  lu.assertFalse(m == http.MultiDict { { "c", 4 }, { "a", 6 } })
  lu.assertErrorMsgContains("methods add, set and remove", function() m.x = 1 end)
  lu.assertErrorMsgContains("value expected", m.add, m, "x")
  lu.assertErrorMsgContains("remove takes a field away", m.set, m, "x")
  lu.assertErrorMsgContains("name expected", m.add, m, 1, 1)
  lu.assertErrorMsgContains("write a colon", m.add, "x", 1)
  lu.assertErrorMsgContains("write a colon", m.remove, "x")
  lu.assertErrorMsgContains("table of fields expected", http.MultiDict, 1)
end

-- ---- percent coding ----

function T.TestPercent.test_places()
  local text = "a /%?#[]@!$&'()*+,;=-._~|\"\195\164\0"
  local expected = {
    component = "a%20%2F%25%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D-._~%7C%22%C3%A4%00",
    segment = "a%20%2F%25%3F%23[]@!$&'()*+,;=-._~%7C%22%C3%A4%00",
    path = "a%20/%%3F%23[]@!$&'()*+,;=-._~|%22%C3%A4%00",
    query = "a%20/%?%23[]@!$&%27()*+,;=-._~|%22%C3%A4%00",
    fragment = "a%20/%?#[]@!$&'()*+,;=-._~|%22%C3%A4%00",
    userinfo = "a%20%2F%%3F%23%5B%5D%40!$&'()*+,%3B%3D-._~%7C%22%C3%A4%00",
    form = "a+%2F%25%3F%23%5B%5D%40%21%24%26%27%28%29*%2B%2C%3B%3D-._%7E%7C%22%C3%A4%00",
  }
  for where, encoded in pairs(expected) do
    lu.assertEquals(http.percent_encode(text, where), encoded, where)
  end
  lu.assertEquals(http.percent_encode(text), expected.component)
  lu.assertEquals(http.percent_decode(expected.component), text)
  lu.assertEquals(http.percent_decode(expected.form, "form"), text)
  lu.assertErrorMsgContains("invalid option", http.percent_encode, "a", "x")
end

function T.TestPercent.test_decode()
  lu.assertEquals(http.percent_decode "%41%6a%6A%zz%4%", "Ajj%zz%4%")
  lu.assertEquals(http.percent_decode "a+b", "a+b")
  lu.assertEquals(http.percent_decode("a+b%2b", "form"), "a b+")
  local all = {}
  for i = 0, 255 do all[#all + 1] = string.char(i) end
  local text = table.concat(all)
  for _, where in ipairs { "component", "segment" } do
    lu.assertEquals(http.percent_decode(http.percent_encode(text, where)), text)
  end
end

return T
