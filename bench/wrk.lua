-- Requests from a file, one a line: the session, a tab, and for a check the token, or a whole body. With a third argument each
-- connection waits so many milliseconds on average before it asks, at random, so that a rate is kept and not a queue.
local lines, at, pause = {}, 0, 0

function init(args)
  for line in io.lines(args[2]) do
    local session, token = line:match("^([^\t]*)\t?(.*)$")
    local headers = { ["Authorization"] = "Bearer " .. session, ["Content-Type"] = "application/json" }
    if token ~= "" then
      local body = token:sub(1, 1) == "{" and token or '{"token":"' .. token .. '"}'
      lines[#lines + 1] = wrk.format("POST", args[1], headers, body)
    else
      lines[#lines + 1] = wrk.format("GET", args[1], headers)
    end
  end
  pause = tonumber(args[3] or "0")
  math.randomseed(os.time())
  at = math.random(#lines)
  if pause == 0 then delay = nil end
end

function delay()
  return math.floor(-math.log(1 - math.random()) * pause + math.random())
end

function request()
  at = at % #lines + 1
  return lines[at]
end

function done(summary, latency, requests)
  io.write(string.format(
    'RESULT {"requests": %d, "seconds": %.3f, "p50_ms": %.3f, "p99_ms": %.3f, "refused": %d, "timeouts": %d, "broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    summary.errors.status, summary.errors.timeout, summary.errors.connect + summary.errors.read + summary.errors.write))
end
