"""The refusals of WeChat's server API: the documented numbers and the words sent with them."""

WORDS = {
    -1: "system error",
    40001: "invalid credential, access_token is invalid or not latest",
    40002: "invalid grant_type",
    40003: "invalid openid",
    40013: "invalid appid",
    40014: "invalid access_token",
    40032: "invalid openid list size",
    40029: "invalid code",
    40037: "invalid template_id",
    40066: "invalid url",
    40097: "invalid args",
    40125: "invalid appsecret",
    40129: "invalid scene",
    40163: "code been used",
    40164: "invalid ip, not in whitelist",
    40169: "invalid length for scene, or the data is not json string",
    40226: "code blocked",
    40243: "AppSecret is frozen",
    41001: "access_token missing",
    41002: "appid missing",
    41004: "appsecret missing",
    41008: "missing code",
    41028: "invalid form id",
    41030: "invalid page",
    42001: "access_token expired",
    43001: "require GET method",
    43002: "require POST method",
    43004: "require subscribe",
    43101: "user refuse to accept the msg",
    43107: "subscribe message capability is banned",
    43108: "concurrent send to one user",
    44002: "empty post data",
    45009: "reach max api daily quota limit",
    45011: "api minute-quota reach limit, must slower, retry next minute",
    48001: "api unauthorized",
    45168: "hit sensitive words",
    47001: "data format error",
    47003: "argument invalid!",
    85096: "not allow include scancode_time field",
    87009: "invalid signature",
}


class Refused(Exception):
    """WeChat's answer is no: `code` as documented, `words` without anybody's data in them."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        self.words = f"{WORDS.get(code, 'refused')} {detail}".strip()
        super().__init__(f"{code} {self.words}")
