#!/usr/bin/env bash
# tencentcloud-sdk-python-sms 3.1.153, tencentcloud-sdk-python-common 3.1.195
#
# SendSms, answered with the documented error "the package of messages is used up", once as application/json and once as
# "application/json; charset=utf-8", and a call that gets no answer with the region breaker switched on.
# Guess: each raises TencentCloudSDKException with the code of the answer, or ClientNetworkError.
# Really: the content type is compared as a whole text, so that with a charset no error is looked for: the call succeeds,
#   with SendStatusSet None. With the region breaker the error of the connection is swallowed, and what is raised is an
#   AttributeError about None, wrapped as if it were the gateway's.
# Why it matters: a proxy or gateway in between that names the charset, as most do, turns "not sent, no money left" into a
#   message that counts as sent; and code that tries again after ClientNetworkError never does with the breaker on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q tencentcloud-sdk-python-sms==3.1.153 tencentcloud-sdk-python-common==3.1.195
"$folder/venv/bin/python" - <<'PY'
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tencentcloud.common import credential
from tencentcloud.common.exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.sms.v20210111 import models, sms_client

CODE = "FailedOperation.InsufficientBalanceInSmsPackage"
ANSWER = json.dumps({"Response": {"Error": {"Code": CODE, "Message": "no"}, "RequestId": "r"}}).encode()
kind = ""


class Gateway(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
threading.Thread(target=server.serve_forever, daemon=True).start()


def send(port, breaker=False):
    http = HttpProfile(protocol="http", endpoint=f"127.0.0.1:{port}", reqTimeout=1)
    profile = ClientProfile(httpProfile=http, disable_region_breaker=not breaker)
    client = sms_client.SmsClient(credential.Credential("id", "key"), "ap-guangzhou", profile)
    request = models.SendSmsRequest()
    request.from_json_string(json.dumps({"PhoneNumberSet": ["+8613800000000"], "SmsSdkAppId": "1", "TemplateId": "1"}))
    try:
        return "success", client.SendSms(request).SendStatusSet
    except TencentCloudSDKException as error:
        return "error", error.code


seen = []
for kind in ("application/json", "application/json; charset=utf-8"):
    seen.append((kind, *send(server.server_port)))
server.shutdown()
server.server_close()
seen.append(("no connection", *send(server.server_port)))
seen.append(("no connection, region breaker", *send(server.server_port, breaker=True)))
print(*seen, sep="\n")
raise SystemExit(seen != [
    ("application/json", "error", CODE),
    ("application/json; charset=utf-8", "success", None),
    ("no connection", "error", "ClientNetworkError"),
    ("no connection, region breaker", "error", "AttributeError"),
])
PY
