-- Lets a test call the files of examples/nginx-lua directly.

local feed = require "tokenpair.feed"
local json = require "tokenpair.json"
local keys = require "tokenpair.keys"
local tokenpair = require "tokenpair"
local tokens = require "tokenpair.token"

local given = json.parse_object(os.getenv("VECTORS"))
ngx.time = function() return given.now end

local function set_up(more)
  local options = { issuer = given.issuer, audience = given.audience, url = "http://127.0.0.1:1", credential = "none" }
  for name, value in pairs(more) do options[name] = value end
  tokenpair.setup(options)
end

set_up({})
keys.take(given.jwks)
ngx.shared.tokenpair_state:set("keys", keys.version())
ngx.shared.tokenpair_state:set("fresh_at", 2 ^ 50)

local function to_bytes(hex) return (hex:gsub("..", function(digits) return string.char(tonumber(digits, 16)) end)) end

local function apply(frames)
  ngx.shared.tokenpair_revoked:flush_all()
  for _, frame in ipairs(frames) do
    local bytes = to_bytes(frame)
    feed.apply(bytes:byte(8) % 2 == 1, bytes:sub(65))
  end
end

local answers = {
  authorization = function(question)
    local token, code = tokenpair.read_bearer(question.header)
    return string.format('{"token":%s,"code":%s}', token and '"' .. token .. '"' or "null", code and '"' .. code .. '"' or "null")
  end,
  token = function(question)
    set_up({ leeway = question.leeway, profile = question.profile })
    local claims = tokens.verify(question.token)
    if claims == nil then return '{"result":"refuse"}' end
    return '{"result":"accept",' .. tokens.encode(claims):sub(2)
  end,
  table = function(question)
    apply(question.frames)
    local found = {}
    for at, fingerprint in ipairs(question.fingerprints) do
      found[at] = string.format("[%d,%d]", feed.look_up(to_bytes(fingerprint)))
    end
    return "[" .. table.concat(found, ",") .. "]"
  end,
  verdict = function(question)
    apply(question.frames)
    return string.format('{"revoked":%s}', tostring(feed.is_revoked(question.claims)))
  end,
}

return {
  answer = function()
    ngx.req.read_body()
    ngx.print(answers[ngx.var.uri:sub(2)](json.parse_object(ngx.req.get_body_data())))
  end,
}
