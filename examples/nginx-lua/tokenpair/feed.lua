-- Reads the revocation feed into a shared dictionary, and answers from it. One worker reads; all answer.
-- The form of a frame is in tokenpair's page docs/verifier/README.md.

local bit = require "bit"
local crypto = require "tokenpair.crypto"
local http = require "tokenpair.http"

local M = {}

local header_length, record_length = 64, 16
-- Seconds for which a record is kept after its time: longer than any leeway.
local margin = 360

local options, state, revoked

function M.setup(given)
  options = given
  state, revoked = ngx.shared.tokenpair_state, ngx.shared.tokenpair_revoked
end

local function u32(bytes, at)
  local a, b, c, d = bytes:byte(at, at + 3)
  return ((a * 256 + b) * 256 + c) * 256 + d
end

local function hex(bytes)
  return (bytes:gsub(".", function(byte) return string.format("%02x", byte:byte()) end))
end

-- Stores a value without pushing another one out: a revocation that is pushed out would be forgotten.
local function store(dictionary, key, value, seconds)
  local ok, fault = dictionary:safe_set(key, value, seconds)
  if not ok then error("a shared dictionary is too small: " .. fault, 0) end
end

-- The sorted records of the last full frame, as this worker holds them.
local table_id, records

local function refresh_table()
  local id = state:get("table")
  if id ~= table_id then
    records = revoked:get("table " .. id) or ""
    table_id = id
  end
end

-- Finds a fingerprint by binary search: the records are the index.
local function find_in_table(fingerprint)
  local low, high = 0, #records / record_length - 1
  while low <= high do
    local middle = math.floor((low + high) / 2)
    local at = middle * record_length + 1
    local found = records:sub(at, at + 7)
    if found == fingerprint then return u32(records, at + 12), u32(records, at + 8) end
    if found < fingerprint then low = middle + 1 else high = middle - 1 end
  end
  return 0, 0
end

-- Returns the value of a fingerprint, and until when it must be known; 0 and 0 if it isn't revoked.
function M.look_up(fingerprint)
  refresh_table()
  local value, till = find_in_table(fingerprint)
  local newer = revoked:get(table_id .. fingerprint)
  if newer == nil then return value, till end
  local newer_value, newer_till = newer:match("^(%d+) (%d+)$")
  return math.max(value, tonumber(newer_value)), math.max(till, tonumber(newer_till))
end

local function value_of(kind, id)
  return (M.look_up(crypto.sha256(kind .. ":" .. id):sub(1, 8)))
end

-- Returns whether the revocations are known well enough to accept a token. Ask it before `is_revoked`.
function M.is_fresh()
  local fresh_at = state:get("fresh_at")
  return fresh_at ~= nil and crypto.monotonic() - fresh_at <= options.max_staleness * 1000
end

-- Returns whether a token is revoked.
function M.is_revoked(claims)
  if value_of("s", claims.sid) > 0 or value_of("t", claims.jti) > 0 then return true end
  if value_of("a", "") > claims.ge then return true end
  local epoch = value_of("u", claims.user_id)
  return epoch > claims.ue and value_of("x", claims.sid) < epoch
end

-- Returns the version of the keys that the issuer publishes now, as 8 hexadecimal digits.
function M.key_version()
  return state:get("keys")
end

local function apply_full(body)
  local id = (state:get("table") or 0) + 1
  store(revoked, "table " .. id, body)
  state:set("table", id)
  revoked:delete("table " .. (id - 1))
end

local function apply_delta(body)
  local now = ngx.time()
  for at = 1, #body, record_length do
    local fingerprint = body:sub(at, at + 7)
    local value, till = M.look_up(fingerprint)
    value, till = math.max(value, u32(body, at + 12)), math.max(till, u32(body, at + 8))
    store(revoked, table_id .. fingerprint, value .. " " .. till, math.max(1, till + margin - now))
  end
end

-- Applies the records of a frame. It replaces the table if it is full, and no frame before was fresher.
function M.apply(replaces, body)
  if replaces then apply_full(body) else apply_delta(body) end
end

local function credentials()
  return { Authorization = "Bearer " .. options.credential }
end

local function acknowledge(cursor)
  local path = string.format("%s/revocations/?after=%s&reader=%s", options.auth_path, cursor, options.reader)
  local answer = http.send("POST", options.url, path, credentials(), 1000)
  if answer ~= nil then answer.close() end
end

-- Applies the frames of one stream until it ends. Errors if anything is wrong.
local function read_stream()
  local started = crypto.monotonic()
  local path = string.format("%s/revocations/?stream=1&lease=%d&reader=%s%s", options.auth_path,
    options.max_staleness * 1000, options.reader, state:get("cursor") and "&after=" .. state:get("cursor") or "")
  local answer, fault = http.send("GET", options.url, path, credentials(), options.max_staleness * 1000)
  if answer == nil then error(fault, 0) end
  if answer.status ~= 200 then error("the issuer answered " .. answer.status, 0) end
  local first_made, first_held
  while not ngx.worker.exiting() do
    local header
    header, fault = answer.read(header_length)
    if header == nil then return answer.close() end
    local flags, count, age = u32(header, 5), u32(header, 9), u32(header, 13)
    local made = u32(header, 17) * 2 ^ 32 + u32(header, 21)
    if header:sub(1, 4) ~= "TPR1" or count > 2 ^ 26 or made >= 2 ^ 53 then error("not a frame", 0) end
    local body = ""
    if count > 0 then
      body, fault = answer.read(count * record_length)
      if body == nil then error(fault, 0) end
    end
    local is_full = bit.band(flags, 1) == 1
    if not is_full and state:get("cursor") == nil then error("the feed began in the middle", 0) end
    if first_made == nil then first_made, first_held = made, u32(header, 29) end
    local fresh_at = math.min(started + first_held + (made - first_made), crypto.monotonic()) - age
    local is_newest = fresh_at >= (state:get("fresh_at") or fresh_at)
    M.apply(is_full and is_newest, body)
    local cursor = hex(header:sub(33, 64))
    state:set("cursor", cursor)
    -- Last, so that a worker that sees it also sees the records.
    if is_newest then
      state:set("keys", hex(header:sub(25, 28)))
      state:set("fresh_at", fresh_at)
    end
    state:set("reader", ngx.worker.pid(), 3)
    if bit.band(flags, 2) == 2 then ngx.timer.at(0, function() acknowledge(cursor) end) end
  end
  answer.close()
end

-- Runs in every worker, for as long as it lives: reads the feed if no other worker does.
function M.run(premature)
  local wait = 0.5
  while not premature and not ngx.worker.exiting() do
    if state:add("reader", ngx.worker.pid(), 3) or state:get("reader") == ngx.worker.pid() then
      local ok, fault = pcall(read_stream)
      if ok then wait = 0.5 else ngx.log(ngx.ERR, "tokenpair: reading the revocation feed failed: ", fault) end
      state:delete("reader")
      ngx.sleep(wait * (0.4 + 0.6 * math.random()))
      wait = math.min(5, wait * 2)
    else
      ngx.sleep(1)
    end
  end
end

return M
