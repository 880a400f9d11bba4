-- Follows the links of a site, several pages at a time, and says which lead nowhere.
--   lua5.4 examples/crawler.lua [URL [pages]]
-- Without a URL it crawls a small site of its own.

local aio = require "aio"
local http = require "aio.http"

local WORKERS, PAGE_BYTES = 5, 1024 * 1024

-- The links of a page on the same site, without fragments.
local function links_of(page, html)
  local found = {}
  for ref in html:gmatch "<a%s[^>]-href%s*=%s*[\"']([^\"'#]+)" do
    local ok, url = aio.catch(http.InvalidURL, page.join, page, ref)
    if ok and url:origin() == page:origin() then found[#found + 1] = url:with_fragment(nil) end
  end
  return found
end

-- The status of a page, and where it leads.
local function visit(session, url)
  local res <close> = session:get(url)
  if res.status ~= 200 or res.content_type ~= "text/html" then return res.status, {} end
  return res.status, links_of(res.url, res:text())
end

-- Visits pages until there are none, or `most` were seen; a list of { url, status or error, from }.
local function crawl(start, most)
  local session <close> = http.ClientSession { timeout = 10, limits = { body = PAGE_BYTES },
    headers = { ["User-Agent"] = "crawler of aio's examples" } }
  local queue, seen, results, n = aio.Queue(), {}, {}, 0

  local function add(url, from)
    local text = tostring(url)
    if seen[text] or n >= most then return end
    seen[text], n = true, n + 1
    queue:put_nowait { url = url, from = from }
  end

  local function work()
    for page in queue:items() do
      local ok, status, links = aio.catch({ http.ClientError, aio.TimeoutError }, visit, session,
        page.url)
      results[#results + 1] = { url = tostring(page.url), from = page.from,
        status = ok and status or status.name }
      for _, url in ipairs(ok and links or {}) do add(url, tostring(page.url)) end
      queue:task_done()
    end
  end

  add(http.URL(start))
  local group <close> = aio.TaskGroup()
  for _ = 1, WORKERS do group:create_task(work) end
  queue:join()
  queue:shutdown()
  return results
end

local function report(results)
  local dead = 0
  table.sort(results, function(a, b) return a.url < b.url end)
  for _, page in ipairs(results) do
    local path = page.url:gsub("^%a+://[^/]+", "")
    print(("%-18s %s%s"):format(path, page.status, page.status ~= 200
      and ("  linked from " .. (page.from or "nowhere"):gsub("^%a+://[^/]+", "")) or ""))
    if page.status ~= 200 then dead = dead + 1 end
  end
  print(("%d pages, %d dead links"):format(#results, dead))
end

-- ---- without a URL ----

local function site()
  local app = http.Application()
  app:get("/", function()
    return http.html "<a href='/a'>a</a> <a href=\"b.html\">b</a> <a href='http://b.test/'>o</a>"
  end)
  app:get("/a", function() return http.html "<a href='/'>home</a> <a href='/gone'>?</a>" end)
  app:get("/b.html", function() return http.html "<a class=x href='docs/#top'>docs</a>" end)
  app:get("/docs/", function() return http.html "<a href='../a#x'>up</a> <a href='moved'>m</a>" end)
  app:get("/docs/moved", function() return http.redirect "/a" end)
  return app
end

aio.main(function(url, pages)
  if url then return report(crawl(url, tonumber(pages or 1000))) end
  local runner = http.AppRunner(site())
  local _ <close> = aio.defer(runner.cleanup, runner)
  runner:setup()
  local server = http.TCPSite(runner, "127.0.0.1", 0)
  server:start()
  report(crawl(("http://127.0.0.1:%d/"):format(server.port), 100))
end, ...)

-- prints:
-- /                  200
-- /a                 200
-- /b.html            200
-- /docs/             200
-- /docs/moved        200
-- /gone              404  linked from /a
-- 6 pages, 1 dead links
