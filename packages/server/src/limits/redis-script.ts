/**
 * The one script of the shared counters; Redis and Valkey run it as a whole, so nothing comes between a question and its
 * reservation. Two keys for each party: a hash of its counters, and the calls under way by when their lease ends.
 *
 * Hash: `w` end of the minute, `n` requests, `t` tokens (reserved ones included), `s` spent billionths, `p` beginning of
 * the period they belong to, `h` reserved billionths, `a:<call>` what one call has taken: minute, tokens, billionths.
 *
 * `admit` call lease tokens cost guess, then for each party: requests tokens parallel max period base; -1 says "none".
 *   Answers `ok` with w, n, t of each party; `no` with party, limit, used, reserved, w; `read` with the party whose
 *   spending is not known here, to be asked again with a base.
 * `settle` call tokens cost, then for each party the beginning of its period: puts what was used in the place of what
 *   was reserved; -1 says that the reservation stands. Settling twice does nothing.
 * `forget` drops the counters of money, so that they are read again.
 */
export const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local op = ARGV[1]
local parties = #KEYS / 2
local KEEP_MS = 86400000

local function number(hash, field)
  return tonumber(redis.call('HGET', hash, field) or 0)
end

local function put(hash, field, value)
  redis.call('HSET', hash, field, string.format('%.0f', value))
end

local function taken(hash, call)
  local text = redis.call('HGET', hash, 'a:' .. call)
  if not text then return nil end
  local w, t, c = string.match(text, '^(%d+):(%d+):(%d+)$')
  return { w = tonumber(w), t = tonumber(t), c = tonumber(c) }
end

local function release(hash, live, call)
  local share = taken(hash, call)
  redis.call('HDEL', hash, 'a:' .. call)
  redis.call('ZREM', live, call)
  if share then put(hash, 'h', math.max(0, number(hash, 'h') - share.c)) end
  return share
end

if op == 'forget' then
  for i = 1, parties do redis.call('HDEL', KEYS[2 * i - 1], 's', 'p') end
  return { 'ok' }
end

if op == 'settle' then
  local call, tokens, cost = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
  for i = 1, parties do
    local hash, live = KEYS[2 * i - 1], KEYS[2 * i]
    local start = tonumber(ARGV[4 + i])
    local share = release(hash, live, call)
    if share then
      if tokens >= 0 and number(hash, 'w') == share.w then
        put(hash, 't', math.max(0, number(hash, 't') + tokens - share.t))
      end
      if start >= 0 and redis.call('HEXISTS', hash, 's') == 1 then
        local p = number(hash, 'p')
        if p <= start then
          local spent = p == start and number(hash, 's') or 0
          put(hash, 's', spent + (cost >= 0 and cost or share.c))
          put(hash, 'p', start)
        end
      end
    end
  end
  return { 'ok' }
end

local call, lease = ARGV[2], tonumber(ARGV[3])
local needed, cost, guess = tonumber(ARGV[4]), tonumber(ARGV[5]), ARGV[6] == '1'
local shares, answer = {}, { 'ok' }
for i = 1, parties do
  local hash, live = KEYS[2 * i - 1], KEYS[2 * i]
  local at = 6 + (i - 1) * 6
  local requests, tokens, parallel = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
  local max, start, base = tonumber(ARGV[at + 4]), tonumber(ARGV[at + 5]), tonumber(ARGV[at + 6])
  -- The calls of a process that is gone give back what they had reserved.
  for _, gone in ipairs(redis.call('ZRANGEBYSCORE', live, '-inf', now)) do release(hash, live, gone) end
  local w, n, t = number(hash, 'w'), number(hash, 'n'), number(hash, 't')
  if w <= now then w, n, t = now + 60000, 0, 0 end
  local calls = redis.call('ZCARD', live)
  if parallel >= 0 and calls >= parallel then return { 'no', i, 'max_parallel_requests', calls, 0, 0 } end
  if requests >= 0 and n >= requests then return { 'no', i, 'requests', n, 0, w } end
  local takes = needed
  if tokens >= 0 then
    local wanted = math.min(needed, tokens)
    if t < tokens and t + wanted <= tokens then takes = wanted
    elseif guess and calls == 0 and t < tokens then takes = tokens - t
    else return { 'no', i, 'tokens', t, 0, w } end
  end
  local holds = 0
  if start >= 0 then
    if redis.call('HEXISTS', hash, 's') == 0 then
      if base < 0 then return { 'read', i } end
      put(hash, 's', base)
      put(hash, 'p', start)
    end
    if number(hash, 'p') < start then
      put(hash, 's', 0)
      put(hash, 'p', start)
    end
    holds = cost
    if max >= 0 then
      local held = number(hash, 'h')
      local used = number(hash, 's') + held
      if used < max and used + cost <= max then holds = cost
      elseif guess and calls == 0 and used < max then holds = max - used
      else return { 'no', i, 'budget', string.format('%.0f', used), string.format('%.0f', held), 0 } end
    end
  end
  shares[i] = { w = w, n = n + 1, t = t + takes, takes = takes, holds = holds }
end
for i = 1, parties do
  local hash, live, share = KEYS[2 * i - 1], KEYS[2 * i], shares[i]
  put(hash, 'w', share.w)
  put(hash, 'n', share.n)
  put(hash, 't', share.t)
  if share.holds > 0 then put(hash, 'h', number(hash, 'h') + share.holds) end
  redis.call('HSET', hash, 'a:' .. call, string.format('%.0f:%.0f:%.0f', share.w, share.takes, share.holds))
  redis.call('ZADD', live, now + lease, call)
  redis.call('PEXPIRE', hash, KEEP_MS)
  redis.call('PEXPIRE', live, KEEP_MS)
  answer[#answer + 1] = string.format('%.0f', share.w)
  answer[#answer + 1] = share.n
  answer[#answer + 1] = share.t
end
return answer
`;
