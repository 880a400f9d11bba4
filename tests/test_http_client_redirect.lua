-- SPDX-License-Identifier: MIT
-- Redirects of the HTTP client: by which method they go on, and what does not go along.

local env = require "support.env"
local lu = require "luaunit"

if not env.has_http() then return { test_nothing = function() lu.skip "built without http" end } end

local http = require "aio.http"
local raw = require "support.raw_http"

local raised, response = raw.raised, raw.response

local T = {}

-- "/302?to" redirects to "to"; everything else tells how the request looked.
local function answer(head, body)
  local status, to = head.target:match "^/(%d+)%?(.*)$"
  if not status then return response(head.text .. body, "Content-Type: text/plain\r\n") end
  return response("moved", ("Location: %s\r\nSet-Cookie: seen=%s\r\n"):format(to, status),
    status .. " Moved")
end

local function case(name, fn, opts)
  T["test_" .. name] = raw.case(function()
    local server <close> = raw.answering(answer)
    local other <close> = raw.answering(answer)
    local session <close> = http.ClientSession(opts and opts() or nil)
    fn(session, server.url, other.url, server)
  end)
end

case("they_are_followed", function(session, url, _, server)
  local res = session:get(url .. "/302?/x?y=1")
  lu.assertEquals(res.status, 200)
  lu.assertStrContains(res:text(), "GET /x?y=1 ")
  lu.assertEquals(tostring(res.url), url .. "/x?y=1")
  lu.assertEquals(#res.history, 1)
  lu.assertEquals(res.history[1].status, 302)
  lu.assertEquals(tostring(res.history[1].url), url .. "/302?/x?y=1")
  lu.assertEquals(res.history[1].history, {})
  lu.assertEquals(server.connections, 1)
  lu.assertStrContains(session:get(url .. "/301?x"):text(), "GET /x ")
  lu.assertEquals(tostring(session:get(url .. "/301?x#a").url), url .. "/x#a")
end)

case("methods", function(session, url)
  local expected = {
    { "GET", 301, "GET" }, { "GET", 303, "GET" }, { "GET", 308, "GET" },
    { "POST", 301, "GET" }, { "POST", 302, "GET" }, { "POST", 303, "GET" }, { "POST", 307, "POST" },
    { "POST", 308, "POST" }, { "PUT", 301, "PUT" }, { "PUT", 302, "PUT" }, { "PUT", 303, "GET" },
    { "DELETE", 302, "DELETE" }, { "DELETE", 307, "DELETE" },
  }
  for _, one in ipairs(expected) do
    local method, status, after = table.unpack(one)
    local data = (method == "POST" or method == "PUT") and "the body" or nil
    local text = session:request(method, ("%s/%d?/x"):format(url, status),
      { data = data, headers = data and { ["Content-Type"] = "text/x" } }):text()
    local what = method .. " " .. status
    lu.assertEquals(text:match "^%u+", after, what)
    local keeps = data ~= nil and after == method
    lu.assertEquals(text:find("the body", 1, true) ~= nil, keeps, what)
    lu.assertEquals(text:find("Content-Type: text/x", 1, true) ~= nil, keeps, what)
  end
  lu.assertEquals(session:request("HEAD", url .. "/303?/x").method, "HEAD")
end)

case("not_followed", function(session, url)
  local res = session:get(url .. "/302?/x", { allow_redirects = false })
  lu.assertEquals(res.status, 302)
  lu.assertEquals(res:read(), "moved")
  lu.assertEquals(session:head(url .. "/302?/x").status, 302)
  lu.assertEquals(session:head(url .. "/302?/x", { allow_redirects = true }).status, 200)
  lu.assertEquals(session:get(url .. "/300?/x").status, 300)
  lu.assertEquals(session:get(url .. "/304?/x").status, 304)
end)

case("too_many", function(session, url)
  local err = raised(http.TooManyRedirects, session.get, session, url .. "/302?/302?/302?/302?/x",
    { max_redirects = 2 })
  lu.assertEquals(#err.history, 2)
  raised(http.TooManyRedirects, session.get, session, url .. "/302?", { max_redirects = 3 })
  raised(http.TooManyRedirects, session.get, session, url .. "/302?/x", { max_redirects = 0 })
  lu.assertEquals(session:get(url .. "/302?/302?/302?/x", { max_redirects = 3 }).status, 200)
  lu.assertStrContains(tostring(session.connector), "0 in use")
end)

-- What is meant for one origin.
local SECRETS = { "Authorization", "Cookie", "Proxy%-Authorization" }

local function secrets_in(text)
  local found = {}
  for _, name in ipairs(SECRETS) do
    if text:find("\r\n" .. name .. ": ") then found[#found + 1] = name end
  end
  return table.concat(found, " ")
end

local ALL = { headers = { Authorization = "Bearer t", Cookie = "a=1",
  ["Proxy-Authorization"] = "Basic eA==", Host = "mine.test", ["X-Mine"] = "1" } }

case("credentials_stay_with_their_origin", function(session, url, other)
  local text = session:get(url .. "/302?/x", ALL):text()
  lu.assertEquals(secrets_in(text), "Authorization Cookie Proxy%-Authorization")
  lu.assertStrContains(text, "Host: mine.test")
  text = session:get(url .. "/302?" .. other .. "/x", ALL):text()
  lu.assertEquals(secrets_in(text), "")
  lu.assertStrContains(text, "\r\nHost: " .. other:sub(8) .. "\r\n")
  lu.assertStrContains(text, "X-Mine: 1")
  -- not even when it leads back
  text = session:get(url .. "/302?" .. other .. "/302?" .. url .. "/x", ALL):text()
  lu.assertEquals(secrets_in(text), "")
end)

case("so_do_those_of_the_options", function(session, url, other)
  local opts = { auth = http.basic_auth("u", "p"), cookies = { a = "1" } }
  lu.assertEquals(secrets_in(session:get(url .. "/302?/x", opts):text()), "Authorization Cookie")
  lu.assertEquals(secrets_in(session:get(url .. "/302?" .. other .. "/x", opts):text()), "")
  local own <close> = http.ClientSession { auth = opts.auth, cookies = opts.cookies,
    headers = { Authorization = "Bearer t" } }
  lu.assertEquals(secrets_in(own:get(url .. "/302?" .. other .. "/x"):text()), "")
  local with = url:gsub("//", "//u:p@")
  lu.assertEquals(secrets_in(session:get(with .. "/302?/x"):text()), "Authorization")
  lu.assertEquals(secrets_in(session:get(with .. "/302?" .. other .. "/x"):text()), "")
end)

case("credentials_of_the_new_url_go_there", function(session, url, other)
  local text = session:get(url .. "/302?" .. other:gsub("//", "//x:y@") .. "/x"):text()
  lu.assertStrContains(text, "Authorization: Basic eDp5")
end)

case("cookies_of_the_jar", function(session, url)
  lu.assertStrContains(session:get(url .. "/302?/x"):text(), "Cookie: seen=302")
  lu.assertStrContains(session:get(url .. "/307?/x"):text(), "Cookie: seen=307")
end, function() return { cookie_jar = http.CookieJar { unsafe = true } } end)

case("other_schemes", function(session, url)
  for _, to in ipairs { "file:///etc/passwd", "ftp://a.test/", "javascript:alert(1)", "data:,x" } do
    raised(http.NonHttpUrlRedirectClientError, session.get, session, url .. "/302?" .. to)
  end
  raised(http.NonHttpUrlRedirectClientError, session.get, session, url .. "/302?ws://a.test/")
  lu.assertStrContains(tostring(session.connector), "0 in use")
end)

case("urls_that_are_none", function(session, url)
  raised(http.InvalidUrlRedirectClientError, session.get, session, url .. "/302?http://")
  raised(http.InvalidUrlRedirectClientError, session.get, session, url .. "/302?//a:b:c/")
end)

T.test_a_location_that_would_smuggle = raw.case(function()
  local targets = {}
  local server <close> = raw.answering(function(head)
    targets[#targets + 1] = head.line
    if #targets > 1 then return response "ok" end
    return response("", "Location: /a b\tc\xFF\r\n", "302 Found")
  end)
  local session <close> = http.ClientSession()
  lu.assertEquals(session:get(server.url).status, 200)
  lu.assertEquals(targets[2], "GET /a%20bc%FF HTTP/1.1")
end)

case("a_body_that_can_be_sent_again", function(session, url)
  local file <close> = assert(io.tmpfile())
  file:write "0123456789"
  file:seek("set", 3)
  local text = session:put(url .. "/307?/x", { data = file }):text()
  lu.assertEquals(text:match "\r\n\r\n(.*)$", "3456789")
end)

case("a_body_that_cannot", function(session, url)
  local n = 0
  local function twice()
    n = n + 1
    return n <= 2 and "part" or nil
  end
  local err = raised(http.TooManyRedirects, session.put, session, url .. "/307?/x",
    { data = twice })
  lu.assertStrContains(err.message, "cannot be; send a string")
  n = 0
  lu.assertEquals(session:post(url .. "/303?/x", { data = twice }).status, 200)
end)

return T
