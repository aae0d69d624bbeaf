"""What the box says to the person who passes and to whoever looks after it, in Chinese and English."""

from typing import Final

_MESSAGES: Final = {
    "pass": ("请通行", "Please pass"),
    "measure": ("请测温", "Please have your temperature measured"),
    "stop": ("请止步，联系工作人员", "Please stop and ask the staff"),
    "ask": ("请出示吉祥码", "Please show your code"),
    "offline": ("（离线，按 {at} 的颜色）", " (offline, as of {at})"),
    "issuer": ("（{issuer}认定）", " (stated by {issuer})"),
    "paper": ("请把身份证放在读卡器上", "Put the identity document on the reader"),
    "again": ("没有扫全，请再扫一次", "Not read whole: scan again"),
    "no-code": ("这不是吉祥码", "This is not a Jixiang code"),
    "expired": ("码已过期，请刷新后再扫", "This code is over: renew it and scan again"),
    "unverifiable": ("暂时无法核验，请走人工通道", "Cannot be verified now: use the staffed lane"),
    "needs-network": ("无网络时不能核验证件", "Documents need network"),
    "card": (
        "纸质码真实，未与证件核对：请工作人员看证件并测温",
        "A genuine card on paper, compared with no document: staff look at the document and measure the temperature",
    ),
    "card-perhaps-lost": (
        "此纸质码可能已挂失，未与证件核对：请工作人员看证件",
        "This card on paper may have been reported lost, and was compared with no document: staff look at the document",
    ),
    "card-over": ("此纸质码已过有效期", "This card on paper is past its last day"),
    "lost-cards": ("（挂失名单截至 {at}）", " (lost cards as of {at})"),
    "no-lost-cards": ("（本机没有挂失名单）", " (no list of lost cards here)"),
    "clock": ("本机时间与服务器相差 {seconds} 秒，请校准", "The clock of this box is {seconds} s off: set it"),
    "revoked": ("此设备已吊销", "This device is revoked"),
    "input-lost": ("{name} 断开，正在重连", "{name} is disconnected: trying again"),
    "input-back": ("{name} 已连接", "{name} is connected"),
    "disk": (
        "本机磁盘无法写入，离线查验可能漏计，请检查",
        "The disk of this box takes nothing: check it, or checks are not counted",
    ),
    "waiting": ("待补报 {number} 条", "{number} checks wait to be submitted"),
    "submitted": ("已补报 {number} 条", "{number} checks submitted"),
    "ready": ("{station} 通道 {lane} 就绪", "{station}, lane {lane}: ready"),
    "without-network": ("无网络，离线核验", "No network: verifying offline"),
}


def say(message: str, language: str, **values: object) -> str:
    """Return a message in a language: `zh`, or English for any other."""
    return _MESSAGES[message][0 if language.startswith("zh") else 1].format(**values)
