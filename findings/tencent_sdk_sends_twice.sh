#!/usr/bin/env bash
# tencentcloud-sdk-python-sms 3.1.153, tencentcloud-sdk-python-common 3.1.195
#
# SendSms to a gateway that takes the message and then answers late, or slowly, with reqTimeout=1.
# Guess: the SDK's own StandardRetryer repeats what is safe to repeat (rate limits, no connection), and reqTimeout is the
#   time of the call.
# Really: StandardRetryer repeats every ClientNetworkError, and a read that timed out is one: the gateway has taken the
#   same message three times. reqTimeout is that of each single read: an answer that comes byte by byte takes nine
#   seconds and is a success.
# Why it matters: whoever switches retries on "for network errors" sends, and pays for, each text message three times
#   whenever the gateway is slow; and a worker with a limit of one second hangs for as long as the answer drips.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q tencentcloud-sdk-python-sms==3.1.153 tencentcloud-sdk-python-common==3.1.195
"$folder/venv/bin/python" - <<'PY'
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tencentcloud.common import credential
from tencentcloud.common.exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.common.retry import StandardRetryer
from tencentcloud.sms.v20210111 import models, sms_client

ANSWER = json.dumps({"Response": {"SendStatusSet": [{"Code": "Ok", "SerialNo": "1"}], "RequestId": "r"}}).encode()
taken, wait, between = [], 0.0, 0.0


class Gateway(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        taken.append(1)
        time.sleep(wait)
        try:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(ANSWER)))
            self.end_headers()
            for byte in ANSWER:
                self.wfile.write(bytes([byte]))
                time.sleep(between)
        except OSError:
            pass

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
threading.Thread(target=server.serve_forever, daemon=True).start()


def send(retryer=None):
    http = HttpProfile(protocol="http", endpoint=f"127.0.0.1:{server.server_port}", reqTimeout=1)
    profile = ClientProfile(httpProfile=http, retryer=retryer)
    client = sms_client.SmsClient(credential.Credential("id", "key"), "ap-guangzhou", profile)
    request = models.SendSmsRequest()
    request.from_json_string(json.dumps({"PhoneNumberSet": ["+8613800000000"], "SmsSdkAppId": "1", "TemplateId": "1"}))
    taken.clear()
    begun = time.monotonic()
    try:
        end = client.SendSms(request).SendStatusSet[0].Code
    except TencentCloudSDKException as error:
        end = error.code
    return end, len(taken), time.monotonic() - begun > 2


seen = []
wait = 1.5
seen.append(("late, as it is", *send()[:2]))
seen.append(("late, StandardRetryer", *send(StandardRetryer(backoff_fn=lambda _: 0))[:2]))
wait, between = 0.0, 0.03
seen.append(("byte by byte, over two seconds", *send()))
print(*seen, sep="\n")
raise SystemExit(seen != [
    ("late, as it is", "ClientNetworkError", 1),
    ("late, StandardRetryer", "ClientNetworkError", 3),
    ("byte by byte, over two seconds", "Ok", 1, True),
])
PY
