"""Routes of those who ask about a code that is shown: inspectors, devices, and programs of partners."""

from app.api.authorization.callers import ANYONE, DEVICE, INSPECTOR, PARTNER, TERMINAL, Routes

STATIONS: Routes = {
    ("POST", "/api/v1/stations/login"): ANYONE,
    ("POST", "/api/v1/stations/logout"): INSPECTOR,
    ("POST", "/api/v1/checks"): INSPECTOR,
    ("POST", "/api/v1/checks/temperature"): INSPECTOR,
    ("POST", "/api/v1/checks/offline"): INSPECTOR,
    ("POST", "/api/v1/checks/document"): INSPECTOR,
    ("POST", "/api/v1/checks/document/temperature"): INSPECTOR,
    ("POST", "/api/v1/checks/paper"): INSPECTOR,
    ("POST", "/api/v1/checks/paper/temperature"): INSPECTOR,
    ("GET", "/api/v1/stations/today"): INSPECTOR,
    ("GET", "/api/v1/devices/me"): DEVICE,
    ("POST", "/api/v1/devices/checks"): DEVICE,  # what each kind may ask: devices/models.py
    ("POST", "/api/v1/devices/temperatures"): DEVICE,
    ("POST", "/api/v1/devices/batches"): DEVICE,
    ("POST", "/api/v1/devices/adapters/code-gun"): TERMINAL,
    ("POST", "/api/v1/devices/adapters/signed-gate"): TERMINAL,
    ("POST", "/api/v1/partners/verification"): PARTNER,  # with the interface among those of the partner
    ("POST", "/api/v1/partners/query"): PARTNER,
    ("POST", "/api/v1/partners/correction"): PARTNER,
    ("POST", "/api/v1/partners/health-declaration"): PARTNER,
    ("POST", "/api/v1/partners/trip-declaration"): PARTNER,
    ("POST", "/api/v1/partners/code-call"): PARTNER,
    ("POST", "/api/v1/partners/code-making"): PARTNER,
}
