"""The scripts of the color cache, which Redis runs as one step each. KEYS: what is written, generation of the cache."""

from typing import Final

RECORD_SIZE: Final = 16
RECORDS_PER_KEY: Final = 4092  # 65,472 bytes: with its header a string still fits the 64 KiB class of Redis's allocator
MARK_SECONDS: Final = 60  # longer than a transaction takes to commit
ANY_GENERATION: Final = "*"
REPLACED: Final = -1
NEW_STRING: Final = -2

# What was read from the database before the cache was emptied could be older than what was written since.
_SAME_GENERATION = f"""
if ARGV[1] ~= '{ANY_GENERATION}' and (redis.call('GET', KEYS[2]) or '') ~= ARGV[1] then return {REPLACED} end
"""
# A new string gets its full length at once: one that grows step by step is allocated half as much memory again.
_WHOLE = f"""
local now = tonumber(redis.call('TIME')[1])
if redis.call('STRLEN', KEYS[1]) < {RECORDS_PER_KEY * RECORD_SIZE} then
  redis.call('SETRANGE', KEYS[1], {RECORDS_PER_KEY * RECORD_SIZE - 1}, string.char(0))
end
"""
# Versions, bytes 5-8, are compared as numbers, because Redis compares strings by the locale of its machine.
_NEWER = f"""
local written = 0
local function put(offset, new)
  local old = redis.call('GETRANGE', KEYS[1], offset, offset + {RECORD_SIZE - 1})
  local stored, version = struct.unpack('>I4', old, 5), struct.unpack('>I4', new, 5)
  local old_mark = string.byte(old) == 0 and now - struct.unpack('>I4', old, 9) > {MARK_SECONDS}
  if stored < version or (stored == version and version > 0 and old_mark) then
    redis.call('SETRANGE', KEYS[1], offset, new)
    written = written + 1
  end
end
"""
# Writes each (offset, record) that is newer than the stored one.
PUT_IF_NEWER = f"""{_SAME_GENERATION}{_WHOLE}{_NEWER}
for i = 2, #ARGV, 2 do
  put(tonumber(ARGV[i]), ARGV[i + 1])
end
return written
"""
# The same for all records of a string, in one argument.
PUT_BLOCK_IF_NEWER = f"""{_SAME_GENERATION}
if redis.call('SET', KEYS[1], ARGV[2], 'NX') then return {NEW_STRING} end
{_WHOLE}{_NEWER}
for offset = 0, {(RECORDS_PER_KEY - 1) * RECORD_SIZE}, {RECORD_SIZE} do
  put(offset, string.sub(ARGV[2], offset + 1, offset + {RECORD_SIZE}))
end
return written
"""
# Marks each (offset, version); returns the generation of the cache.
MARK = f"""{_WHOLE}
for i = 1, #ARGV, 2 do
  local mark = struct.pack('>I4I4I4I4', 0, tonumber(ARGV[i + 1]), now, 0)
  redis.call('SETRANGE', KEYS[1], tonumber(ARGV[i]), mark)
end
return redis.call('GET', KEYS[2]) or ''
"""
# Empties the record at each offset, unless it is empty or marked.
FORGET = f"""
for i = 1, #ARGV do
  local state = redis.call('GETRANGE', KEYS[1], ARGV[i], ARGV[i])
  if state ~= '' and string.byte(state) ~= 0 then
    redis.call('SETRANGE', KEYS[1], ARGV[i], string.rep(string.char(0), {RECORD_SIZE}))
  end
end
return 0
"""
SET_VALUE = f"""{_SAME_GENERATION}
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3], 'NX')
return 0
"""
