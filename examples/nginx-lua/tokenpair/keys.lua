-- The issuer's public keys. Every worker reads them, when the feed says that they have changed.

local cjson = require "cjson.safe"
local crypto = require "tokenpair.crypto"
local feed = require "tokenpair.feed"
local http = require "tokenpair.http"

local M = {}

local options
local keys, version = {}, nil

function M.setup(given) options = given end

-- Returns a key; false if the issuer has none with this name, and nil if that isn't known.
function M.find(kid)
  if keys[kid] ~= nil then return keys[kid] end
  if version ~= nil and version == feed.key_version() then return false end
  return nil
end

-- Returns the version of the keys that this worker has.
function M.version() return version or "" end

local function read()
  local answer, fault = http.send("GET", options.url, "/.well-known/jwks.json", {}, 5000)
  if answer == nil then error(fault, 0) end
  if answer.status ~= 200 then error("the issuer answered " .. answer.status, 0) end
  local body = answer.read(answer.length)
  answer.close()
  local set = cjson.decode(body or "")
  if type(set) ~= "table" or type(set.keys) ~= "table" then error("not a JWK Set", 0) end
  local found = {}
  for _, jwk in ipairs(set.keys) do found[jwk.kid] = crypto.import(jwk) end
  keys, version = found, string.format("%02x%02x%02x%02x", crypto.sha256(body):byte(1, 4))
end

-- Runs in every worker, for as long as it lives.
function M.run(premature)
  while not premature and not ngx.worker.exiting() do
    if feed.key_version() ~= nil and version ~= feed.key_version() then
      local ok, fault = pcall(read)
      if not ok then ngx.log(ngx.ERR, "tokenpair: reading the keys failed: ", fault) end
      -- Another version than the feed's: the node that answered doesn't know the newest one yet.
      if version ~= feed.key_version() then ngx.sleep(1) end
    end
    ngx.sleep(0.02)
  end
end

return M
