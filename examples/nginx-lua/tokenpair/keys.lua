-- The issuer's public keys. Every worker reads them at the start, when the feed says that they have changed, and hourly.

local crypto = require "tokenpair.crypto"
local feed = require "tokenpair.feed"
local http = require "tokenpair.http"
local json = require "tokenpair.json"

local M = {}

local options
local keys, version = {}, nil
-- Since when the feed has named other keys: milliseconds.
local outdated_since

function M.setup(given) options = given end

-- Returns whether the feed has named other keys for too long: one of the known ones may have been retired because it leaked.
function M.are_outdated()
  return outdated_since ~= nil and crypto.monotonic() - outdated_since > options.max_staleness * 1000
end

-- Returns a key; false if the issuer has none with this name, and nil if that isn't known.
function M.find(kid)
  if M.are_outdated() then return nil end
  if keys[kid] ~= nil then return keys[kid] end
  if version ~= nil and version == feed.key_version() and feed.is_fresh() then return false end
  return nil
end

-- Returns the version of the keys that this worker has.
function M.version() return version or "" end

-- Uses the keys of a JWK Set.
function M.take(body)
  local set = json.parse_object(body)
  if set == nil or not json.is_list(set.keys) then error("not a JWK Set", 0) end
  local found, seen = {}, {}
  for _, jwk in ipairs(set.keys) do
    local kid = type(jwk) == "table" and type(jwk.kid) == "string" and jwk.kid ~= "" and jwk.kid
    local key = kid and (jwk.use == nil or jwk.use == "sig") and crypto.import(jwk)
    if key and not seen[kid] then found[kid] = key
    else ngx.log(ngx.WARN, "tokenpair: a key of the issuer is of an unknown kind") end
    -- Of two keys with one name, neither is used.
    if kid and seen[kid] then found[kid] = nil end
    if kid then seen[kid] = true end
  end
  if next(found) == nil then error("the issuer publishes no key that can be used", 0) end
  local read_version = string.format("%02x%02x%02x%02x", crypto.sha256(body):byte(1, 4))
  -- Keys that the feed names aren't replaced by those of a node that is behind.
  if version ~= nil and version == feed.key_version() and read_version ~= version then return end
  keys, version = found, read_version
end

local function read()
  local answer, fault = http.send("GET", options.url, "/.well-known/jwks.json", { ["Cache-Control"] = "no-cache" }, 5000)
  if answer == nil then error(fault, 0) end
  if answer.status ~= 200 then error("the issuer answered " .. answer.status, 0) end
  local body
  body, fault = answer.read(answer.length)
  answer.close()
  if body == nil then error(fault, 0) end
  M.take(body)
end

-- Runs in every worker, for as long as it lives.
function M.run(premature)
  local read_at, wait = 0, 1
  while not premature and not ngx.worker.exiting() do
    local has_changed = feed.key_version() ~= nil and version ~= feed.key_version()
    if not has_changed then outdated_since = nil
    elseif version ~= nil then outdated_since = outdated_since or crypto.monotonic() end
    if has_changed or ngx.now() - read_at > 3600 then
      local ok, fault = pcall(read)
      if ok then
        read_at, wait = ngx.now(), 1
        -- Another version than the feed's: this node of the issuer is behind.
        if version ~= feed.key_version() then ngx.sleep(1) end
      else
        ngx.log(ngx.ERR, "tokenpair: reading the keys failed: ", fault)
        ngx.sleep(wait)
        wait = math.min(30, wait * 2)
      end
    end
    ngx.sleep(0.02)
  end
end

return M
