-- Authenticates requests inside nginx. See README.md.

local feed = require "tokenpair.feed"
local http = require "tokenpair.http"
local keys = require "tokenpair.keys"
local tokens = require "tokenpair.token"

local M = {}

local options = {
  auth_path = "/api/auth",
  max_staleness = 10, -- seconds
  leeway = 30, -- seconds
  clock_tolerance = 60, -- seconds
  profile = "jwt", -- the issuer's accessTokenProfile
  user_id_claim = "user_id",
  access_cookie = "__Host-Http-access",
  csrf_cookie = "__Host-csrftoken",
  trusted_origins = {},
}

local identity = { "X-User-Id", "X-Session-Id", "X-Token-Id", "X-User-Epoch", "X-Token-Expires" }

-- Call it in init_by_lua_block. Required: issuer, audience, url and credential.
function M.setup(given)
  for name, value in pairs(given) do options[name] = value end
  for _, name in ipairs({ "issuer", "audience", "url", "credential" }) do
    if type(options[name]) ~= "string" or options[name] == "" then error("tokenpair: " .. name .. " is missing") end
  end
  options.url = http.parse(options.url) or error("tokenpair: url must be an http or https URL")
  options.reader = "nginx-" .. string.format("%08x", math.random(0, 2 ^ 31 - 1)) .. ngx.time()
  feed.setup(options)
  keys.setup(options)
  tokens.setup(options)
end

-- Call it in init_worker_by_lua_block.
function M.start()
  ngx.timer.at(0, feed.run)
  ngx.timer.at(0, keys.run)
end

local function refuse(status, code, detail, headers)
  for name, value in pairs(headers or {}) do ngx.header[name] = value end
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Cache-Control"] = "no-store"
  ngx.print(string.format('{"detail":"%s","code":"%s"}', detail, code))
  return ngx.exit(ngx.HTTP_OK)
end

local function unavailable()
  return refuse(503, "unavailable", "Service temporarily unavailable.", { ["Retry-After"] = "1" })
end

local function not_valid()
  return refuse(401, "token_not_valid", "Given token not valid for any token type",
    { ["WWW-Authenticate"] = 'Bearer realm="api", error="invalid_token"' })
end

local function csrf_failed(reason) return refuse(403, "csrf_failed", "CSRF Failed: " .. reason) end

-- Returns the value of a cookie; nil and true if there are several.
local function read_cookie(name)
  local found
  for pair in (ngx.var.http_cookie or ""):gmatch("[^;]+") do
    local key, value = pair:match("^[ \t]*([^=]-)[ \t]*=[ \t]*(.-)[ \t]*$")
    if key == name then
      if found ~= nil then return nil, true end
      found = value
    end
  end
  return found ~= "" and found or nil
end

-- A page of any site can send a request with the user's cookies.
local function is_own_origin()
  local origin, site = ngx.var.http_origin, ngx.var.http_sec_fetch_site
  for _, trusted in ipairs(options.trusted_origins) do if origin == trusted then return true end end
  if site ~= nil then return site == "same-origin" end
  return origin == nil or origin == ngx.var.scheme .. "://" .. ngx.var.http_host
end

local function require_csrf()
  local method = ngx.req.get_method()
  local is_upgrade = ngx.var.http_upgrade ~= nil or ngx.var.http_sec_websocket_version ~= nil
  if method == "GET" or method == "HEAD" or method == "OPTIONS" then
    local is_stated = ngx.var.http_origin ~= nil or ngx.var.http_sec_fetch_site ~= nil
    if is_upgrade and not (is_stated and is_own_origin()) then return csrf_failed("Origin checking failed.") end
    return nil
  end
  if not is_own_origin() then return csrf_failed("Origin checking failed.") end
  local cookie, is_twice = read_cookie(options.csrf_cookie)
  if is_twice then return csrf_failed("Two cookies have the same name.") end
  -- Only the issuer can check that the token belongs to this session.
  local token = ngx.var.http_x_csrftoken
  if token == nil or cookie == nil or token ~= cookie or token:sub(1, 1) ~= "s" then
    return csrf_failed("CSRF token missing or incorrect.")
  end
end

-- Returns the token of the header; nil if there is none, and nil and a code if the header is malformed.
function M.read_bearer(authorization)
  local scheme, rest = authorization:match("^([^ \t]+)[ \t]*(.*)$")
  if scheme == nil or scheme:lower() ~= "bearer" then return nil end
  local token = rest:match("^([^ \t]+)[ \t]*$")
  if token == nil then return nil, "bad_authorization_header" end
  return token
end

-- Call it in access_by_lua_block. Refuses the request, or tells the application who has sent it.
function M.authenticate()
  for _, name in ipairs(identity) do ngx.req.clear_header(name) end
  local token, fault = M.read_bearer(ngx.var.http_authorization or "")
  if fault ~= nil then
    return refuse(401, fault, "Authorization header must contain two space-delimited values",
      { ["WWW-Authenticate"] = 'Bearer realm="api"' })
  end
  local is_cookie = token == nil
  if is_cookie then
    local is_twice
    token, is_twice = read_cookie(options.access_cookie)
    if is_twice then return csrf_failed("Two cookies have the same name.") end
  end
  if token == nil then
    return refuse(401, "not_authenticated", "Authentication credentials were not provided.",
      { ["WWW-Authenticate"] = 'Bearer realm="api"' })
  end

  local claims, is_unknown = tokens.verify_cached(token)
  if is_unknown then return unavailable() end
  if claims == nil then return not_valid() end
  -- In this order: what isn't known yet is newer than the time at which the feed was fresh.
  if not feed.is_fresh() then return unavailable() end
  if feed.is_revoked(claims) then return not_valid() end
  if is_cookie then require_csrf() end

  local values = { claims.user_id, claims.sid, claims.jti, claims.ue, claims.exp }
  for at, name in ipairs(identity) do
    ngx.req.set_header(name, (tostring(values[at]):gsub("[^\33-\36\38-\126]", function(byte)
      return string.format("%%%02X", byte:byte())
    end)))
  end
end

return M
