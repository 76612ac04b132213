-- Access tokens. The rules are in tokenpair's page docs/verifier/README.md, and its vectors test them.

local crypto = require "tokenpair.crypto"
local json = require "tokenpair.json"
local keys = require "tokenpair.keys"

local M = {}

local options
function M.setup(given) options = given end

local max_length = 8192
local refused_parameters = { "crit", "b64", "jku", "jwk", "x5u", "x5c" }

local function is_whole(value, max)
  return type(value) == "number" and value == math.floor(value) and value >= 0 and value <= max
end

-- Half of a surrogate pair is three bytes that aren't UTF-8.
local function is_text(value)
  return type(value) == "string" and value ~= "" and not value:find("%z") and not value:find("\237[\160-\191]")
end

local function has_audience(aud)
  if not json.is_list(aud) then return aud == options.audience end
  local found = false
  for _, one in ipairs(aud) do
    if type(one) ~= "string" then return false end
    found = found or one == options.audience
  end
  return found
end

local function read_header(part)
  local header = json.parse_object(crypto.decode_base64url(part))
  if header == nil or not is_text(header.kid) then return nil end
  for _, name in ipairs(refused_parameters) do if header[name] ~= nil then return nil end end
  local kind = header.typ
  if kind == nil then return header end
  if type(kind) ~= "string" then return nil end
  kind = kind:lower()
  return (kind == "jwt" or (kind == "at+jwt" and options.profile == "rfc9068")) and header or nil
end

-- Returns whether the times of a token are right now: check them also of a token that is remembered.
function M.is_current(claims)
  local now = ngx.time()
  return now < claims.exp + options.leeway and claims.iat <= now + options.clock_tolerance
    and (claims.nbf == nil or claims.nbf <= now + options.clock_tolerance)
end

local function read_claims(part)
  local all = json.parse_object(crypto.decode_base64url(part))
  if all == nil or all.token_type ~= "access" or all.iss ~= options.issuer or not has_audience(all.aud) then return nil end
  local claims = { user_id = all[options.user_id_claim], sid = all.sid, jti = all.jti, ue = all.ue, ge = all.ge,
    exp = all.exp, iat = all.iat, nbf = all.nbf }
  for _, name in ipairs({ "user_id", "sid", "jti" }) do if not is_text(claims[name]) then return nil end end
  if not is_whole(claims.exp, 2 ^ 53 - 1) or not is_whole(claims.iat, 2 ^ 53 - 1) then return nil end
  if claims.nbf ~= nil and not is_whole(claims.nbf, 2 ^ 53 - 1) then return nil end
  if not is_whole(claims.ue, 2 ^ 31 - 1) or not is_whole(claims.ge, 2 ^ 32 - 1) then return nil end
  return M.is_current(claims) and claims or nil
end

-- Returns the claims of a token. Returns nil if the token is wrong, and nil and true if that isn't known.
function M.verify(token)
  if #token > max_length then return nil end
  local head, payload, signature = token:match("^([%w_-]+)%.([%w_-]+)%.([%w_-]+)$")
  if head == nil then return nil end
  local header, bytes = read_header(head), crypto.decode_base64url(signature)
  if header == nil or bytes == nil then return nil end
  local key = keys.find(header.kid)
  if key == nil then return nil, true end
  -- The key says its algorithm, never the token.
  if key == false or key.alg ~= header.alg then return nil end
  if not crypto.verify(key, head .. "." .. payload, bytes) then return nil end
  return read_claims(payload)
end

-- Verified tokens, by the version of the keys: the signature of a token is checked once.
function M.verify_cached(token)
  if keys.are_outdated() then return nil, true end
  local cache, key = ngx.shared.tokenpair_tokens, keys.version() .. token
  local found = cache:get(key)
  if found ~= nil then
    local claims = json.parse_object(found)
    if M.is_current(claims) then return claims end
    return nil
  end
  local claims, is_unknown = M.verify(token)
  if claims ~= nil then cache:set(key, M.encode(claims), 3600) end
  return claims, is_unknown
end

local function quote(text)
  return '"' .. text:gsub('[%c"\\]', function(byte) return string.format("\\u%04x", byte:byte()) end) .. '"'
end

-- Returns claims as JSON.
function M.encode(claims)
  local members = {}
  for name, value in pairs(claims) do
    members[#members + 1] = quote(name) .. ":" .. (type(value) == "string" and quote(value) or string.format("%d", value))
  end
  return "{" .. table.concat(members, ",") .. "}"
end

return M
