-- SPDX-License-Identifier: MIT
-- Digest authentication of the HTTP client: the examples of the RFCs, challenges in every form, and
-- a server that asks, with nonces that grow old.

local env = require "support.env"
local lu = require "luaunit"

if not (env.has_http() and env.has_tls()) then
  return { test_nothing = function() lu.skip "built without http or tls" end }
end

local http = require "aio.http"
local digest = require "aio.http.digest"
local raw = require "support.raw_http"

local response = raw.response

local T = {}

-- ---- the sums ----

local function mufasa(asked, password)
  return digest._response(asked, "Mufasa", password, "GET", "/dir/index.html", "00000001")
end

function T.test_examples_of_the_rfcs()
  local asked = { realm = "http-auth@example.org", qop = "auth", hash = "md5",
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ" }
  lu.assertEquals(mufasa(asked, "Circle of Life"), "8ca523f5e9506fed4657c9700eebdbec")
  asked.hash = "sha256"
  lu.assertEquals(mufasa(asked, "Circle of Life"),
    "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1")
  asked = { realm = "testrealm@host.com", hash = "md5", qop = "auth", cnonce = "0a4f113b",
    nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093" }
  lu.assertEquals(mufasa(asked, "Circle Of Life"), "6629fae49393a05397450978507c4ef1")
  asked.qop = nil
  lu.assertEquals(mufasa(asked, "CircleOfLife"), "1949323746fe6a43ef61f9606e7febea")
end

-- ---- challenges ----

function T.test_challenges_in_every_form()
  for text, wanted in pairs {
    [""] = {}, [" , ,"] = {}, ["Basic"] = { { scheme = "basic" } },
    ['Digest realm="a", nonce=b'] = { { scheme = "digest", realm = "a", nonce = "b" } },
    ['Basic realm="x, y",DIGEST  Realm = "q\\"\\\\" ,nonce="n="'] =
      { { scheme = "basic", realm = "x, y" }, { scheme = "digest", realm = 'q"\\', nonce = "n=" } },
    ["Negotiate abc==, Digest nonce=1, nonce=2"] =
      { { scheme = "negotiate", abc = "=" }, { scheme = "digest", nonce = "1" } },
    ['Digest realm="open'] = { { scheme = "digest", realm = "open" } },
    ['Digest realm="open\\'] = { { scheme = "digest", realm = "open" } },
    ['"", =, Digest a='] = { { scheme = "digest", a = "" } }, ['a="b"'] = {},
  } do
    lu.assertEquals(digest.challenges(text), wanted, text)
  end
  lu.assertEquals(#digest.challenges(("Digest a=\\,\""):rep(20000)) > 0, true) -- in linear time
end

-- ---- with a server ----

-- What an Authorization says.
local function said(head)
  return head.authorization and digest.challenges(head.authorization)[1] or {}
end

-- A server that knows ann's password is "secret", asks with `challenge` and this nonce, and takes a
-- right answer `uses` times. It keeps in `seen` what clients have said.
local function asking(challenge, hash, uses, seen)
  local number, left = 0, 0
  return raw.answering(function(head, body)
    local got = said(head)
    seen[#seen + 1] = got
    local good = got.nonce == "n" .. number
    if good and left > 0 then
      got.hash, got.sess = hash, challenge:find "%-sess" ~= nil
      local right = digest._response(got, "ann", "secret", head.method, head.target, got.nc)
      if right == got.response then
        left = left - 1
        return response(head.target .. body)
      end
    end
    local stale = good and left == 0 and ", stale=TRUE" or ""
    if not good or left == 0 then number, left = number + 1, uses end
    return response("who?", ('WWW-Authenticate: Basic realm="r"\r\nWWW-Authenticate: Digest %s, '
      .. 'nonce="n%d"%s\r\n'):format(challenge, number, stale), "401 Unauthorized")
  end)
end

local function case(name, fn) T["test_" .. name] = raw.case(fn) end

local function session_for(...)
  return http.ClientSession { middlewares = { http.DigestAuth(...) } }
end

case("every_algorithm", function()
  for challenge, hash in pairs {
    ['realm="r \\"q\\""'] = "md5", ['realm="r", qop="auth"'] = "md5",
    ['realm="r", qop="auth-int, auth", algorithm=SHA-256, opaque="o"'] = "sha256",
    ['realm="r", qop=auth, algorithm=MD5-sess'] = "md5",
    ['realm="r", qop=auth, algorithm="SHA-512-256-sess"'] = "sha512-256",
  } do
    local seen = {}
    local server <close> = asking(challenge, hash, 100, seen)
    local session <close> = session_for("ann", "secret")
    lu.assertEquals(session:get(server.url .. "/a?b=c"):text(), "/a?b=c", challenge)
    lu.assertEquals(session:post(server.url .. "/p", { data = "body" }):text(), "/pbody")
    lu.assertEquals({ #seen, seen[1].nonce, seen[2].username }, { 3, nil, "ann" })
    lu.assertEquals(seen[3].nc, challenge:find "qop" and "00000002" or nil)
    lu.assertEquals(seen[2].opaque, challenge:match 'opaque="(.)"')
    lu.assertEquals(server.connections, 1)
  end
end)

case("a_nonce_that_grows_old", function()
  local seen = {}
  local server <close> = asking('realm="r", qop=auth', "md5", 2, seen)
  local session <close> = session_for("ann", "secret")
  for i = 1, 5 do lu.assertEquals(session:get(server.url .. "/" .. i).status, 200) end
  local counts = {}
  for i, one in ipairs(seen) do counts[i] = (one.nonce or "-") .. ":" .. (one.nc or "-"):sub(-1) end
  lu.assertEquals(counts, { "-:-", "n1:1", "n1:2", "n1:3", "n2:1", "n2:2", "n2:3", "n3:1" })
end)

case("what_is_not_answered", function()
  for _, challenge in ipairs { 'realm="r", algorithm=SHA-1', 'realm="r", qop="auth-int"',
    'realm="r", algorithm=MD5-sess', 'x="r"' } do
    local seen = {}
    local server <close> = asking(challenge, "md5", 1, seen)
    local session <close> = session_for("ann", "secret")
    local res = session:get(server.url)
    lu.assertEquals({ res.status, res:text(), #seen }, { 401, "who?", 1 }, challenge)
  end
end)

case("a_wrong_password", function()
  local seen = {}
  local server <close> = asking('realm="r", qop=auth', "md5", 9, seen)
  local session <close> = session_for("ann", "guess")
  lu.assertEquals(session:get(server.url).status, 401)
  lu.assertEquals(#seen, 2)
  lu.assertEquals(session:get(server.url).status, 401) -- the same nonce: not twice
  lu.assertEquals(#seen, 3)
end)

case("a_body_that_cannot_be_sent_again", function()
  local seen = {}
  local server <close> = asking('realm="r", qop=auth', "md5", 9, seen)
  local session <close> = session_for("ann", "secret")
  local function body()
    local n = 0
    return function()
      n = n + 1
      return n == 1 and "once" or nil
    end
  end
  lu.assertEquals(session:post(server.url, { data = body() }).status, 401)
  lu.assertEquals(session:get(server.url).status, 200)
  local known = session:post(server.url .. "/p", { data = body() })
  lu.assertEquals(known:text(), "/ponce")
end)

case("credentials_stay_with_their_origin", function()
  local seen, elsewhere = {}, {}
  local other <close> = asking('realm="r", qop=auth', "md5", 9, elsewhere)
  local server <close> = raw.answering(function()
    return response("", "Location: " .. other.url .. "/\r\n", "302 Found")
  end)
  for _, origin in ipairs { false, server.url .. "/path" } do
    local session <close> = session_for("ann", "secret", { origin = origin or nil })
    lu.assertEquals(session:get(server.url).status, 401)
  end
  local session <close> = session_for("ann", "secret", { origin = server.url })
  lu.assertEquals(session:get(other.url, { headers = { Authorization = "mine" } }).status, 401)
  lu.assertEquals({ #elsewhere, elsewhere[1].nonce, elsewhere[2].nonce }, { 3, nil, nil })
  lu.assertEquals(#seen, 0)
end)

function T.test_wrong_arguments()
  lu.assertErrorMsgContains("name of a user", http.DigestAuth, "a:b", "c")
  lu.assertErrorMsgContains("password expected", http.DigestAuth, "a")
  lu.assertErrorMsgContains("option 'origin'", http.DigestAuth, "a", "b", { origin = "x" })
end

return T
