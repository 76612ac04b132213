-- Authenticates requests at HAProxy: asks tokenpair's check endpoint about each request. See docs/proxies-auth.md.
-- Needs HAProxy 2.5 or later. The environment variable TOKENPAIR_CHECK_URL is the endpoint's URL.
--
-- HAProxy continues after an error in a script, so the action sets a variable, and the configuration refuses a request without it.

local endpoint = os.getenv("TOKENPAIR_CHECK_URL")
if endpoint == nil then error("set TOKENPAIR_CHECK_URL, such as http://127.0.0.1:8000/api/auth/check/") end
local timeout = 5000 -- milliseconds

-- What the answer depends on. Other headers, and the body, stay here.
local sent = {
  "authorization", "cookie", "x-csrftoken", "origin", "sec-fetch-site", "content-type", "upgrade", "sec-websocket-version",
  "host", "user-agent", "x-forwarded-for",
}

-- Who sent the request.
local identity = { "x-user-id", "x-session-id", "x-token-id", "x-user-epoch", "x-token-expires" }

-- What the client gets of a refusal.
local returned = { "content-type", "www-authenticate", "retry-after", "cache-control" }

-- Returns the values of a header as one. HAProxy counts them from 0.
local function join(values, separator)
  local all = {}
  for at = 0, math.huge do
    if values[at] == nil then return table.concat(all, separator) end
    all[#all + 1] = values[at]
  end
end

local function refuse(txn, status, headers, body)
  local reply = txn:reply({ status = status })
  for name, value in pairs(headers) do reply:add_header(name, value) end
  reply:set_body(body)
  txn:done(reply)
end

core.register_action("tokenpair-check", { "http-req" }, function(txn)
  local received = txn.http:req_get_headers()
  local question = {
    ["x-forwarded-method"] = { txn.f:method() },
    ["x-forwarded-proto"] = { txn.f:ssl_fc() == 1 and "https" or "http" },
  }
  for _, name in ipairs(sent) do
    if received[name] ~= nil then question[name] = { join(received[name], name == "cookie" and "; " or ", ") } end
  end

  local client = core.httpclient()
  local answer = client:get({ url = endpoint, headers = question, timeout = timeout })
  local function read(name)
    return answer.headers[name] and join(answer.headers[name], ", ") or ""
  end
  if answer.status == 200 then
    for _, name in ipairs(identity) do
      if read(name) ~= "" then txn.http:req_set_header(name, read(name)) end
    end
    txn:set_var("txn.tokenpair", "pass")
  elseif answer.status == 401 or answer.status == 403 or answer.status == 503 then
    local headers = {}
    for _, name in ipairs(returned) do
      if read(name) ~= "" then headers[name] = read(name) end
    end
    refuse(txn, answer.status, headers, answer.body)
  end
end)
