"""The story, chapter by chapter."""

from collections.abc import Callable

from devstack.demo.actors import World
from devstack.demo.chapters.after_red import follow_up
from devstack.demo.chapters.devices import pass_machines
from devstack.demo.chapters.first_day import declare, log_in, measure, open_menu, show_code
from devstack.demo.chapters.illness import explain, fall_ill, quarantine
from devstack.demo.data_story import own_data
from devstack.demo.document_story import check_documents
from devstack.demo.family_story import live_as_a_family
from devstack.demo.message_story import follow_official_account, get_text_messages
from devstack.demo.paper_story import carry_paper
from devstack.demo.places.venue_story import run_a_venue
from devstack.demo.places.visit_story import scan_a_venue
from devstack.demo.places.window_story import serve

CHAPTERS: tuple[tuple[str, Callable[[World], None]], ...] = (
    ("登录与注册 · Log-in and registration", log_in),
    ("首页与栏目 · Home page and column", open_menu),
    ("申报与核验 · Declaration and verification", declare),
    ("出示吉祥码 · The code", show_code),
    ("查验与体温 · Check and temperature", measure),
    ("证件查验 · Check by document", check_documents),
    ("闸机与公交 · Gates and a bus", pass_machines),
    ("密接与隔离 · Contact and quarantine", quarantine),
    ("病例 · A case", fall_ill),
    ("红码之后 · After red", follow_up),
    ("服务窗口 · The service window", serve),
    ("场所入驻 · A venue", run_a_venue),
    ("场所码 · Venue codes", scan_a_venue),
    ("变码记录 · History", explain),
    ("没有订阅 · Without subscription", get_text_messages),
    ("公众号 · The official account", follow_official_account),
    ("家人 · Family", live_as_a_family),
    ("纸质码 · A card on paper", carry_paper),
    ("我的数据 · My data", own_data),
)
