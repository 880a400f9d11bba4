-- SPDX-License-Identifier: MIT
--
-- The order of a PriorityQueue: a binary heap that the C queue keeps and hands in. An entry is two
-- slots, the item and the number of its arrival, so that equals keep their order. The place of an
-- item is found by comparing alone and then everything is moved, which cannot fail: a compare that
-- raises leaves the heap as it was.

local core = require "aio.core"

local function default_before(a, b)
  if type(a) == "table" and type(b) == "table" and not getmetatable(a) and not getmetatable(b) then
    return a[1] < b[1]
  end
  return a < b
end

-- Does entry (a, arrival i) go before entry (b, arrival j)?
local function goes_before(before, a, i, b, j)
  if before(a, b) then return true end
  if i > j then return false end
  return not before(b, a)
end

-- Slots of the k-th entry are 2k - 1 and 2k.
local function move(heap, from, to)
  heap[2 * to - 1], heap[2 * to] = heap[2 * from - 1], heap[2 * from]
end

--- Adds an item.
---@param heap table
---@param item any
---@param before (fun(a, b): boolean)|nil
local function push(heap, item, before)
  before = before or default_before
  local arrival = (heap.arrivals or 0) + 1
  local last = #heap // 2 + 1
  local path, at = {}, last
  while at > 1 do
    local parent = at // 2
    if not goes_before(before, item, arrival, heap[2 * parent - 1], heap[2 * parent]) then break end
    path[#path + 1] = parent
    at = parent
  end
  heap.arrivals = arrival
  heap[2 * last - 1], heap[2 * last] = item, arrival
  local hole = last
  for _, parent in ipairs(path) do
    move(heap, parent, hole)
    hole = parent
  end
  heap[2 * hole - 1], heap[2 * hole] = item, arrival
end

--- Takes the first item.
---@param heap table
---@param before (fun(a, b): boolean)|nil
---@return any
local function pop(heap, before)
  before = before or default_before
  local n = #heap // 2
  local first, item, arrival = heap[1], heap[2 * n - 1], heap[2 * n]
  local path, at = {}, 1
  while 2 * at < n do -- the last entry is the one that moves, so it is no child
    local child = 2 * at
    if child + 1 < n and goes_before(before, heap[2 * child + 1], heap[2 * child + 2],
      heap[2 * child - 1], heap[2 * child]) then
      child = child + 1
    end
    if goes_before(before, item, arrival, heap[2 * child - 1], heap[2 * child]) then break end
    path[#path + 1] = child
    at = child
  end
  local hole = 1
  for _, child in ipairs(path) do
    move(heap, child, hole)
    hole = child
  end
  heap[2 * hole - 1], heap[2 * hole] = item, arrival
  heap[2 * n], heap[2 * n - 1] = nil, nil
  return first
end

core._set_hook("heap_push", push)
core._set_hook("heap_pop", pop)

return {}
